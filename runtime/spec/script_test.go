package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs testdata/app: an app as sent, and what becomes of it.
//
//	app [all]       a whole app, over the defaults
//	update [force]  a partial update of the result before it
//	list            an array of whole apps
//
// Settings are arguments too: role=R features=(a,b) network=N bridge=N enforce.
//
// The first line of an answer is "app" or the message of the error; then come a
// line per fault, or the unknown fields and the members of the app's JSON that
// differ from the defaults or from the app before (with all: every member).
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/app", func(t *testing.T, path string) {
		var current *App
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s := settingsOf(t, d)
			if d.Cmd == "list" {
				return describe(list(d.Input, s))
			}
			app, unknown, err := change(d, current, s)
			if err != nil {
				return describe(err)
			}
			answer, before := "app\n", Defaults()
			if d.Cmd == "update" {
				answer, before = "app "+Compare(current, app).String()+"\n", current
			}
			current = app
			return answer + unknown + difference(members(t, before), members(t, app), d.HasArg("all"))
		})
	})
}

// settingsOf reads the settings of a command.
func settingsOf(t *testing.T, d *datadriven.TestData) (s Settings) {
	t.Helper()
	d.MaybeScanArgs(t, "role", &s.Role)
	d.MaybeScanArgs(t, "network", &s.DefaultNetwork)
	d.MaybeScanArgs(t, "bridge", &s.BridgeName)
	s.EnforceNewGroups = d.HasArg("enforce")
	for _, arg := range d.CmdArgs {
		if arg.Key == "features" {
			s.Features = arg.Vals
		}
	}
	return s
}

// change does what an API call would do with the body in d.
func change(d *datadriven.TestData, current *App, s Settings) (app *App, unknown string, err error) {
	form := Whole
	if d.Cmd == "update" {
		form = Partial
	}
	u, err := ParseUpdate([]byte(d.Input), form, false)
	if err != nil {
		return nil, "", err
	}
	switch {
	case u.Rollback:
		return nil, "", fmt.Errorf("rollback to %s", u.Version)
	case form == Partial:
		app = u.Apply(current, s)
	default:
		current = nil
		app = u.App(*u.ID, s.Roles(*u.ID, nil, nil).Default, s)
	}
	if len(u.Unknown) > 0 {
		unknown = "unknown: " + strings.Join(u.Unknown, ", ") + "\n"
	}
	return app, unknown, valid(u, app, current, s, d.HasArg("force"))
}

// list does what an API call would do with several apps: it tells the faults of each.
func list(text string, s Settings) error {
	updates, err := ParseUpdates([]byte(text), Whole)
	if err != nil {
		return err
	}
	all := &Faults{Message: MessageInvalidObject}
	for i, u := range updates {
		if faults, ok := errors.AsType[*Faults](valid(u, u.App(*u.ID, "*", s), nil, s, false)); ok {
			all.Merge(at("/", i), faults)
		}
	}
	return all.Err()
}

func describe(err error) string {
	var faults *Faults
	if !errors.As(err, &faults) {
		return fmt.Sprintln(err)
	}
	var lines strings.Builder
	lines.WriteString(faults.Message + "\n")
	for _, d := range faults.Details {
		for _, e := range d.Errors {
			lines.WriteString("  " + d.Path + ": " + e + "\n")
		}
	}
	return lines.String()
}

// members returns a line per member of the app's JSON, as they left the encoder.
func members(t *testing.T, app *App) []string {
	t.Helper()
	text, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("  %s %s\n", name, value))
	}
	return lines
}

// difference returns the lines that are new.
func difference(before, after []string, all bool) string {
	return strings.Join(slices.DeleteFunc(after, func(line string) bool {
		return !all && slices.Contains(before, line)
	}), "")
}

// valid checks an app as the API does: by itself, then as a change.
func valid(u *Update, app, current *App, s Settings, force bool) error {
	err := app.Validate(Rules{Settings: s, Roles: s.Roles(app.ID, nil, current), Current: current, Sent: u, Force: force})
	if err != nil || current == nil {
		return err
	}
	return app.ValidateChange(current)
}
