package wasm

import (
	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Names of the ABI that do not depend on the kinds of policy.
const (
	exportMemory     = "memory"
	exportMarker     = "policy_abi_v1"
	exportInitialize = "_initialize"
	exportBuffer     = "policy_buffer"
	exportDescribe   = "policy_describe"
	exportConfigure  = "policy_configure"

	markerPrefix = "policy_abi_v"
)

// kindExports are the names of the functions of one kind of policy. A kind without
// preparation has neither prepare nor release.
type kindExports struct {
	prepare, ask, release string
}

func exportsOf(kind remote.Kind) kindExports {
	return [remote.Kinds]kindExports{
		remote.KindConstraint: {"constraint_prepare", "constraint_evaluate", "constraint_release"},
		remote.KindFetch:      {"fetch_prepare", "fetch_decide", "fetch_release"},
		remote.KindUpgrade:    {"upgrade_prepare", "upgrade_next", "upgrade_release"},
		remote.KindHealth:     {"health_prepare", "health_judge", "health_release"},
		remote.KindAdmission:  {ask: "admission_review"},
	}[kind]
}

// signature is an export that a module has to have.
type signature struct {
	name string
	kind metering.FuncType
}

// signatures are those of every module.
func signatures() []signature {
	const i32, i64 = metering.I32, metering.I64
	return []signature{
		{exportMarker, metering.FuncType{}},
		{exportBuffer, metering.FuncType{Params: i32, Results: i32}},
		{exportDescribe, metering.FuncType{Results: i64}},
		{exportConfigure, metering.FuncType{Params: i32, Results: i64}},
	}
}

// signatures are those of a module that offers the kind.
func (e kindExports) signatures() []signature {
	const i32, i64 = metering.I32, metering.I64
	if e.prepare == "" {
		return []signature{{e.ask, metering.FuncType{Params: i32, Results: i64}}}
	}
	return []signature{
		{e.prepare, metering.FuncType{Params: i32, Results: i64}},
		{e.ask, metering.FuncType{Params: i32 + i32, Results: i64}},
		{e.release, metering.FuncType{Params: i32}},
	}
}
