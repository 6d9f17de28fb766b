package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/runtime/store"
)

// telling is a term that tells of commits.
type telling struct {
	store.Term
	commits chan []store.Change
}

func (t telling) Commit(ctx context.Context, changes []store.Change) error {
	err := t.Term.Commit(ctx, changes)
	if err == nil {
		t.commits <- changes
	}
	return err
}

// leading begins a term of the server at the address with the modules of a list.
type leading struct {
	*policies
	host    policyHost
	commits chan []store.Change
	end     func()
}

func lead(t *testing.T, s store.Store, address, list string) *leading {
	t.Helper()
	p, _, err := configured(t, list)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	term := telling{begun, make(chan []store.Change, 100)}
	aside := map[string][]byte{}
	if err := (durable{term, aside}).Load(t.Context(), func(r scheduler.Record) error {
		t.Errorf("the core is given the record %s", r.Key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	k, err := p.takeOver(ctx, term, aside, address, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- k.run(ctx, p) }()
	return &leading{p, policyHost{p.Catalog}, term.commits, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}}
}

// kept waits until a record is as it is to be.
func (l *leading) kept(t *testing.T, key, part string) {
	t.Helper()
	for {
		select {
		case changes := <-l.commits:
			if changes[0].Key == key && strings.Contains(string(changes[0].Value), part) {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("%s has not %q", key, part)
		}
	}
}

func (l *leading) module(t *testing.T, id string) api.Module {
	t.Helper()
	for _, m := range l.modules() {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no module %s", id)
	return api.Module{}
}

// Two servers with different lists, one after the other on one store: the second one
// knows what was chosen with the first, and tells how its modules differ.
func TestTheNextLeaderKnowsOfPolicies(t *testing.T) {
	s := store.NewMemory()
	first := lead(t, s, "first:8080", "modules: [{name: animals, ref: file:zoo.wasm}]")
	first.kept(t, lineupRecord, `"animals"`)
	first.end()

	without := lead(t, s, "second:8080", "modules: []")
	m := without.module(t, "animals")
	if m.State != "missing" || m.Loaded || len(m.Operators) == 0 || m.Name != "zoo" || !strings.Contains(m.Error, "the last leader, first:8080, asked zoo@1") {
		t.Errorf("%+v", m)
	}
	app := &spec.App{ID: "/a", Constraints: []spec.Constraint{{Field: "rack", Operator: m.Operators[0]}}}
	err := without.check(t.Context(), app, app.Constraints[0])
	if err == nil || !strings.Contains(err.Error(), "the policy module animals (zoo@1), of which the last leader, first:8080, had "+m.Operators[0]+", is not on this server") {
		t.Errorf("error %v", err)
	}
	without.kept(t, lineupRecord, `"second:8080"`)
	without.end()

	other := lead(t, s, "first:8080", "modules: [{name: animals, ref: file:zoo.wasm, settings: {per: 3}}]")
	if m := other.module(t, "animals"); !strings.Contains(m.Differs, "the last leader, second:8080, did not ask it") {
		t.Errorf("%+v", m)
	}
	if err := other.host.Disable(t.Context(), "animals"); err != nil {
		t.Fatal(err)
	}
	other.kept(t, choicesRecord, `"mode":"off"`)
	other.end()

	next := lead(t, s, "second:8080", "modules: [{name: animals, ref: file:zoo.wasm}]")
	if m := next.module(t, "animals"); m.State != "off" || m.Choice == nil || m.Choice.Mode != "off" || m.Choice.At.IsZero() || !strings.HasPrefix(m.Notice, "as chosen at ") {
		t.Errorf("%+v", m)
	}
	if err := next.host.Enable(t.Context(), "animals"); err != nil {
		t.Fatal(err)
	}
	next.kept(t, choicesRecord, "")
	next.end()
	last := lead(t, s, "first:8080", "modules: [{name: animals, ref: file:zoo.wasm}]")
	if m := last.module(t, "animals"); m.State != "active" || m.Choice != nil {
		t.Errorf("%+v", m)
	}
	if err := last.host.Disable(t.Context(), "animals"); err != nil {
		t.Fatal(err)
	}
	last.end()
	written := lead(t, s, "second:8080", "modules: [{name: animals, ref: file:zoo.wasm, mode: off}]")
	defer written.end()
	written.kept(t, choicesRecord, "")
	if m := written.module(t, "animals"); m.State != "off" || m.Choice != nil {
		t.Errorf("the list has it by now: %+v", m)
	}
}

// A record that nobody can read ends the term rather than undo what was chosen.
func TestAPolicyRecordThatIsBroken(t *testing.T) {
	p, _, err := configured(t, "modules: []")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.takeOver(t.Context(), nil, map[string][]byte{choicesRecord: []byte("{")}, "a:1", slog.New(slog.DiscardHandler))
	if _, ok := err.(interface{ Unwrap() error }); !ok || !strings.HasPrefix(err.Error(), "record policies/choices: ") {
		t.Errorf("error %v", err)
	}
}

// Without a term what is chosen lasts as long as the process: nobody leads.
func TestAChoiceWithoutATerm(t *testing.T) {
	p, _, err := configured(t, "modules: [{name: animals, ref: file:zoo.wasm}]")
	if err != nil {
		t.Fatal(err)
	}
	if err := (policyHost{p.Catalog}).Disable(t.Context(), "animals"); err != nil {
		t.Error(err)
	}
	if value, err := json.Marshal(policy.Lineup{Server: "a", Modules: p.Lineup()}); err != nil || string(value) != `{"server":"a","modules":[]}` {
		t.Errorf("%s %v", value, err)
	}
}
