package author

import (
	"context"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// scriptCases makes a case of each upgrade in the script, up to the next one.
func scriptCases(text []byte, envelope Envelope) ([]Case, error) {
	list, err := blocks(text)
	if err != nil {
		return nil, err
	}
	lines := lineSpans(text)
	var cases []Case
	for len(list) > 0 {
		end := 1
		for end < len(list) && !begins(list[end].command) {
			end++
		}
		script := list[:end]
		if !begins(script[0].command) {
			return nil, fmt.Errorf("line %d: %s: expected upgrade or run first", script[0].line, script[0].command)
		}
		for _, b := range script[1:] {
			if err := known(b.command); err != nil {
				return nil, fmt.Errorf("line %d: %s: %w", b.line, b.command, err)
			}
		}
		list = list[end:]
		world, err := parseWorld(script[0].command, envelope)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", script[0].line, err)
		}
		at := span{lines[script[0].line-1].from, lines[script[end-1].last-1].to}
		cases = append(cases, Case{
			Line: script[0].line, Name: world.strategy, Text: script[0].command, at: at,
			check: func(ctx context.Context, m remote.Module) error {
				results, err := play(ctx, m, script, envelope)
				if err == nil {
					err = Differs(results)
				}
				return err
			},
			actual: func(ctx context.Context, m remote.Module) (string, error) {
				section := text[at.from:at.to]
				steps, err := Simulate(ctx, m, section, envelope)
				return strings.TrimRight(string(Rewritten(section, steps)), "\n"), err
			},
		})
	}
	return cases, nil
}

func begins(command string) bool {
	return strings.HasPrefix(command, "upgrade ") || strings.HasPrefix(command, "run ")
}

// ParseScript says what is wrong with a script before anything is run; nil for nothing.
func ParseScript(text []byte, envelope Envelope) error {
	_, err := scriptCases(text, envelope)
	return err
}

// SimStep is one command of a simulation.
type SimStep struct {
	Line    int    `json:"line"`
	Command string `json:"command"`
	Got     string `json:"got"`
	Want    string `json:"want,omitempty"`
	Differs bool   `json:"differs,omitempty"`
}

// Differs says where a simulation went otherwise than expected first; nil if it did not.
func Differs(steps []SimStep) error {
	for _, s := range steps {
		if s.Differs {
			return fmt.Errorf("line %d: %s: got %q, want %q", s.Line, s.Command, strings.TrimSpace(s.Got), strings.TrimSpace(s.Want))
		}
	}
	return nil
}

// Simulate runs a script, or several in one file. A command with no expectation is
// never wrong.
func Simulate(ctx context.Context, m remote.Module, text []byte, envelope Envelope) ([]SimStep, error) {
	list, err := blocks(text)
	if err != nil {
		return nil, err
	}
	return play(ctx, m, list, envelope)
}

func play(ctx context.Context, m remote.Module, list []block, envelope Envelope) ([]SimStep, error) {
	var steps []SimStep
	var w *world
	defer func() { w.end() }()
	for _, b := range list {
		var got string
		var err error
		if begins(b.command) {
			w.end()
			w, got, err = begin(ctx, m, b.command, envelope)
		} else if w == nil {
			err = fmt.Errorf("expected upgrade or run first")
		} else {
			got, err = w.command(ctx, b.command)
		}
		if err != nil {
			return steps, fmt.Errorf("line %d: %s: %w", b.line, b.command, err)
		}
		steps = append(steps, SimStep{b.line, b.command, got, b.want, b.want != "" && got != b.want})
	}
	return steps, nil
}

// Script is the text of a simulation with what came of each command.
func Script(steps []SimStep) string {
	var out strings.Builder
	for i, s := range steps {
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString(s.Command + "\n----\n" + s.Got)
	}
	return out.String()
}

// Rewritten is the script with what came in the place of what was expected.
func Rewritten(text []byte, steps []SimStep) []byte {
	got := map[int]string{}
	for _, s := range steps {
		got[s.Line] = s.Command + "\n----\n" + strings.TrimRight(s.Got, "\n")
	}
	return replaceLines(text, got)
}
