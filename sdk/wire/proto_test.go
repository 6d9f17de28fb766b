package wire_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// idl compiles the reference of all messages.
func idl(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{".."}}}
	files, err := compiler.Compile(context.Background(), "policy.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

// sample is one message: as JSON, which a protobuf library makes a message of, and
// as the bytes that this package writes.
type sample struct {
	message string
	json    string
	bytes   []byte
	back    func([]byte) (any, error)
	value   any // what back has to give
}

func sampleOf[M any](message string, value M, write func([]byte, M) []byte, read func([]byte) (M, error), json string) sample {
	return sample{message, json, write(nil, value), func(b []byte) (any, error) { return read(b) }, value}
}

const appJSON = `{"id":"/a","version":"2020-01-01T00:00:00.000Z","instances":300,"role":"r","labels":{"a":"1","":"x","b":""}}`

func samples() []sample {
	app := sdk.AppFacts{
		ID: "/a", Version: "2020-01-01T00:00:00.000Z", Instances: 300, Role: "r", Labels: map[string]string{"a": "1", "": "x", "b": ""},
	}
	return append(append(callSamples(), constraintSamples(app)...), kindSamples(app)...)
}

// callSamples are the messages that every kind needs.
func callSamples() []sample {
	return []sample{
		sampleOf("HostInfo", wire.HostInfo{Minor: 1, Settings: "{}"}, wire.AppendHostInfo, wire.DecodeHostInfo, `{"abiMinor":1,"settings":"{}"}`),
		sampleOf("Description", wire.Description{
			Minor: 1, Name: "n", Version: "1.0.0", Operators: []string{"A", "B"}, Fetchers: []string{"f"}, Strategies: []string{"s"},
			Rules: []string{"r"}, Admission: []string{"a"},
		}, wire.AppendDescription, wire.DecodeDescription, `{"abiMinor":1,"name":"n","version":"1.0.0","constraintOperators":["A","B"],
			"fetchPolicies":["f"],"upgradeStrategies":["s"],"healthRules":["r"],"admissionPolicies":["a"]}`),
		sampleOf("Error", wire.Error{Code: wire.Invalid, Reason: "no"}, wire.AppendError, wire.DecodeError, `{"code":"INVALID","reason":"no"}`),
		sampleOf("Error", wire.Error{Code: wire.Fault}, wire.AppendError, wire.DecodeError, `{"code":"FAULT"}`),
		sampleOf("Question", wire.Question{Handle: 300, Input: []byte{0, 255}}, wire.AppendQuestion, wire.DecodeQuestion, `{"handle":300,"input":"AP8="}`),
		sampleOf("Call", wire.Call{Method: "ConstraintEvaluate", Input: []byte{0, 255}, TimeoutMicros: 1 << 40}, wire.AppendCall, wire.DecodeCall,
			`{"method":"ConstraintEvaluate","input":"AP8=","timeoutMicros":"1099511627776"}`),
		sampleOf("Reply", wire.Reply{Output: []byte{1}}, wire.AppendReply, wire.DecodeReply, `{"output":"AQ=="}`),
		sampleOf("Reply", wire.Reply{Code: 13, Reason: "grün"}, wire.AppendReply, wire.DecodeReply, `{"code":13,"reason":"grün"}`),
		sampleOf("ReleaseRequest", 1<<31, wire.AppendRelease, wire.DecodeRelease, `{"handle":2147483648}`),
		sampleOf("Prepared", wire.Prepared{Handle: 7}, wire.AppendPrepared, wire.DecodePrepared, `{"handle":7}`),
	}
}

func constraintSamples(app sdk.AppFacts) []sample {
	input := sdk.ConstraintInput{Values: []string{"", "r1", "", "grün"}, Placed: []uint32{0, 2, 0, 1}, First: 3, Instances: 5}
	decodeInput := func(b []byte) (sdk.ConstraintInput, error) { return new(wire.InputDecoder).Decode(b) }
	decodeAnswer := func(b []byte) (sdk.ConstraintAnswer, error) { return wire.DecodeAnswer(b, 3) }
	return []sample{
		sampleOf("ConstraintSpec", sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: "v", HasValue: true, App: app},
			wire.AppendSpec, wire.DecodeSpec, `{"field":"rack","operator":"LIKE","value":"v","hasValue":true,"app":`+appJSON+`}`),
		sampleOf("ConstraintSpec", sdk.ConstraintSpec{}, wire.AppendSpec, wire.DecodeSpec, `{"app":{}}`),
		sampleOf("PreparedConstraint", wire.Prepared{Handle: 1, Traits: sdk.Stateful}, wire.AppendPrepared, wire.DecodePrepared,
			`{"handle":1,"traits":2}`),
		sampleOf("ConstraintInput", input, wire.AppendInput, decodeInput,
			`{"column":{"data":"cjFncsO8bg==","off":[0,0,2,2,7]},"placed":[0,2,0,1],"first":4,"instances":5}`),
		sampleOf("ConstraintAnswer", sdk.ConstraintAnswer{Quota: []uint32{0, 1, sdk.Unlimited}, Flags: sdk.Refill, Reason: "full"},
			wire.AppendAnswer, decodeAnswer, `{"quota":[0,1,4294967295],"flags":4,"reason":"full"}`),
	}
}

func kindSamples(app sdk.AppFacts) []sample {
	uri := sdk.FetchURI{URI: "http://a/b", Extract: true, Executable: true, Cache: true, DestPath: "c"}
	const uriJSON = `{"uri":"http://a/b","extract":true,"executable":true,"cache":true,"destPath":"c"}`
	decisions := func(b []byte) ([]sdk.FetchDecision, error) { return wire.DecodeFetchAnswer(b, 2) }
	verdicts := func(b []byte) ([]sdk.HealthVerdict, error) { return wire.DecodeHealthAnswer(b, 3) }
	return []sample{
		sampleOf("FetchSpec", sdk.FetchSpec{Policy: "p", Settings: "s", App: app, Enforced: true}, wire.AppendFetchSpec, wire.DecodeFetchSpec,
			`{"policy":"p","settings":"s","app":`+appJSON+`,"enforced":true}`),
		sampleOf("FetchInput", []sdk.FetchURI{uri, {}}, wire.AppendFetchInput, wire.DecodeFetchInput, `{"uris":[`+uriJSON+`,{}]}`),
		sampleOf("FetchAnswer", []sdk.FetchDecision{
			{FetchURI: uri, SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 1 << 40, Entries: 2, Depth: 3, Ratio: 4}}, sdk.DenyFetch("no"),
		}, wire.AppendFetchAnswer, decisions, `{"decisions":[{"fetch":`+uriJSON+`,"sha256":"ab",
			"limits":{"bytes":"1099511627776","entries":2,"depth":3,"ratio":4}},{"denied":true,"reason":"no"}]}`),
		sampleOf("UpgradeSpec", sdk.UpgradeSpec{Strategy: "s", App: app, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1}, wire.AppendUpgradeSpec, wire.DecodeUpgradeSpec,
			`{"strategy":"s","app":`+appJSON+`,"minimumHealthCapacity":0.5,"maximumOverCapacity":1}`),
		sampleOf("UpgradeState", sdk.UpgradeState{
			Instances: 1, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 0.25, MinHealthy: 2, MaxTotal: 3, Old: 4, OldDying: 5, OldHealthy: 6,
			New: 7, NewHealthy: 8, NewReady: 9, Millis: 1 << 40, Memory: []byte{0, 1}, Promotions: 10, NowMillis: 1 << 41, Undoes: true,
		}, wire.AppendUpgradeState, wire.DecodeUpgradeState, `{"instances":1,"minimumHealthCapacity":0.5,"maximumOverCapacity":0.25,
			"minHealthy":2,"maxTotal":3,"old":4,"oldDying":5,"oldHealthy":6,"new":7,"newHealthy":8,"newReady":9,
			"millis":"1099511627776","memory":"AAE=","promotions":10,"nowMillis":"2199023255552","undoes":true}`),
		sampleOf("UpgradeStep", sdk.UpgradeStep{Start: 1, Kill: 2, AskAfterMillis: 3, Outcome: sdk.RollBack, Reason: "r", Memory: []byte{9}},
			wire.AppendUpgradeStep, wire.DecodeUpgradeStep,
			`{"start":1,"kill":2,"askAfterMillis":"3","outcome":"ROLL_BACK","reason":"r","memory":"CQ=="}`),
		sampleOf("UpgradeStep", sdk.UpgradeStep{Outcome: sdk.Pause}, wire.AppendUpgradeStep, wire.DecodeUpgradeStep, `{"outcome":"PAUSE"}`),
		sampleOf("HealthSpec", sdk.HealthSpec{Rule: "r", App: app, Checks: []sdk.HealthCheck{
			{Protocol: "HTTP", IntervalMillis: 1, TimeoutMillis: 2, GraceMillis: 3, MaxConsecutiveFailures: 4, ByMesos: true}, {},
		}}, wire.AppendHealthSpec, wire.DecodeHealthSpec, `{"rule":"r","app":`+appJSON+`,"checks":[{"protocol":"HTTP","intervalMillis":"1",
			"timeoutMillis":"2","graceMillis":"3","maxConsecutiveFailures":4,"byMesos":true},{}]}`),
		sampleOf("HealthInput", []sdk.HealthHistory{{Check: 1, AgeMillis: 2, HealthRecord: sdk.HealthRecord{
			FirstSuccess: 3, LastSuccess: 4, LastFailure: 5, LastFailureCause: "c", ConsecutiveFailures: 6, Recent: 1<<63 | 1, Results: 64,
		}}, {}}, wire.AppendHealthInput, wire.DecodeHealthInput, `{"histories":[{"check":1,"ageMillis":"2","firstSuccess":"3","lastSuccess":"4",
			"lastFailure":"5","lastFailureCause":"c","consecutiveFailures":6,"recent":"9223372036854775809","results":64},{}]}`),
		sampleOf("HealthAnswer", []sdk.HealthVerdict{{State: sdk.Unhealthy, Replace: true, Reason: "r"}, {}, {State: sdk.Healthy}},
			wire.AppendHealthAnswer, verdicts, `{"verdicts":[{"state":"UNHEALTHY","replace":true,"reason":"r"},{},{"state":"HEALTHY"}]}`),
		sampleOf("AdmissionRequest", sdk.AdmissionRequest{
			Policy: "p", Settings: "s", Verb: sdk.AdmissionDelete, Subject: sdk.AdmissionGroup, ID: "/a", Old: []byte("{}"), New: []byte("[]"),
			User: "u", Force: true, NowMillis: 5, Above: []sdk.GroupUse{{ID: "/", Apps: 1, Instances: 2, CPUs: 0.1, Mem: 3, Disk: 4, GPUs: 5}, {}},
		}, wire.AppendAdmissionRequest, wire.DecodeAdmissionRequest, `{"policy":"p","settings":"s","verb":"DELETE","subject":"GROUP","id":"/a",
			"old":"e30=","new":"W10=","user":"u","force":true,"nowMillis":"5",
			"above":[{"id":"/","apps":1,"instances":2,"cpus":0.1,"mem":3,"disk":4,"gpus":5},{}]}`),
		sampleOf("AdmissionRequest", sdk.AdmissionRequest{Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp},
			wire.AppendAdmissionRequest, wire.DecodeAdmissionRequest, `{"verb":"CREATE","subject":"APP"}`),
		sampleOf("AdmissionReview", sdk.AdmissionReview{Denied: true, Reason: "r", Path: "/cpus", Amended: []byte("{}"), Warnings: []string{"a", ""}},
			wire.AppendAdmissionReview, wire.DecodeAdmissionReview,
			`{"denied":true,"reason":"r","path":"/cpus","amended":"e30=","warnings":["a",""]}`),
	}
}

// What this package writes is, byte for byte, what a protobuf library writes of the
// reference, and each reads the other's.
func TestBytesAreThoseOfTheReference(t *testing.T) {
	messages := idl(t).Messages()
	for _, s := range samples() {
		descriptor := messages.ByName(protoreflect.Name(s.message))
		if descriptor == nil {
			t.Errorf("%s: not in the reference", s.message)
			continue
		}
		want := dynamicpb.NewMessage(descriptor)
		if err := protojson.Unmarshal([]byte(s.json), want); err != nil {
			t.Errorf("%s: %v", s.message, err)
			continue
		}
		theirs, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
		if diff := cmp.Diff(theirs, s.bytes); diff != "" || err != nil {
			t.Errorf("%s: %v other bytes (-library +wire):\n%s", s.message, err, diff)
		}
		got := dynamicpb.NewMessage(descriptor)
		if err := proto.Unmarshal(s.bytes, got); err != nil || !proto.Equal(want, got) {
			t.Errorf("%s: %v; the library reads %v, want %v", s.message, err, got, want)
		}
		back, err := s.back(theirs)
		if diff := cmp.Diff(s.value, back); diff != "" || err != nil {
			t.Errorf("%s: %v back (-want +got):\n%s", s.message, err, diff)
		}
	}
}

// Every field of the reference is in one of the samples above, apart from those that
// a host of this version never sends.
func TestSamplesHaveEveryField(t *testing.T) {
	unsent := []string{"Column.name", "Column.idx"}
	messages := idl(t).Messages()
	seen := map[protoreflect.FullName]bool{}
	for _, s := range samples() {
		message := dynamicpb.NewMessage(messages.ByName(protoreflect.Name(s.message)))
		if err := proto.Unmarshal(s.bytes, message); err != nil {
			t.Fatal(err)
		}
		note(message, seen)
	}
	for i := range messages.Len() {
		fields := messages.Get(i).Fields()
		for j := range fields.Len() {
			name := fields.Get(j).FullName()
			short := strings.TrimPrefix(string(name), "pacer.policy.v1.")
			if want := short != unsent[0] && short != unsent[1]; seen[name] != want {
				t.Errorf("%s: in a sample: %v, want %v", short, seen[name], want)
			}
		}
	}
}

// note adds the fields that the message has, and those of what is in it.
func note(message protoreflect.Message, seen map[protoreflect.FullName]bool) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		seen[field.FullName()] = true
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				note(value.List().Get(i).Message(), seen)
			}
		default:
			note(value.Message(), seen)
		}
		return true
	})
}

// A column with a name and with rows, as a later host may send it, is read for what
// this version knows of it; so are numbers that are not packed.
func TestLaterColumnsAreRead(t *testing.T) {
	message := dynamicpb.NewMessage(idl(t).Messages().ByName("ConstraintInput"))
	const later = `{"column":{"name":"rack","data":"cjE=","off":[0,0,2],"idx":[1,1,0]},"placed":[0,2],"first":2}`
	if err := protojson.Unmarshal([]byte(later), message); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, 2<<3|5, 9, 0, 0, 0) // a third count for two values
	if _, err := new(wire.InputDecoder).Decode(b); err == nil {
		t.Error("a number that is not packed was not counted")
	}
	got, err := new(wire.InputDecoder).Decode(b[:len(b)-5])
	want := sdk.ConstraintInput{Values: []string{"", "r1"}, Placed: []uint32{0, 2}, First: 1}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}
