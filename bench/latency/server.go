package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running Pacer and the stream of its events.
type server struct {
	cmd    *exec.Cmd
	url    string
	dir    string
	http   *http.Client
	events chan event
	waves  int
}

// event is what this program reads of an instance_changed_event.
type event struct {
	Condition string `json:"condition"`
	RunSpecID string `json:"runSpecId"`
	at        time.Time
}

// start runs the binary until it says where its API is.
func start(ctx context.Context, binary string, agents int) (*server, error) {
	dir, err := os.MkdirTemp("", "pacer-latency-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, events: make(chan event, 1<<16), http: &http.Client{Timeout: time.Minute}}
	s.cmd = exec.Command(binary, "dev", "--simulate-tasks", "--http-port", "0",
		"--agents", strconv.Itoa(agents), "--data-dir", dir)
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			s.url = "http://" + strings.TrimSuffix(strings.Fields(address)[0], "/v2/apps")
		}
	}
	if s.url == "" {
		s.stop()
		return nil, fmt.Errorf("%s ended without saying where its API is", binary)
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // the pipe is only kept from filling up
	return s, s.listen(ctx)
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}

// listen follows the event stream.
func (s *server) listen(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v2/events?event_type=instance_changed_event", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	go func() {
		defer resp.Body.Close()
		lines := bufio.NewReaderSize(resp.Body, 1<<20)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			var e event
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && json.Unmarshal(data, &e) == nil {
				e.at = time.Now()
				s.events <- e
			}
		}
	}()
	return nil
}

// wave submits apps, waits until the API shows all their tasks running, and
// removes them. wait is how long it took until the last instance had an offer.
func (s *server) wave(ctx context.Context, apps, instances int) (total, wait time.Duration, err error) {
	s.waves++
	prefix := fmt.Sprintf("/wave-%d", s.waves)
	began := time.Now()
	for i := range apps {
		body := fmt.Sprintf(`{"id":"%s/app-%d","cmd":"true","cpus":0.001,"mem":0.1,"instances":%d,"portDefinitions":[]}`, prefix, i, instances)
		if err := s.send(ctx, http.MethodPost, "/v2/apps", body, http.StatusCreated); err != nil {
			return 0, 0, err
		}
	}
	for {
		running, err := s.running(ctx, prefix)
		if err != nil {
			return 0, 0, err
		}
		if running == apps*instances {
			break
		}
	}
	total = time.Since(began)
	wait, err = s.lastPlaced(ctx, prefix, apps*instances, began)
	if err != nil {
		return 0, 0, err
	}
	for i := range apps {
		path := fmt.Sprintf("/v2/apps%s/app-%d", prefix, i)
		if err := s.send(ctx, http.MethodDelete, path, "", http.StatusOK); err != nil {
			return 0, 0, err
		}
	}
	return total, wait, s.settled(ctx)
}

// lastPlaced reads the stream until every instance was given an offer.
func (s *server) lastPlaced(ctx context.Context, prefix string, n int, began time.Time) (time.Duration, error) {
	for {
		select {
		case e := <-s.events:
			if e.Condition != "Provisioned" || !strings.HasPrefix(e.RunSpecID, prefix) {
				continue
			}
			if n--; n == 0 {
				return e.at.Sub(began), nil
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(30 * time.Second):
			return 0, fmt.Errorf("%d instances were never shown as placed", n)
		}
	}
}

// settled waits until no deployment runs.
func (s *server) settled(ctx context.Context) error {
	for {
		var list []json.RawMessage
		if err := s.read(ctx, "/v2/deployments", &list); err != nil || len(list) == 0 {
			return err
		}
	}
}

// running counts the running tasks of the apps below a prefix.
func (s *server) running(ctx context.Context, prefix string) (int, error) {
	var list struct {
		Apps []struct {
			ID      string `json:"id"`
			Running int    `json:"tasksRunning"`
		} `json:"apps"`
	}
	if err := s.read(ctx, "/v2/apps", &list); err != nil {
		return 0, err
	}
	n := 0
	for _, a := range list.Apps {
		if strings.HasPrefix(a.ID, prefix+"/") {
			n += a.Running
		}
	}
	return n, nil
}

func (s *server) read(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

func (s *server) send(ctx context.Context, method, path, body string, want int) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return err
}
