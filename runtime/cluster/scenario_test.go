package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// TestScenarios runs testdata: calls of frameworks and of operators, and the events that come of them.
//
//	cluster [agents=N] [real [docker]]
//	                          starts one; its tasks are fake ones unless it is real. The input is the resources of every
//	                          agent, and of restart those of the same agents from then on
//	restart                   ends the cluster and starts it again in the same work dir
//	fail-over                 another master; all agents register at once
//	agent lose|return|remove [n=N]
//	subscribe [as=F] [roles=(R,…)] [principal=P] [without=(CAPABILITY,…)] [manual]
//	                          a framework; "as" is for later commands. Known ones come back under their id.
//	                          manual: nothing is acknowledged by itself
//	accept [as=F] [offers=(O…)] [refuse=S]
//	                          uses the latest offer, or those named; one operation a line:
//	                            launch TASK RESOURCES [name=value…] | command
//	                              such as docker, user=U, grace=D, max=D, argv, no-command, on=AGENT,
//	                              host=PATH:PATH[:ro], label.KEY=VALUE
//	                            reserve|unreserve|create|destroy [id=ID] RESOURCES
//	                          RESOURCES are written name:value; and with commas between them. After a slash:
//	                          /static, /path=ROOT, /under=ROLE, /for=LABEL reserved with that label, /bare reserved without one, /role=R, /principal=P,
//	                          /volume=ID@PATH, with + for slashes in the path
//	decline [as=F] [offers=(O…)] [refuse=S]
//	call [as=F] type=TYPE …   REVIVE, SUPPRESS, TEARDOWN, KILL task=T, ACKNOWLEDGE task=T (its latest), RECONCILE [task=T] [agent=A],
//	                          RECONCILE_OPERATIONS [id=ID] [agent=A], ACKNOWLEDGE_OPERATION_STATUS id=ID,
//	                          ACCEPT_INVERSE_OFFERS and DECLINE_INVERSE_OFFERS with offers=(O…) [refuse=S]
//	await [as=F] KIND [n=N]   the next N events of that kind (OFFERS, OPERATION, RESCIND, FAILURE, INVERSE_OFFERS, ERROR),
//	                          or "update TASK [until=STATE]"
//	await-all [as=F] n=N      the next N events of any kind but heartbeats, in their order
//	no-more [as=F]            events that were not awaited, heartbeats aside
//	end [as=F]                waits for the end of the stream
//	file TASK NAME            a file of the task's sandbox; of a link where it leads
//	until TASK NAME           waits for a file of the task's sandbox
//	connect [as=F] [new]      subscribes once more beside the stream there is, and waits for nothing; what is shown from then
//	                          on is of the new stream if it says so
//	browse TASK               names in the task's sandbox, as its agent tells them
//	volumes                   the folders of persistent volumes
//	get|post PATH             the master's answer; the input is the body
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &scenario{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.play(d)
		})
	})
}

// scenario is a script being played.
type scenario struct {
	t          *testing.T
	cfg        cluster.Config
	cluster    *cluster.Cluster
	frameworks map[string]*actor
	ids        map[string]string // master ids, in the order they were seen
}

// actor is one framework of a scenario.
type actor struct {
	*client
	info   *mesos.FrameworkInfo
	latest []mesos.Offer // offers of the last OFFERS event that was shown

	// What acknowledges the operations whose states were shown, by their ids.
	operations map[string]*scheduler.Call_AcknowledgeOperationStatus
	statuses   map[string]*mesos.TaskStatus // the latest that was shown, by task
}

func (s *scenario) play(d *datadriven.TestData) string {
	commands := map[string]func(*datadriven.TestData) string{
		"cluster": s.start, "restart": s.restart, "fail-over": s.failOver, "agent": s.agent, "subscribe": s.subscribe,
		"accept": s.accept, "decline": s.decline, "call": s.call, "await": s.await, "await-all": s.awaitAll,
		"no-more": s.noMore, "end": s.end, "file": s.file, "get": s.http, "post": s.http, "volumes": s.volumes,
		"until": s.until, "browse": s.browse, "connect": s.connect,
	}
	do := commands[d.Cmd]
	if do == nil {
		d.Fatalf(s.t, "unknown command %s", d.Cmd)
	}
	return s.plain(do(d))
}

// arg is an argument's value, or the default.
func arg(d *datadriven.TestData, key, otherwise string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return otherwise
}

func args(d *datadriven.TestData, key string) []string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return a.Vals
		}
	}
	return nil
}

func number(d *datadriven.TestData, key string, otherwise int) int {
	n, err := strconv.Atoi(arg(d, key, strconv.Itoa(otherwise)))
	if err != nil {
		panic(err)
	}
	return n
}

// changing are numbers in answers that no two runs share.
var changing = regexp.MustCompile(`("(?:registered_time|port|timestamp":\{"nanoseconds)":)[0-9.]+`)

var runFolder = regexp.MustCompile(`/runs/[0-9a-f-]{36}`)

// plain replaces what differs between runs: ids of masters, ports, folders.
func (s *scenario) plain(text string) string {
	if s.cluster == nil {
		return text
	}
	if id := s.cluster.MasterID(); id != "" && s.ids[id] == "" { // none when it is closed
		s.ids[id] = fmt.Sprintf("m%d", len(s.ids)+1)
	}
	for id, name := range s.ids {
		text = strings.ReplaceAll(text, id, name)
	}
	for _, old := range []string{"m1-"} { // the first one's are written without it
		text = strings.ReplaceAll(text, old, "")
	}
	text = strings.ReplaceAll(text, s.cluster.Addr(), "HOST:PORT")
	text = runFolder.ReplaceAllString(text, "/runs/…")
	text = changing.ReplaceAllString(text, `$1…`)
	if s.cfg.WorkDir != "" {
		text = strings.ReplaceAll(text, s.cfg.WorkDir, "WORK")
	}
	return text
}

func (s *scenario) start(d *datadriven.TestData) string {
	s.cfg = fast()
	if d.HasArg("real") {
		s.cfg = real(s.t)
	}
	if d.HasArg("docker") {
		makeImage(s.t)
		removeContainers(s.t, s.cfg.WorkDir)
	}
	s.cfg.Agents = nil
	for i := range number(d, "agents", 1) {
		a := agentConfig(i + 1)
		if r := d.Input; r != "" {
			a.Resources = r
		}
		s.cfg.Agents = append(s.cfg.Agents, a)
	}
	s.frameworks, s.ids = map[string]*actor{}, map[string]string{}
	return s.open()
}

func (s *scenario) open() string {
	c, err := cluster.Start(s.t.Context(), s.cfg)
	if err != nil {
		return strings.ReplaceAll(err.Error(), s.cfg.WorkDir, "WORK") + "\n"
	}
	s.cluster = c
	s.t.Cleanup(c.Close)
	return ""
}

func (s *scenario) restart(d *datadriven.TestData) string {
	s.cluster.Close()
	for i := range s.cfg.Agents {
		if d.Input != "" {
			s.cfg.Agents[i].Resources = d.Input
		}
	}
	return s.open()
}

func (s *scenario) failOver(*datadriven.TestData) string {
	if err := s.cluster.FailOver(0); err != nil {
		return err.Error() + "\n"
	}
	return ""
}

func (s *scenario) agent(d *datadriven.TestData) string {
	id := s.cluster.AgentIDs()[number(d, "n", 1)-1]
	var err error
	switch {
	case d.HasArg("lose"):
		err = s.cluster.LoseAgent(id)
	case d.HasArg("return"):
		err = s.cluster.ReturnAgent(id)
	case d.HasArg("remove"):
		_, err = s.cluster.RemoveAgent(id)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	return ""
}

func (s *scenario) subscribe(d *datadriven.TestData) string {
	name := arg(d, "as", "f")
	f := s.frameworks[name]
	if f == nil {
		f = &actor{operations: map[string]*scheduler.Call_AcknowledgeOperationStatus{}, statuses: map[string]*mesos.TaskStatus{}}
		f.info = framework(func(i *mesos.FrameworkInfo) {
			if roles := args(d, "roles"); roles != nil {
				i.Roles = roles
			}
			if p := arg(d, "principal", ""); p != "" {
				i.Principal = &p
			}
			i.Capabilities = slices.DeleteFunc(i.Capabilities, func(c mesos.FrameworkInfo_Capability) bool {
				return slices.Contains(args(d, "without"), c.Type.String())
			})
		})
		s.frameworks[name] = f
	} else {
		f.info.ID = &mesos.FrameworkID{Value: f.id}
	}
	f.client = subscribe(s.t, s.cluster.Addr(), f.info)
	if d.HasArg("manual") {
		f.manually()
	}
	return ""
}

func (s *scenario) actor(d *datadriven.TestData) *actor {
	f := s.frameworks[arg(d, "as", "f")]
	if f == nil {
		d.Fatalf(s.t, "no such framework")
	}
	return f
}

func (s *scenario) end(d *datadriven.TestData) string {
	if s.actor(d).awaitEnd() {
		return "clean\n"
	}
	return "broken\n"
}

// offerIDs are those named, or those of the event shown last.
func (s *scenario) offerIDs(d *datadriven.TestData, f *actor) []mesos.OfferID {
	var out []mesos.OfferID
	if !d.HasArg("offers") {
		for _, o := range f.latest {
			out = append(out, o.ID)
		}
		return out
	}
	for _, id := range args(d, "offers") {
		for full, name := range s.ids {
			id = strings.ReplaceAll(id, name+"-", full+"-")
			if name == "m1" && len(id) < 6 {
				id = full + "-" + id
			}
		}
		out = append(out, mesos.OfferID{Value: id})
	}
	return out
}

func filters(d *datadriven.TestData) *mesos.Filters {
	text := arg(d, "refuse", "")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return &mesos.Filters{RefuseSeconds: &seconds}
}

func (s *scenario) accept(d *datadriven.TestData) string {
	f := s.actor(d)
	call := &scheduler.Call_Accept{OfferIDs: s.offerIDs(d, f), Filters: filters(d)}
	for line := range strings.SplitSeq(strings.TrimSpace(d.Input), "\n") {
		call.Operations = append(call.Operations, s.operation(f, line))
	}
	f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: call})
	return ""
}

func (s *scenario) decline(d *datadriven.TestData) string {
	f := s.actor(d)
	f.call(&scheduler.Call{
		Type: scheduler.Call_DECLINE, Decline: &scheduler.Call_Decline{OfferIDs: s.offerIDs(d, f), Filters: filters(d)},
	})
	return ""
}

// file shows a file of the sandbox, once the task has ended.
func (s *scenario) file(d *datadriven.TestData) string {
	task, name := d.CmdArgs[0].Key, d.CmdArgs[1].Key
	pattern := filepath.Join(s.cfg.WorkDir, "agent-*", "slaves", "latest", "frameworks", "*", "executors", task, "runs", "latest", name)
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return fmt.Sprintf("%d files\n", len(found))
	}
	if target, err := os.Readlink(found[0]); err == nil {
		return "-> " + target + "\n"
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return err.Error() + "\n"
	}
	return string(text)
}

// volumes lists the folders of the persistent volumes.
func (s *scenario) volumes(*datadriven.TestData) string {
	var found []string
	for _, disk := range []string{"", "*"} {
		more, _ := filepath.Glob(filepath.Join(s.cfg.WorkDir, "agent-*", disk, "volumes", "roles", "*", "*")) // a good pattern
		found = append(found, more...)
	}
	out := strings.Join(found, "\n")
	if out != "" {
		out += "\n"
	}
	return out
}

// until waits for a file that a task makes.
func (s *scenario) until(d *datadriven.TestData) string {
	task, name := d.CmdArgs[0].Key, d.CmdArgs[1].Key
	pattern := filepath.Join(s.cfg.WorkDir, "agent-*", "slaves", "latest", "frameworks", "*", "executors", task, "runs", "latest", name)
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		if found, _ := filepath.Glob(pattern); len(found) == 1 {
			return ""
		}
		if time.Now().After(deadline) {
			return "it does not come\n"
		}
	}
}

// connect subscribes under the framework's id without waiting for an answer.
func (s *scenario) connect(d *datadriven.TestData) string {
	f := s.actor(d)
	f.info.ID = &mesos.FrameworkID{Value: f.id}
	fresh := connect(s.t, s.cluster.Addr(), f.info)
	if d.HasArg("new") {
		fresh.id = f.id
		f.client = fresh
	}
	return ""
}
