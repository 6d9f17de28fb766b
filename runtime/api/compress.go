package api

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// gzipMark is at the end of the tag of a compressed answer, which is not the same
// text as the plain one.
const gzipMark = "-gzip"

// compress has answers that are worth it compressed for clients that take gzip.
// The event stream never is: its clients do not expect it, and what is compressed
// is not sent at once.
func (s *server) compress(next http.Handler) http.Handler {
	if !s.HTTP.Compress {
		return next
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.SuffixETag(gzipMark))
	if err != nil {
		panic("api: " + err.Error()) // the options are constants
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if eventStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		// Endpoints know tags without the mark. A client that has the compressed
		// answer is told about that one.
		if tag := r.Header.Get("If-None-Match"); strings.Contains(tag, gzipMark+`"`) {
			r.Header.Set("If-None-Match", strings.ReplaceAll(tag, gzipMark+`"`, `"`))
			w = &marked{w}
		}
		compressed.ServeHTTP(w, r)
	})
}

// marked puts the mark on the tag of an answer that has no body.
type marked struct{ http.ResponseWriter }

// WriteHeader marks the tag of a 304; that of a body was marked with the body.
func (m *marked) WriteHeader(status int) {
	if tag := m.Header().Get("ETag"); status == http.StatusNotModified && tag != "" {
		m.Header().Set("ETag", strings.TrimSuffix(tag, `"`)+gzipMark+`"`)
	}
	m.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (m *marked) Unwrap() http.ResponseWriter { return m.ResponseWriter }
