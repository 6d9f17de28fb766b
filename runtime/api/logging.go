package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Loggers are the levels of the parts of the log. Its methods may be called by
// any goroutine.
type Loggers interface {
	// Levels returns the level of each part by its name: "DEBUG", or
	// "DEBUG (inherited)" when it is that of the whole.
	Levels() map[string]string
	// SetLevel changes the level of a part, which need not be there, and undoes it
	// after a while; 0 for never. level is one of LoggerLevels.
	SetLevel(name, level string, during time.Duration)
}

// LoggerLevels are the levels that a logger may be given, the most talkative first.
func LoggerLevels() []string { return []string{"trace", "debug", "info", "warn", "error"} }

// loggers answers the levels of the log.
func (s *server) loggers(_ Core, w http.ResponseWriter, _ *http.Request) error {
	levels := map[string]string{}
	if s.Loggers != nil {
		levels = s.Loggers.Levels()
	}
	writeJSON(w, http.StatusOK, levels)
	return nil
}

// loggerChange is the body of setLogger, and its answer.
type loggerChange struct {
	Level           string `json:"level"`
	Logger          string `json:"logger"`
	DurationSeconds *int   `json:"durationSeconds,omitempty"`
}

// setLogger changes a level. A name that nothing logs under is taken, as in
// Marathon, whose names scripts may have; a warning says so.
func (s *server) setLogger(_ Core, w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	change, err := parseLoggerChange(data)
	if err != nil {
		return err
	}
	var during time.Duration
	if change.DurationSeconds != nil {
		during = time.Duration(*change.DurationSeconds) * time.Second
	}
	if s.Loggers != nil {
		if _, ok := s.Loggers.Levels()[change.Logger]; !ok {
			w.Header().Set("Warning", "299 pacer "+strconv.QuoteToASCII("nothing logs under this name; GET /logging has those there are"))
		}
		s.Loggers.SetLevel(change.Logger, change.Level, during)
	}
	writeJSON(w, http.StatusOK, change)
	return nil
}

// parseLoggerChange reads a body. The level comes back in lower case.
func parseLoggerChange(data []byte) (change loggerChange, err error) {
	fields, err := parseObject(data)
	if err != nil {
		return change, err
	}
	faults := &spec.Faults{Message: spec.MessageInvalidJSON}
	change.Logger = requiredText(fields, "logger", faults)
	change.Level = strings.ToLower(requiredText(fields, "level", faults))
	if change.Level != "" && !slices.Contains(LoggerLevels(), change.Level) {
		faults.Add("/level", "error.unknown.enum.literal")
	}
	if text, ok := fields["durationSeconds"]; ok && string(text) != "null" {
		if json.Unmarshal(text, &change.DurationSeconds) != nil {
			faults.Add("/durationSeconds", "error.expected.jsnumber")
		} else if n := *change.DurationSeconds; n < 0 || n > math.MaxInt32 {
			faults.Add("/durationSeconds", "error.expected.int")
		}
	}
	if err := faults.Err(); err != nil {
		return change, err
	}
	if change.Logger == "" {
		return change, spec.NewFault("/logger", "must not be empty")
	}
	return change, nil
}

// parseObject reads the fields of a body that is one object.
func parseObject(data []byte) (map[string]json.RawMessage, error) {
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, &spec.SyntaxError{Empty: true, Detail: "No content to map due to end-of-input"}
	}
	var fields map[string]json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(data, &fields); {
	case errors.As(err, &syntax):
		return nil, &spec.SyntaxError{Detail: err.Error()}
	case err != nil, fields == nil:
		faults := &spec.Faults{Message: spec.MessageInvalidJSON}
		faults.Add("/", "error.expected.jsobject")
		return nil, faults
	}
	return fields, nil
}

// requiredText reads a field that has to be there; a fault, and "", otherwise.
func requiredText(fields map[string]json.RawMessage, name string, faults *spec.Faults) string {
	text, ok := fields[name]
	var value string
	switch {
	case !ok || string(text) == "null":
		faults.Add("/"+name, "error.path.missing")
	case json.Unmarshal(text, &value) != nil:
		faults.Add("/"+name, "error.expected.jsstring")
	}
	return value
}
