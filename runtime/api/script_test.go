package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestScripts runs testdata: requests, and the status, headers and body of their
// answers, against the real core.
//
//	config [features=(F,…)] [role=R] [network=N] [bridge=B] [enforce] [deployments=N] [ports=N]
//	                           begins anew with other settings
//	http                       a request as it goes over the wire; the body after an empty line;
//	                           "uuid-N" and "token-N" are values that answers have shown by these numbers
//	offer host=H [count=2]     offers of 4 cores, 4 GiB, a hundred ports from 31000 on
//	status task=T state=S      a task state of a task that nobody knows
//	status app=A [n=N] state=S [message=M] [healthy=true|false] [ip=I] [check=(K,C)]
//	                           a task state of the app's n-th instance, its container's address, and what
//	                           its check (http, tcp, command or none) found
//	at +D                      time passes
//	master up|down             the subscription
//	message executor=E text=T  an executor's, on the agent of h1
//	lead | standby [leader=L]  this node's part
//	options [credentials=U:P] [realm=R] [origin=O] [prefix=P] [no-prometheus] [callbacks] [admission]
//	                           how the server was started; what is left out is as by default
//	why app=A                  state and text of why
//	terms                      what the deployments under way were asked for with
//	fail                       the next command is not answered
//	follow [type=T]            attach to the event stream
//	events                     what came since
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		p := &player{world: newWorld(scriptConfig)}
		datadriven.RunTest(t, path, p.play)
	})
}

// scriptConfig knows one operator, one strategy, one module and two numbers of other parts.
func scriptConfig(c *Config) {
	c.CheckFetch = func(_ context.Context, app *spec.App) (decisions []sdk.FetchDecision, err error) {
		for _, a := range app.Fetch {
			d := sdk.AllowFetch(sdk.FetchURI(a))
			switch {
			case strings.HasPrefix(a.URI, "ftp:"):
				d = sdk.DenyFetch("denied by the fetch policy schemes: the scheme ftp is forbidden")
			case strings.HasPrefix(a.URI, "broken:"):
				return nil, &sdk.Fault{Module: "zoo@1.0.0", Cause: "fuel exhausted"}
			}
			decisions = append(decisions, d)
		}
		return decisions, nil
	}
	c.CheckConstraint = func(_ context.Context, _ *spec.App, constraint spec.Constraint) error {
		if constraint.Operator != "UNIQUE" {
			return &sdk.Invalid{Message: "operator must be one of the following UNIQUE"}
		}
		return nil
	}
	c.CheckStrategy = func(_ context.Context, app *spec.App) error {
		_, err := prepareUpgrade(app)
		return err
	}
	c.ForeseeUpgrade = func(ctx context.Context, app *spec.App, old int) (*deployment.Halt, error) {
		prepared, err := prepareUpgrade(app)
		if err != nil {
			return nil, err
		}
		return deployment.Forecast(app, old, func(s sdk.UpgradeState) (sdk.UpgradeStep, error) { return prepared.Next(ctx, s) })
	}
	c.CheckRule = func(ctx context.Context, app *spec.App) error {
		for _, r := range health.All() {
			if r.Rules()[0] == app.Labels[spec.HealthRuleLabel] {
				_, err := r.Prepare(ctx, sdk.HealthSpec{App: sdk.AppFacts{Labels: app.Labels}})
				return err
			}
		}
		if app.Labels[spec.HealthRuleLabel] == brokenRule {
			return nil
		}
		return &sdk.Invalid{Message: "health rule must be one of the following consecutive or window"}
	}
	c.Rules = func(_ context.Context, app *spec.App) ([]placement.Rule, func()) { return scriptRules(app), func() {} }
	c.Modules = func() []Module {
		return []Module{
			{Name: "unique", Version: "1.0.0", Kind: "constraint", Form: "builtin", Operators: []string{"UNIQUE"}, Loaded: true},
			{Name: "builtin", Version: "1.0.0", Kind: "health", Form: "builtin", Rules: []string{"consecutive", "window"}, Loaded: true},
			{Name: "builtin", Version: "1.0.0", Kind: "upgrade", Form: "builtin", Strategies: []string{"rolling", "batch"}, Loaded: true},
			{
				ID: "zoo", Name: "zoo", Version: "1.0.0", Kind: "constraint", Form: "wasm", File: "zoo.wasm", Digest: "sha256:01",
				Operators: []string{"ZOO"}, Loaded: true, Error: "constraint_evaluate: fuel exhausted", Calls: 7, Faults: 2, Fuel: 90_000,
			},
			{Name: "broken", File: "broken.wasm", Version: "0.1.0", Kind: "constraint", Form: "wasm", Digest: "sha256:00", Error: "not a module"},
		}
	}
	c.PolicyModules = scriptModules{}
	c.Metrics = func() []Metric {
		return []Metric{
			{Name: "pacer_policy_calls_total", Help: "Calls into policies.", Counter: true, Value: 7, Labels: map[string]string{"module": "zoo"}},
			{Name: "pacer_policy_calls_total", Help: "Calls into policies.", Counter: true, Labels: map[string]string{"module": "broken"}},
			{Name: "pacer_store_commits_total", Help: "Transactions.", Counter: true, Value: 3},
			{Name: "pacer_store_segments", Help: "Live segments.", Value: 2},
		}
	}
	c.MaxBodyBytes = 2000
	c.Sandboxes = &fakeAgents{}
	c.Options = map[string]any{"framework_name": "marathon", "http_credentials": "xxxxxxxx"}
	c.Loggers = &scriptLoggers{levels: map[string]string{"ROOT": "INFO", "api": "INFO (inherited)"}}
}

// scriptLoggers keeps what it is told.
type scriptLoggers struct{ levels map[string]string }

func (l *scriptLoggers) Levels() map[string]string { return l.levels }

func (l *scriptLoggers) SetLevel(name, level string, during time.Duration) {
	l.levels[name] = strings.ToUpper(level)
	if during > 0 {
		l.levels[name] += " for " + during.String()
	}
}

// player carries out the commands of one file.
type player struct {
	*world
	stream *stream
	chosen []string // random values so far, in the order in which they came up
	tokens []string // of plans, likewise
}

// play carries out one command. Instance ids and host ports are the core's to
// choose, so the answer shows them by number.
func (p *player) play(t *testing.T, d *datadriven.TestData) string {
	random := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b310[0-9]{2}\b`)
	answer := regexp.MustCompile(`"token": ?"[A-Za-z0-9_-]+"`).ReplaceAllStringFunc(p.answer(t, d), func(field string) string {
		p.tokens = append(p.tokens, strings.Split(field, `"`)[3])
		return fmt.Sprintf(`"token": "token-%d"`, len(p.tokens)-1)
	})
	return random.ReplaceAllStringFunc(answer, func(value string) string {
		n := slices.Index(p.chosen, value)
		if n < 0 {
			n = len(p.chosen)
			p.chosen = append(p.chosen, value)
		}
		kind, _, _ := strings.Cut(value, "-")
		if len(kind) == 8 {
			return fmt.Sprintf("uuid-%d", n)
		}
		return fmt.Sprintf("port-%d", n)
	})
}

// restore puts in the values for which numbers are shown.
func (p *player) restore(text string) string {
	return regexp.MustCompile(`(uuid|token)-[0-9]+`).ReplaceAllStringFunc(text, func(name string) string {
		kind, number, _ := strings.Cut(name, "-")
		values := p.chosen
		if kind == "token" {
			values = p.tokens
		}
		n, err := strconv.Atoi(number)
		if err != nil || n >= len(values) {
			return name
		}
		return values[n]
	})
}

func (p *player) answer(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "http":
		return p.request(t, p.restore(d.Input))
	case "config":
		p.world = configured(t, d)
	case "offer":
		host, count := "", 1
		d.ScanArgs(t, "host", &host)
		d.MaybeScanArgs(t, "count", &count)
		p.offersOf(host, count)
	case "status":
		return p.playStatus(t, d)
	case "ready":
		p.playReady(t, d)
	case "at":
		step, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		p.advance(step)
	case "message":
		m := scheduler.FrameworkMessage{AgentID: "agent-h1"}
		d.ScanArgs(t, "executor", &m.ExecutorID)
		d.ScanArgs(t, "text", &m.Data)
		p.step(m)
	case "master":
		p.step(scheduler.Disconnected{})
		if d.CmdArgs[0].Key == "up" {
			p.step(scheduler.Subscribed{FrameworkID: "framework-1", MasterID: "m1", MasterHost: "master", MasterURL: "http://master:5050"})
		}
	case "lead":
		p.setLeader(true, address)
	case "standby":
		leader := ""
		d.MaybeScanArgs(t, "leader", &leader)
		p.setLeader(false, leader)
	case "options":
		p.handler = New(p.playOptions(t, d))
	case "why":
		return p.why(t, d)
	case "terms":
		var b strings.Builder
		for _, view := range p.Snapshot().Deployments {
			fmt.Fprintf(&b, "%s timeout=%s rollback=%t by=%s@%s\n", view.Plan.ID, view.Terms.Timeout, view.Terms.RollBack,
				view.Terms.By.User, view.Terms.By.Address)
		}
		return b.String()
	case "fail":
		p.fail = errors.New("the term is over")
	case "follow":
		var only []string
		d.MaybeScanArgs(t, "type", &only)
		p.stream = p.events.attach("10.1.1.1", only)
	case "events":
		return readable(t, p.stream.take(nil))
	default:
		t.Fatalf("no command %s", d.Cmd)
	}
	return ""
}

// configured returns a world with the settings of a command.
func configured(t *testing.T, d *datadriven.TestData) *world {
	settings, core := spec.Settings{EnforceNewGroups: d.HasArg("enforce")}, scheduler.Config{Principal: "pacer", EnforceRole: d.HasArg("enforce")}
	d.MaybeScanArgs(t, "role", &settings.Role)
	d.MaybeScanArgs(t, "network", &settings.DefaultNetwork)
	d.MaybeScanArgs(t, "bridge", &settings.BridgeName)
	d.MaybeScanArgs(t, "features", &settings.Features)
	d.MaybeScanArgs(t, "deployments", &core.MaxDeployments)
	if ports := 0; d.MaybeScanArgs(t, "ports", &ports) {
		core.FirstPort, core.LastPort = 10000, 10000+ports-1
	}
	core.Role = settings.Role
	return newWorldOf(core, func(c *Config) {
		scriptConfig(c)
		c.Settings, c.MaxBodyBytes = settings, 0
	})
}

func (p *player) playOptions(t *testing.T, d *datadriven.TestData) Config {
	c := p.config
	if d.HasArg("admission") {
		c.Admit = scriptAdmission
	}
	var credentials string
	d.MaybeScanArgs(t, "credentials", &credentials)
	if credentials != "" {
		var err error
		if c.HTTP.User, c.HTTP.Password, err = ParseCredentials(credentials); err != nil {
			t.Fatal(err)
		}
	}
	d.MaybeScanArgs(t, "realm", &c.HTTP.Realm)
	d.MaybeScanArgs(t, "origin", &c.HTTP.AllowOrigin)
	d.MaybeScanArgs(t, "prefix", &c.MetricsPrefix)
	c.NoPrometheus, c.Callbacks = d.HasArg("no-prometheus"), d.HasArg("callbacks")
	return c
}

func (p *player) playStatus(t *testing.T, d *datadriven.TestData) string {
	var app, message string
	n := 0
	d.MaybeScanArgs(t, "n", &n)
	d.MaybeScanArgs(t, "message", &message)
	var name string
	d.ScanArgs(t, "state", &name)
	if task := ""; d.MaybeScanArgs(t, "task", &task) {
		p.step(scheduler.StatusUpdate{Status: scheduler.Status{TaskID: task, AgentID: "agent-h1", State: state(name), UUID: [16]byte{1}}})
		return ""
	}
	d.ScanArgs(t, "app", &app)
	var healthy []bool
	if d.HasArg("healthy") {
		healthy = make([]bool, 1)
		d.ScanArgs(t, "healthy", &healthy[0])
	}
	p.check = nil
	if d.HasArg("check") {
		p.check = &scheduler.CheckResult{}
		var kind string
		d.ScanArgs(t, "check", &kind, &p.check.Code)
		p.check.Kind = map[string]scheduler.CheckKind{
			"none": scheduler.CheckSilent, "http": scheduler.CheckHTTP, "tcp": scheduler.CheckTCP, "command": scheduler.CheckCommand,
		}[kind]
	}
	p.ips = nil
	d.MaybeScanArgs(t, "ip", &p.ips)
	if err := p.status(spec.PathID(app), n, state(name), message, healthy...); err != nil {
		t.Fatal(err)
	}
	return ""
}

// playReady brings what the readiness check of an instance found.
func (p *player) playReady(t *testing.T, d *datadriven.TestData) {
	var app string
	n, code := 0, 0
	d.ScanArgs(t, "app", &app)
	d.MaybeScanArgs(t, "n", &n)
	d.ScanArgs(t, "status", &code)
	v, ok := p.Snapshot().Apps.Get([]byte(app))
	if !ok || n >= len(v.Instances) {
		t.Fatalf("app %s has no instance %d", app, n)
	}
	p.step(scheduler.ReadinessObserved{Results: []scheduler.ReadinessObservation{{
		TaskID: v.Instances[n].TaskID(), Ready: code == 200,
		Response: &scheduler.ReadinessResponse{Status: code, ContentType: "text/plain", Body: "\"" + http.StatusText(code) + "\""},
	}}})
}

func (p *player) why(t *testing.T, d *datadriven.TestData) string {
	var app string
	d.ScanArgs(t, "app", &app)
	code, text := send(p.world, http.MethodGet, "/pacer/v1/apps"+app+"/why", "")
	var body whyBody
	if err := json.Unmarshal([]byte(text), &body); code != http.StatusOK || err != nil {
		return fmt.Sprintf("%d %s\n", code, text)
	}
	return body.State + ": " + body.Text + "\n"
}

// request sends a request and shows its answer.
func (p *player) request(t *testing.T, text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	lines[0] += " HTTP/1.1"
	if !strings.Contains(head, "Host:") {
		lines = append(lines, "Host: api.example.com")
	}
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	wire := strings.Join(lines, "\r\n") + "\r\n\r\n" + body
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "10.9.9.9:1234"
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	return show(t, answer)
}

// alwaysThere are headers that every answer of a leader has: the script shows
// them only when they are missing or different.
func alwaysThere() map[string]string {
	return map[string]string{
		"X-Frame-Options": "DENY", "X-Xss-Protection": "1; mode=block", "Pragma": "no-cache", "Expires": "0",
		"Cache-Control": "no-cache, no-store, must-revalidate", "X-Marathon-Leader": "http://" + address,
		"Content-Type": "application/json",
	}
}

func show(t *testing.T, answer *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", answer.Code)
	usual := alwaysThere()
	for name, value := range usual {
		if answer.Header().Get(name) == "" && name != "Content-Type" {
			usual[name] = ""
			answer.Header().Set(name, "(none)")
		} else if answer.Header().Get(name) == value {
			answer.Header().Del(name)
		}
	}
	answer.Header().Del("Etag") // differs from run to run; a test of its own looks at it
	answer.Header().Del("Content-Length")
	var lines []string
	for name, values := range answer.Header() {
		lines = append(lines, fmt.Sprintf("%s: %s\n", name, strings.Join(values, " | ")))
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, ""))
	if body := answer.Body.Bytes(); json.Valid(body) {
		b.Write(layout(t, body, ""))
		b.WriteByte('\n')
	} else if bytes.Equal(body, consolePage) {
		b.WriteString("(the page of the API)\n")
	} else if len(body) > 0 {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(string(body), "\t", "→"), "\n") + "\n")
	}
	return b.String()
}

// layout breaks JSON that is too long for a line after the members of its
// outermost object or list, and those in turn.
func layout(t *testing.T, text []byte, indent string) []byte {
	t.Helper()
	if len(indent)+len(text) <= 120 || text[0] != '{' && text[0] != '[' {
		return text
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	open, err := decoder.Token()
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Appendf(nil, "%v", open)
	for n := 0; decoder.More(); n++ {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, "\n  "+indent...)
		if open == json.Delim('{') {
			name, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			out = fmt.Appendf(out, "%q: ", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, layout(t, value, indent+"  ")...)
	}
	return append(out, text[len(text)-1])
}

// readable shows frames of the stream, a line each.
func readable(t *testing.T, frames []byte) string {
	var b strings.Builder
	for frame := range bytes.SplitSeq(frames, []byte("\r\n\r\n")) {
		name, data, ok := bytes.Cut(frame, []byte("\r\ndata: "))
		if len(frame) == 0 {
			continue
		}
		if !ok || !bytes.HasPrefix(name, []byte("event: ")) || !json.Valid(data) {
			t.Fatalf("a malformed frame: %q", frame)
		}
		b.Write(layout(t, data, ""))
		b.WriteByte('\n')
	}
	return b.String()
}
