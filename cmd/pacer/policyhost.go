package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/policy"
)

// policyHost is the catalog in the words of the API.
type policyHost struct{ catalog *policy.Catalog }

// told turns an error of the catalog into the API's.
func told(err error) error {
	if unknown, ok := errors.AsType[*policy.Unknown](err); ok {
		return &api.ModuleUnknown{Name: unknown.Name}
	}
	if wrong, ok := errors.AsType[*policy.WrongState](err); ok {
		return &api.ModuleRefusal{Message: wrong.Message}
	}
	return err
}

// Reload implements api.PolicyModules, as all methods do.
func (h policyHost) Reload(ctx context.Context, name string) error {
	return told(h.catalog.Reload(ctx, name))
}

func (h policyHost) Shadow(ctx context.Context, name, of string) error {
	return told(h.catalog.Shadow(ctx, name, of))
}

func (h policyHost) Promote(ctx context.Context, name string) error {
	return told(h.catalog.Promote(ctx, name))
}

func (h policyHost) Enable(ctx context.Context, name string) error {
	return told(h.catalog.Enable(ctx, name))
}

func (h policyHost) Disable(ctx context.Context, name string) error {
	return told(h.catalog.Disable(ctx, name))
}

func (h policyHost) Record(ctx context.Context, name string, to io.Writer, limit int64) error {
	_, err := h.catalog.Record(ctx, name, to, limit)
	return told(err)
}

func (h policyHost) Disagreements(name string) ([]api.ModuleDisagreement, error) {
	cases, err := h.catalog.Disagreements(name)
	list := make([]api.ModuleDisagreement, len(cases))
	for i, d := range cases {
		list[i] = api.ModuleDisagreement{
			At: d.At, Kind: d.Kind, Call: d.Call, Items: d.Items, Spec: d.Spec, Input: d.Input, Answer: d.Answer, Cause: d.Cause,
			Candidate: d.Candidate, CandidateCause: d.CandidateCause,
		}
	}
	return list, told(err)
}

// modules lists the modules for the API.
func (p *policies) modules() []api.Module {
	var out []api.Module
	for _, m := range p.Modules() {
		shown := api.Module{
			ID: m.ID, Name: m.Name, Version: m.Version, Kind: m.Kind, Kinds: m.Kinds, Form: m.Backend, File: m.File, Digest: m.Digest, Signer: m.Signer,
			Fetchers: m.Fetchers, Admitters: m.Admitters, Operators: m.Operators, Strategies: m.Strategies, Rules: m.Rules,
			Loaded: m.State == policy.Active || m.State == policy.Quarantined || m.State == policy.Shadowing,
			State:  m.State.String(), Of: m.Of, OnFailure: m.OnFailure, Optional: m.Optional, Error: m.Error, Notice: m.Notice,
			Calls: m.Calls, Faults: m.Faults, Traps: m.Traps, PassedOver: m.PassedOver, Removed: m.Removed, Refused: m.Refused, Fuel: m.Fuel, Reloads: m.Reloads, Rollback: m.Rollback,
		}
		if shown.Name == "" {
			shown.Name = m.File
		}
		if m.Last != nil {
			shown.LastFault = &api.ModuleFault{At: m.Last.At, Module: m.Last.Module, Kind: m.Last.Kind, App: m.Last.App, Cause: m.Last.Cause, Trap: m.Last.Trap}
		}
		if m.Builtin {
			shown.Form = "builtin"
		} else {
			showModule(&shown, &m)
		}
		out = append(out, shown)
	}
	return out
}

// showModule adds what is known of modules alone.
func showModule(shown *api.Module, m *policy.Module) {
	shown.Mode, shown.Env, shown.Differs = m.Mode.String(), m.Env, m.Differs
	if c := m.Choice; c != nil {
		shown.Choice = &api.ModuleChoice{Mode: c.Mode, Of: c.Of, From: c.From, At: c.At}
	}
	if m.File == "" {
		shown.Ref = m.Ref
	}
	if len(m.Rules) > 0 {
		shown.MaxStaleness = cmp.Or(m.MaxStaleness, driver.DefaultStaleness).Seconds()
	}
	if shown.Name == "" {
		shown.Name = m.ID
	}
	if shown.Loaded {
		shown.Breaker = &api.ModuleBreaker{State: "closed"}
		if !m.NextTry.IsZero() {
			shown.Breaker = &api.ModuleBreaker{State: "open", NextTry: &m.NextTry}
		}
		shown.Cost = &api.ModuleCost{
			FuelP50: m.Cost.FuelP50, FuelP99: m.Cost.FuelP99, MicrosP50: micros(m.Cost.TimeP50), MicrosP99: micros(m.Cost.TimeP99),
		}
	}
	if c := m.Compared; c != nil {
		shown.Compared = &api.ModuleShadow{
			Compared: c.Compared, Disagreements: c.Disagreements, Distinct: c.Distinct, Dropped: c.Dropped, Faults: c.Faults,
			FuelRatio: c.FuelRatio, TimeRatio: c.TimeRatio,
		}
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
