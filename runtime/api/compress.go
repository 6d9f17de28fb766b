package api

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// compress has answers that are worth it compressed for clients that take gzip.
// The event stream never is: its clients do not expect it, and what is compressed
// is not sent at once. The tag of a compressed answer is a weak one, since another
// version of this program may compress in another way.
func (s *server) compress(next http.Handler) http.Handler {
	if !s.HTTP.Compress {
		return next
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		panic("api: " + err.Error()) // the options are constants
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if eventStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		// Endpoints know strong tags. Who names a weak one has the compressed answer,
		// which is as new as the plain one.
		known := r.Header.Get("If-None-Match")
		weak := strings.HasPrefix(known, `W/"`)
		if weak {
			r.Header.Set("If-None-Match", strings.ReplaceAll(known, `W/"`, `"`))
		}
		compressed.ServeHTTP(&weakening{ResponseWriter: w, known: weak}, r)
	})
}

// weakening is below what compresses, and makes the tags of what comes out weak.
type weakening struct {
	http.ResponseWriter
	known bool // the client has named a weak tag
	begun bool // the header is written
}

// WriteHeader weakens the tag of a compressed answer, and of one that says that
// such a one has not changed.
func (w *weakening) WriteHeader(status int) {
	w.begun = true
	h := w.Header()
	changed := status != http.StatusNotModified
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) && (changed && h.Get("Content-Encoding") == "gzip" || !changed && w.known) {
		h.Set("ETag", "W/"+tag)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write begins an answer without a status of its own, as net/http does.
func (w *weakening) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *weakening) Unwrap() http.ResponseWriter { return w.ResponseWriter }
