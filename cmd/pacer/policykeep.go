package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/store"
)

// Keys of what the store has of policy modules, which is no concern of the core.
const (
	policyRecords = "policies/"
	choicesRecord = policyRecords + "choices" // what was chosen by the API, for the next leader
	lineupRecord  = policyRecords + "lineup"  // what the leader asks, for the next one to compare
)

// policyKeeper keeps in the store what the next leader has to know of this one's modules.
type policyKeeper struct {
	ctx     context.Context //nolint:containedctx // the term: what is under way must not end with a request
	term    store.Term
	address string
	changed chan struct{} // has a token when the lineup may be another one
	written []byte        // the lineup, as it is in the store
}

// takeOver makes the modules what the leader before had chosen, tells how they differ
// from those that it asked, and keeps that up from now on.
func (p *policies) takeOver(ctx context.Context, term store.Term, records map[string][]byte, address string, log *slog.Logger) (*policyKeeper, error) {
	var choices []policy.Choice
	var last policy.Lineup
	for key, into := range map[string]any{choicesRecord: &choices, lineupRecord: &last} {
		if value, ok := records[key]; ok {
			if err := json.Unmarshal(value, into); err != nil {
				return nil, fmt.Errorf("record %s: %w", key, err)
			}
		}
	}
	k := &policyKeeper{ctx: ctx, term: term, address: address, changed: make(chan struct{}, 1), written: records[lineupRecord]}
	k.changed <- struct{}{}
	p.keeper.Store(k)
	adopt := func() {
		if err := p.Resume(ctx, choices); err != nil {
			log.Error("what was chosen for policy modules is not taken over", "cause", err)
		}
		if last.Server != "" {
			p.Compare(last)
		}
	}
	select {
	case <-p.Loaded():
		adopt()
	default:
		go adopt() // the term does not wait for modules that are being compiled
	}
	return k, nil
}

// keep is policy.Config.Keep: without a term there is nobody to keep it for.
func (p *policies) keep(_ context.Context, choices []policy.Choice) error {
	k := p.keeper.Load()
	if k == nil {
		return nil
	}
	change := store.Change{Key: choicesRecord}
	if len(choices) > 0 {
		var err error
		if change.Value, err = json.Marshal(choices); err != nil {
			return err
		}
	}
	return k.term.Commit(k.ctx, []store.Change{change})
}

// run keeps what the leader asks, until ctx ends.
func (k *policyKeeper) run(ctx context.Context, p *policies) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.changed:
		}
		value, err := json.Marshal(policy.Lineup{Server: k.address, Modules: p.Lineup()})
		if err != nil || bytes.Equal(value, k.written) {
			continue
		}
		if err := k.term.Commit(ctx, []store.Change{{Key: lineupRecord, Value: value}}); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("keeping which policy modules are asked: %w", err)
		}
		k.written = value
	}
}

// touch has the lineup looked at. It does not wait.
func (k *policyKeeper) touch() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// isPolicyRecord tells what is kept for policies from what is the core's.
func isPolicyRecord(key string) bool { return strings.HasPrefix(key, policyRecords) }
