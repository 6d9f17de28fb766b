package api

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	// sandboxPatience is how long an agent may take for one answer.
	sandboxPatience = 10 * time.Second
	// sandboxChunk is what is asked of an agent at a time, in bytes.
	sandboxChunk = 64 << 10
	// followEvery is the pause before an agent is asked again for what is new.
	followEvery = 500 * time.Millisecond
)

func joinPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// sandboxEntry is a file as the API shows it.
type sandboxEntry struct {
	Name      string    `json:"name"`
	Path      string    `json:"path"` // below the sandbox
	Size      int64     `json:"size"` // bytes
	Mode      string    `json:"mode"` // octal permissions
	Modified  time.Time `json:"modified"`
	Directory bool      `json:"directory"`
	User      string    `json:"user"`
	Group     string    `json:"group"`
}

// sandboxFile answers a file's bytes, or what a folder holds.
func (s *server) sandboxFile(core Core, w http.ResponseWriter, r *http.Request) error {
	name, err := sandboxPath(r)
	if err != nil {
		return err
	}
	box, err := s.sandboxOf(core, r)
	if err != nil {
		return err
	}
	if name != "" {
		file, found, err := s.sandboxEntryAt(r.Context(), box, name)
		switch {
		case err != nil:
			return box.fault(name, err)
		case !found:
			return box.fault(name, ErrNoFile)
		case file.regular():
			return s.sendFile(w, r, box, name, -1)
		case !file.Directory():
			return &problem{http.StatusUnprocessableEntity, "File '" + name + "' is neither a plain file nor a folder"}
		}
	}
	return s.sendFolder(w, r, box, name)
}

// sandboxEntryAt looks a file up in its folder: agents do not tell a file from a
// folder otherwise.
func (s *server) sandboxEntryAt(ctx context.Context, box sandbox, name string) (SandboxFile, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sandboxPatience)
	defer cancel()
	files, err := s.Sandboxes.List(ctx, box.endpoint, path.Dir(box.folder+"/"+name))
	if err != nil {
		return SandboxFile{}, false, err
	}
	for _, f := range files {
		if path.Base(f.Path) == path.Base(name) {
			return f, true, nil
		}
	}
	return SandboxFile{}, false, nil
}

func (s *server) sendFolder(w http.ResponseWriter, r *http.Request, box sandbox, name string) error {
	ctx, cancel := context.WithTimeout(r.Context(), sandboxPatience)
	defer cancel()
	files, err := s.Sandboxes.List(ctx, box.endpoint, path.Join(box.folder, name))
	if err != nil {
		return box.fault(name, err)
	}
	entries := []sandboxEntry{}
	for _, f := range files {
		base := path.Base(f.Path)
		entries = append(entries, sandboxEntry{
			Name: base, Path: path.Join(name, base), Size: f.Size, Mode: fmt.Sprintf("%04o", f.Mode&0o7777),
			Modified: f.Modified.UTC(), Directory: f.Directory(), User: f.User, Group: f.Group,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"taskId": box.task, "host": box.agent, "path": name, "files": entries})
	return nil
}

// sandboxOutput answers what a task wrote to its standard output or error.
func (s *server) sandboxOutput(core Core, w http.ResponseWriter, r *http.Request) error {
	box, err := s.sandboxOf(core, r)
	if err != nil {
		return err
	}
	name := path.Base(strings.TrimRight(r.URL.Path, "/"))
	tail, err := tailOf(r)
	if err != nil {
		return err
	}
	if flag(r, "follow", false) {
		return s.follow(w, r, box, name, tail)
	}
	return s.sendFile(w, r, box, name, tail)
}

// tailOf is how many bytes of the end are wanted; -1 for all.
func tailOf(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("tail")
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, &problem{http.StatusUnprocessableEntity, "tail: got '" + text + "', expected a number of bytes, 0 or more"}
	}
	return n, nil
}

// sendFile sends a file as it is now, or its last tail bytes when that is not
// negative, or the range of those that the request asks for.
func (s *server) sendFile(w http.ResponseWriter, r *http.Request, box sandbox, name string, tail int64) error {
	file := &remoteFile{s: s, box: box, ctx: r.Context(), name: name}
	if err := file.open(tail); err != nil {
		return box.fault(name, err)
	}
	w.Header().Set("Content-Type", mediaOf(name))
	if flag(r, "download", false) {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	}
	// The task's own pages must not run as pages of this server.
	w.Header().Set("Content-Security-Policy", "sandbox")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// mediaOf is the type of a file by its name. What has no ending is taken for text:
// it mostly is a log.
func mediaOf(name string) string {
	ext := path.Ext(name)
	if ext == "" || strings.HasPrefix(path.Base(name), "stdout") || strings.HasPrefix(path.Base(name), "stderr") {
		return "text/plain; charset=utf-8"
	}
	if media := mime.TypeByExtension(ext); media != "" {
		return media
	}
	return "application/octet-stream"
}

// remoteFile reads a file on an agent from where it was sought to, chunk by chunk.
type remoteFile struct {
	s      *server
	box    sandbox
	ctx    context.Context //nolint:containedctx // io.ReadSeeker, which this is for the length of one request, takes none
	name   string
	size   int64 // where it ended when it was opened
	first  int64 // what lies before is left out
	offset int64
}

// open asks for the size, and goes so far that tail bytes are left; all when
// tail is negative.
func (f *remoteFile) open(tail int64) error {
	_, size, err := f.ask(0, 0)
	f.size = size
	if tail >= 0 {
		f.first = max(0, size-tail)
	}
	f.offset = f.first
	return err
}

func (f *remoteFile) ask(offset, length int64) ([]byte, int64, error) {
	ctx, cancel := context.WithTimeout(f.ctx, sandboxPatience)
	defer cancel()
	return f.s.Sandboxes.Read(ctx, f.box.endpoint, f.box.folder+"/"+f.name, offset, length)
}

// Read gives what the agent gives, to the end that the file had when it was opened.
func (f *remoteFile) Read(p []byte) (int, error) {
	want := min(int64(len(p)), f.size-f.offset, sandboxChunk)
	if want <= 0 {
		return 0, io.EOF
	}
	data, _, err := f.ask(f.offset, want)
	switch {
	case err != nil:
		return 0, err
	case len(data) == 0: // it was cut short meanwhile
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, data)
	f.offset += int64(n)
	return n, nil
}

// Seek is for http.ServeContent.
func (f *remoteFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		offset += f.first
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.size
	}
	if offset < f.first {
		return 0, fmt.Errorf("seek to %d: expected 0 or more", offset-f.first)
	}
	f.offset = offset
	return offset - f.first, nil
}

// follow sends a file from its end less tail on, and what is added to it, until
// the task has ended and all was sent, or the client goes. A file that became
// shorter, as rotation makes it, is sent from its start.
func (s *server) follow(w http.ResponseWriter, r *http.Request, box sandbox, name string, tail int64) error {
	file := &remoteFile{s: s, box: box, ctx: r.Context(), name: name}
	if err := file.open(tail); err != nil {
		return box.fault(name, err)
	}
	w.Header().Set("Content-Type", mediaOf(name))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		last := box.ended() // before the read: what was written until then is read
		sent, err := file.copyNews(w)
		if err == nil && sent {
			control.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck // not every connection has one
			err = control.Flush()
		}
		if err != nil || last && !sent {
			return nil // the answer has begun: its end is all that can be said
		}
		if sent {
			continue
		}
		if err := control.Flush(); err != nil {
			return nil
		}
		pause.Reset(followEvery)
		select {
		case <-r.Context().Done():
			return nil
		case <-pause.C:
		}
	}
}

// copyNews sends one chunk of what lies behind the offset.
func (f *remoteFile) copyNews(w io.Writer) (sent bool, err error) {
	data, size, err := f.ask(f.offset, sandboxChunk)
	if err != nil {
		return false, err
	}
	if size < f.offset {
		f.offset = 0
		return true, nil
	}
	n, err := w.Write(data)
	f.offset += int64(n)
	return n > 0, err
}
