package author

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// admissionTools are those of the kind admission, which prepares nothing.
type admissionTools struct{}

// isAdmission tells a file of admission vectors, which is JSON, from the others.
func isAdmission(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && (text[0] == '[' || text[0] == '{') // an object is told that a list is expected
}

func (admissionTools) read(text []byte, _ Envelope) ([]Case, error) {
	vectors, err := policytest.ReadAdmission(text)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, v := range vectors {
		name := v.Name
		if name == "" {
			name = strings.TrimSpace(v.Policy + " " + v.Settings + " " + v.Verb + " " + v.Subject + " " + v.ID)
		}
		c := Case{
			Line: 1 + bytes.Count(text[:v.At], []byte("\n")), Name: v.Policy, Text: name, at: span{v.At, v.At + len(v.Text)},
			check: asked(remote.Admission, v.Check), actual: answered(remote.Admission, v.Actual),
			answer: func(ctx context.Context, m remote.Module) (string, error) {
				return reviewed(v.Review(ctx, remote.Admission(m)))
			},
		}
		if v.Invalid == "" {
			c.sample = admissionSample(v)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// reviewed is a review without the words of messages.
func reviewed(r sdk.AdmissionReview, err error) (string, error) {
	if _, ok := errors.AsType[*sdk.Invalid](err); ok {
		return "invalid", nil
	}
	text := reviewText(&r)
	if n := len(r.Warnings); n > 0 {
		text += fmt.Sprintf(" with %d warnings", n)
	}
	return text, err
}

func reviewText(r *sdk.AdmissionReview) string {
	switch {
	case r.Denied:
		return "denied " + r.Path
	case r.Amended != nil:
		return "amended to " + string(r.Amended)
	}
	return "allowed"
}

// admissionSample is an app that is created.
func admissionSample(v policytest.AdmissionVector) *sample {
	return &sample{remote.KindAdmission, v.Policy, nil, func(int) []byte {
		app := []byte(v.New)
		if app == nil {
			app = []byte(`{"id":"/app","cpus":1,"mem":128,"instances":1,"labels":{}}`)
		}
		return wire.AppendAdmissionRequest(nil, sdk.AdmissionRequest{
			Policy: v.Policy, Settings: v.Settings, Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/app", New: app,
			User: v.User, NowMillis: v.NowMillis, Above: v.Above,
		})
	}}
}

func (admissionTools) prepare(context.Context, Builtins, []byte) (prepared, error) {
	return prepared{}, errors.New("nothing of the kind admission is prepared")
}

// review has the policy that the request names answer it.
func (admissionTools) review(ctx context.Context, of Builtins, request []byte) (sdk.AdmissionReview, error) {
	r, err := wire.DecodeAdmissionRequest(request)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	policy, err := named(of.Admissions, sdk.Admission.Policies, r.Policy)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	return policy.Review(ctx, r)
}

func (admissionTools) asker(ctx context.Context, of Builtins, _, request []byte) (asker, error) {
	r, err := wire.DecodeAdmissionRequest(request)
	if err != nil {
		return asker{}, err
	}
	policy, err := named(of.Admissions, sdk.Admission.Policies, r.Policy)
	return asker{func() error {
		_, err := policy.Review(ctx, r)
		return err
	}, func() {}}, err
}

func (admissionTools) renamed(request []byte, name string) []byte {
	r, err := wire.DecodeAdmissionRequest(request)
	if err != nil {
		return request // whoever gets it will say so
	}
	r.Policy = name
	return wire.AppendAdmissionRequest(nil, r)
}

func (admissionTools) about(request []byte) subject {
	r, err := wire.DecodeAdmissionRequest(request)
	if err != nil {
		return subject{}
	}
	return subject{r.Policy, r.Policy, r.ID}
}

func (admissionTools) items([]byte) []string { return []string{""} }

func (admissionTools) verdicts(answer []byte, _ int) []string {
	r, err := wire.DecodeAdmissionReview(answer)
	if err != nil {
		return nil
	}
	return []string{reviewText(&r)}
}

func (admissionTools) sound(answer []byte, _ int) error {
	_, err := wire.DecodeAdmissionReview(answer)
	return err
}

func (admissionTools) random(f *fuzzer, t target) question {
	verb := sdk.AdmissionVerb(1 + f.rand.IntN(3))
	r := sdk.AdmissionRequest{
		Policy: t.name, Verb: verb, Subject: sdk.AdmissionSubject(1 + f.rand.IntN(2)), ID: "/team/app", User: f.text(t),
		Force: f.rand.IntN(2) == 0, NowMillis: 1_700_000_000_000 + int64(f.rand.IntN(1<<40)),
		Above: []sdk.GroupUse{{ID: "/", Apps: 3, Instances: 9, CPUs: 4.5, Mem: 4096}, {ID: "/team", Apps: 1, Instances: uint32(f.size(1000)), CPUs: float64(f.size(100))}},
	}
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeAdmissionRequest(s.input(1)) // it is our own
		r.Settings = known.Settings
	} else if f.rand.IntN(4) > 0 {
		r.Settings = f.text(t)
	}
	if verb != sdk.AdmissionCreate {
		r.Old = f.app(t)
	}
	if verb != sdk.AdmissionDelete {
		r.New = f.app(t)
	}
	return review{r}
}

// app is a random one, as the API shows it.
func (f *fuzzer) app(t target) []byte {
	text, _ := json.Marshal(map[string]any{ // there is nothing in it that JSON has not
		"id": "/team/app", "cpus": f.size(100), "mem": f.size(100_000), "instances": f.size(500),
		"labels": map[string]string{fmt.Sprint(f.size(9)): f.text(t)},
	})
	return text
}

// review is a question about a change.
type review struct{ sdk.AdmissionRequest }

func (q review) messages() (spec, input []byte) {
	return nil, wire.AppendAdmissionRequest(nil, q.AdmissionRequest)
}

func (q review) items() int { return 1 }

// vector is a list of one, which says that the change is let through.
func (q review) vector() string {
	type group struct {
		ID        string  `json:"id"`
		Apps      uint32  `json:"apps,omitempty"`
		Instances uint32  `json:"instances,omitempty"`
		CPUs      float64 `json:"cpus,omitempty"`
		Mem       float64 `json:"mem,omitempty"`
		Disk      float64 `json:"disk,omitempty"`
		GPUs      uint32  `json:"gpus,omitempty"`
	}
	var above []group
	for _, g := range q.Above {
		above = append(above, group(g))
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode([]any{struct {
		Policy    string          `json:"policy"`
		Settings  string          `json:"settings,omitempty"`
		Verb      string          `json:"verb"`
		Subject   string          `json:"subject"`
		ID        string          `json:"id"`
		Old       json.RawMessage `json:"old,omitempty"`
		New       json.RawMessage `json:"new,omitempty"`
		User      string          `json:"user,omitempty"`
		Force     bool            `json:"force,omitempty"`
		NowMillis int64           `json:"nowMillis,omitempty"`
		Above     []group         `json:"above,omitempty"`
	}{q.Policy, q.Settings, q.Verb.String(), q.Subject.String(), q.ID, q.Old, q.New, q.User, q.Force, q.NowMillis, above}})
	if err != nil {
		return "" // no vector can ask about what is no JSON
	}
	return strings.TrimSpace(out.String())
}

func (q review) smaller() iter.Seq[question] {
	return func(yield func(question) bool) {
		for r := range smallerRequest(q.AdmissionRequest) {
			if !yield(review{r}) {
				return
			}
		}
	}
}
