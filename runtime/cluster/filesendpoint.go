package cluster

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// fileRoutes are the agents' endpoints for the files of tasks. Agents share the master's address, and the path of a run
// says on which one it is: hence they answer with and without an agent's name before them.
func (c *Cluster) fileRoutes(mux *http.ServeMux) {
	for _, prefix := range []string{"", "/{agent}"} {
		mux.HandleFunc("GET "+prefix+"/files/browse", c.serveBrowse)
		mux.HandleFunc("GET "+prefix+"/files/read", c.serveRead)
		mux.HandleFunc("GET "+prefix+"/files/download", c.serveDownload)
		mux.HandleFunc("POST "+prefix+"/api/v1", c.serveOperator)
	}
}

// fileFault answers a path that cannot be served, as an agent does.
func fileFault(w http.ResponseWriter, p string, err error) {
	switch {
	case errors.Is(err, errNoFile):
		refuse(w, refusal{http.StatusNotFound, ""})
	case errors.Is(err, errInaccessible):
		refuse(w, refusal{http.StatusBadRequest, fmt.Sprintf("'%s' is inaccessible.\n", p)})
	case errors.Is(err, errDirectory):
		refuse(w, refusal{http.StatusBadRequest, "Cannot read a directory.\n"})
	default:
		refuse(w, refusal{http.StatusInternalServerError, err.Error() + "\n"})
	}
}

// wantedPath is the request's path parameter; false when there was none, which is answered.
func wantedPath(w http.ResponseWriter, r *http.Request) (string, bool) {
	p := r.URL.Query().Get("path")
	if p == "" {
		refuse(w, refusal{http.StatusBadRequest, "Expecting 'path=value' in query.\n"})
	}
	return p, p != ""
}

func (c *Cluster) serveBrowse(w http.ResponseWriter, r *http.Request) {
	p, ok := wantedPath(w, r)
	if !ok {
		return
	}
	files, err := c.listFiles(p)
	if err != nil {
		fileFault(w, p, err)
		return
	}
	out := []object{}
	for _, f := range files {
		out = append(out, f.view())
	}
	writeJSON(w, r, out)
}

// serveRead answers with text: bytes that are none are lost, as JSON cannot carry them. READ_FILE carries all.
func (c *Cluster) serveRead(w http.ResponseWriter, r *http.Request) {
	p, ok := wantedPath(w, r)
	if !ok {
		return
	}
	offset, why := position(r, "offset")
	length, why2 := position(r, "length")
	if why = cmp.Or(why, why2); why != "" {
		refuse(w, refusal{http.StatusBadRequest, why})
		return
	}
	data, size, err := c.readFile(p, offset, length)
	if err != nil {
		fileFault(w, p, err)
		return
	}
	if offset < 0 {
		offset = size
	}
	writeJSON(w, r, object{"data": string(data), "offset": offset})
}

// position reads a parameter that is -1 when left out.
func position(r *http.Request, name string) (int64, string) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return -1, ""
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Sprintf("Failed to parse %s: Failed to convert '%s' to number.\n", name, text)
	case n < -1:
		return 0, fmt.Sprintf("Negative %s provided: %d.\n", name, n)
	}
	return n, ""
}

// serveDownload sends the whole file as it is now.
func (c *Cluster) serveDownload(w http.ResponseWriter, r *http.Request) {
	p, ok := wantedPath(w, r)
	if !ok {
		return
	}
	f, info, err := c.openFile(p)
	if err != nil {
		fileFault(w, p, err)
		return
	}
	defer f.Close()
	if !info.Mode().IsRegular() {
		refuse(w, refusal{http.StatusNotFound, "404 Not Found."})
		return
	}
	media := mime.TypeByExtension(path.Ext(p))
	w.Header().Set("Content-Type", cmp.Or(media, "application/octet-stream"))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(p)}))
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	_, _ = io.CopyN(w, f, info.Size())
}

// operatorCall is a call of the v1 operator API, as far as it is about files.
type operatorCall struct {
	Type      string `json:"type"`
	ListFiles *struct {
		Path string `json:"path"`
	} `json:"list_files"`
	ReadFile *struct {
		Path   string `json:"path"`
		Offset *int64 `json:"offset"`
		Length *int64 `json:"length"`
	} `json:"read_file"`
}

// serveOperator answers the two calls of the operator API that are about files.
func (c *Cluster) serveOperator(w http.ResponseWriter, r *http.Request) {
	var call operatorCall
	if r.Header.Get("Content-Type") != mediaJSON {
		refuse(w, refusal{http.StatusUnsupportedMediaType, "Expecting 'Content-Type' of " + mediaJSON})
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&call); err != nil {
		refuse(w, refusal{http.StatusBadRequest, "Failed to parse body into JSON: " + err.Error()})
		return
	}
	switch {
	case call.Type == "LIST_FILES" && call.ListFiles != nil:
		c.answerList(w, r, call.ListFiles.Path)
	case call.Type == "READ_FILE" && call.ReadFile != nil && call.ReadFile.Offset != nil:
		length := int64(-1)
		if call.ReadFile.Length != nil {
			length = *call.ReadFile.Length
		}
		c.answerRead(w, r, call.ReadFile.Path, *call.ReadFile.Offset, length)
	case call.Type == "LIST_FILES" || call.Type == "READ_FILE":
		refuse(w, refusal{http.StatusBadRequest, "Failed to validate agent::Call: a required field is missing"})
	default:
		refuse(w, refusal{http.StatusNotImplemented, "Call '" + call.Type + "' is not implemented by this cluster"})
	}
}

func (c *Cluster) answerList(w http.ResponseWriter, r *http.Request, p string) {
	files, err := c.listFiles(p)
	if err != nil {
		fileFault(w, p, err)
		return
	}
	infos := []object{}
	for _, f := range files {
		one := f.view()
		one["mode"] = f.unixMode()
		one["mtime"] = object{"nanoseconds": f.ModTime().UnixNano()}
		infos = append(infos, one)
	}
	writeJSON(w, r, object{"type": "LIST_FILES", "list_files": object{"file_infos": infos}})
}

func (c *Cluster) answerRead(w http.ResponseWriter, r *http.Request, p string, offset, length int64) {
	if offset < 0 || length < -1 {
		refuse(w, refusal{http.StatusBadRequest, "Failed to validate agent::Call: negative offset or length"})
		return
	}
	data, size, err := c.readFile(p, offset, length)
	if err != nil {
		fileFault(w, p, err)
		return
	}
	if data == nil {
		data = []byte{}
	}
	writeJSON(w, r, object{"type": "READ_FILE", "read_file": object{"size": size, "data": data}})
}

// view is the entry as /files/browse shows it.
func (f fileInfo) view() object {
	out := object{
		"path": f.path, "size": f.Size(), "mode": modeText(f.Mode()), "mtime": float64(f.ModTime().Unix()), "nlink": 1,
		"uid": "", "gid": "",
	}
	if st, ok := f.Sys().(*syscall.Stat_t); ok {
		out["nlink"] = st.Nlink
		out["uid"], out["gid"] = userName(st.Uid), groupName(st.Gid)
	}
	return out
}

// unixMode is st_mode.
func (f fileInfo) unixMode() uint32 {
	if st, ok := f.Sys().(*syscall.Stat_t); ok {
		return st.Mode
	}
	return uint32(f.Mode().Perm())
}

// modeText is the mode as ls shows it.
func modeText(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	case m&fs.ModeDevice != 0:
		kind = "b"
	case m&fs.ModeNamedPipe != 0:
		kind = "p"
	case m&fs.ModeSocket != 0:
		kind = "s"
	}
	return kind + strings.TrimPrefix(m.Perm().String(), "-")
}

// userName and groupName give the number where there is no name.
func userName(id uint32) string {
	text := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(text); err == nil {
		return u.Username
	}
	return text
}

func groupName(id uint32) string {
	text := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(text); err == nil {
		return g.Name
	}
	return text
}

func sortedFiles(in []fileInfo) []fileInfo {
	slices.SortFunc(in, func(a, b fileInfo) int { return cmp.Compare(a.path, b.path) })
	return in
}
