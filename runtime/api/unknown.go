package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// noteUnknown tells the client which fields of its apps had no effect.
func (s *server) noteUnknown(w http.ResponseWriter, r *http.Request, updates ...*spec.Update) error {
	var names []string
	for _, u := range updates {
		names = append(names, u.Unknown...)
	}
	return noteUnknownFields(w, r, "an app", names)
}

// noteUnknownFields tells the client which fields of a body had no effect: in a
// header, or with strict=true as faults.
func noteUnknownFields(w http.ResponseWriter, r *http.Request, object string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if flag(r, "strict", false) {
		faults := &spec.Faults{Message: spec.MessageInvalidObject}
		for _, name := range names {
			faults.Add("/"+name, "is not a field of "+object)
		}
		return faults
	}
	const most = 20 // a header has to stay short
	text := "unknown fields ignored: " + strings.Join(names[:min(len(names), most)], ", ")
	w.Header().Set("Warning", "299 pacer "+strconv.QuoteToASCII(text))
	return nil
}
