package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// operation reads a line of an accept.
func (s *scenario) operation(f *actor, line string) mesos.Offer_Operation {
	line, command, _ := strings.Cut(line, "|")
	words := strings.Fields(line)
	op := mesos.Offer_Operation{}
	kind, words := words[0], words[1:]
	if id, ok := strings.CutPrefix(words[0], "id="); ok {
		op.ID, words = &mesos.OperationID{Value: id}, words[1:]
	}
	switch kind {
	case "launch":
		op.Type = mesos.Offer_Operation_LAUNCH
		op.Launch = &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{s.task(f, words, strings.TrimSpace(command))}}
	case "reserve":
		op.Type = mesos.Offer_Operation_RESERVE
		op.Reserve = &mesos.Offer_Operation_Reserve{Resources: s.resources(f, words)}
	case "unreserve":
		op.Type = mesos.Offer_Operation_UNRESERVE
		op.Unreserve = &mesos.Offer_Operation_Unreserve{Resources: s.resources(f, words)}
	case "create":
		op.Type = mesos.Offer_Operation_CREATE
		op.Create = &mesos.Offer_Operation_Create{Volumes: s.resources(f, words)}
	case "destroy":
		op.Type = mesos.Offer_Operation_DESTROY
		op.Destroy = &mesos.Offer_Operation_Destroy{Volumes: s.resources(f, words)}
	default:
		s.t.Fatalf("unknown operation %s", kind)
	}
	return op
}

// task reads the words of a launch.
func (s *scenario) task(f *actor, words []string, command string) mesos.TaskInfo {
	info := shell(words[0], command)
	info.Resources = nil
	if len(f.latest) > 0 {
		info.AgentID = f.latest[0].AgentID
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if strings.Contains(key, ":") {
			info.Resources = append(info.Resources, s.resource(f, word))
			continue
		}
		s.option(&info, key, value, command)
	}
	return info
}

// option applies one word of a launch.
func (s *scenario) option(info *mesos.TaskInfo, key, value, command string) {
	if label, ok := strings.CutPrefix(key, "label."); ok {
		if info.Labels == nil {
			info.Labels = &mesos.Labels{}
		}
		info.Labels.Labels = append(info.Labels.Labels, mesos.Label{Key: label, Value: &value})
		return
	}
	switch key {
	case "on":
		info.AgentID.Value = value
	case "grace":
		info.KillPolicy = &mesos.KillPolicy{GracePeriod: s.duration(value)}
	case "max":
		info.MaxCompletionTime = s.duration(value)
	case "argv":
		words := strings.Fields(command)
		info.Command = &mesos.CommandInfo{Shell: new(false), Value: &words[0], Arguments: words}
	case "no-command":
		info.Command = nil
	case "user":
		info.Command.User = &value
	case "docker":
		info.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{
			Image: testImage, Network: onHost.Enum(),
		}}
	case "host":
		from, to, _ := strings.Cut(value, ":")
		mode := mesos.RW
		if strings.HasSuffix(to, ":ro") {
			mode = mesos.RO
		}
		info.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []mesos.Volume{{
			HostPath: &from, ContainerPath: strings.TrimSuffix(to, ":ro"), Mode: mode.Enum(),
		}}}
	default:
		s.t.Fatalf("unknown option %s", key)
	}
}

func (s *scenario) duration(text string) *mesos.DurationInfo {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return &mesos.DurationInfo{Nanoseconds: int64(d)}
}

func (s *scenario) resources(f *actor, words []string) []mesos.Resource {
	out := make([]mesos.Resource, len(words))
	for i, word := range words {
		out[i] = s.resource(f, word)
	}
	return out
}

// wanted is what a resource of a script is to be beside its name and value.
type wanted struct {
	role, principal  string
	dynamic, static  bool
	labels           *mesos.Labels
	under            string // role of a static reservation below the dynamic one
	volume, path, at string // id, container path and root of a volume
}

// resource reads name:value with what follows after slashes.
func (s *scenario) resource(f *actor, word string) mesos.Resource {
	parts := strings.Split(word, "/")
	set, err := resource.Parse(parts[0], "")
	if err != nil || len(set) != 1 {
		s.t.Fatalf("resource %s: %v", word, err)
	}
	out := set.Proto("", resource.Shape{Refinement: true})[0]
	w := wanted{role: f.info.Roles[0], principal: f.info.GetPrincipal()}
	for _, part := range parts[1:] {
		s.want(&w, part)
	}
	var principal *string
	if w.principal != "" {
		principal = &w.principal
	}
	if w.volume != "" {
		out.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{ID: w.volume, Principal: principal},
			Volume:      &mesos.Volume{Mode: mesos.RW.Enum(), ContainerPath: w.path},
		}
	}
	if w.at != "" {
		out.Disk.Source = &mesos.Resource_DiskInfo_Source{
			Type: mesos.Resource_DiskInfo_Source_PATH, Path: &mesos.Resource_DiskInfo_Source_Path{Root: &w.at},
		}
	}
	switch {
	case w.static:
		out.Reservations = []mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &w.role}}
	case w.dynamic:
		s.reserve(f, &out, w.role, mesos.Resource_ReservationInfo{Principal: principal, Labels: w.labels})
		if w.under != "" {
			below := mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &w.under}
			out.Reservations = append([]mesos.Resource_ReservationInfo{below}, out.Reservations...)
		}
	}
	return out
}

// want reads what follows after one slash.
func (s *scenario) want(w *wanted, part string) {
	key, value, _ := strings.Cut(part, "=")
	switch key {
	case "for":
		w.dynamic, w.labels = true, &mesos.Labels{Labels: []mesos.Label{{Key: "task", Value: &value}}}
	case "bare":
		w.dynamic = true
	case "static":
		w.static = true
	case "under":
		w.dynamic, w.under = true, value
	case "role":
		w.role = value
	case "principal":
		w.principal = value
	case "path":
		w.at = value
	case "volume":
		w.volume, w.path, _ = strings.Cut(strings.ReplaceAll(value, "+", "/"), "@")
	default:
		s.t.Fatalf("unknown part %s of a resource", part)
	}
}

// reserve writes a reservation in the form that the framework would use.
func (s *scenario) reserve(f *actor, out *mesos.Resource, role string, r mesos.Resource_ReservationInfo) {
	for _, c := range f.info.Capabilities {
		if c.Type == mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT {
			r.Type, r.Role = mesos.Resource_ReservationInfo_DYNAMIC.Enum(), &role
			out.Reservations = []mesos.Resource_ReservationInfo{r}
			return
		}
	}
	out.Role, out.Reservation = &role, &r
}

// call makes one of the simple calls.
func (s *scenario) call(d *datadriven.TestData) string {
	f := s.actor(d)
	kind := arg(d, "type", "")
	call := &scheduler.Call{Type: scheduler.Call_Type(scheduler.Call_Type_value[kind])}
	var agent *mesos.AgentID
	if a := arg(d, "agent", ""); a != "" {
		agent = &mesos.AgentID{Value: s.full(a)}
	}
	switch call.Type {
	case scheduler.Call_KILL:
		call.Kill = &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: arg(d, "task", "")}, AgentID: agent}
	case scheduler.Call_RECONCILE:
		call.Reconcile = &scheduler.Call_Reconcile{}
		for _, task := range args(d, "task") {
			call.Reconcile.Tasks = append(call.Reconcile.Tasks, scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: task}, AgentID: agent})
		}
	case scheduler.Call_RECONCILE_OPERATIONS:
		call.ReconcileOperations = &scheduler.Call_ReconcileOperations{}
		for _, id := range args(d, "id") {
			call.ReconcileOperations.Operations = append(call.ReconcileOperations.Operations,
				scheduler.Call_ReconcileOperations_Operation{OperationID: mesos.OperationID{Value: id}, AgentID: agent})
		}
	case scheduler.Call_ACKNOWLEDGE:
		st := f.statuses[arg(d, "task", "")]
		call.Acknowledge = &scheduler.Call_Acknowledge{AgentID: *st.AgentID, TaskID: st.TaskID, UUID: st.UUID}
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		call.AcknowledgeOperationStatus = f.operations[arg(d, "id", "")]
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		call.AcceptInverseOffers = &scheduler.Call_AcceptInverseOffers{InverseOfferIDs: s.offerIDs(d, f), Filters: filters(d)}
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		call.DeclineInverseOffers = &scheduler.Call_DeclineInverseOffers{InverseOfferIDs: s.offerIDs(d, f), Filters: filters(d)}
	case scheduler.Call_REVIVE, scheduler.Call_SUPPRESS, scheduler.Call_TEARDOWN:
	default:
		d.Fatalf(s.t, "unknown call %q", kind)
	}
	if code, body := f.send(call); code != http.StatusAccepted {
		return fmt.Sprintf("%d %s\n", code, body)
	}
	return ""
}

// full is an agent's id of its short form.
func (s *scenario) full(short string) string {
	for id, name := range s.ids {
		if name == "m1" && !strings.Contains(short, "-") {
			return id + "-" + short
		}
		if rest, ok := strings.CutPrefix(short, name+"-"); ok {
			return id + "-" + rest
		}
	}
	return short
}

func (s *scenario) http(d *datadriven.TestData) string {
	url := "http://" + s.cluster.Addr() + d.CmdArgs[0].Key
	req, err := http.NewRequestWithContext(s.t.Context(), strings.ToUpper(d.Cmd), url, strings.NewReader(d.Input))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%d %s\n", resp.StatusCode, body)
}

// browse lists a sandbox over HTTP.
func (s *scenario) browse(d *datadriven.TestData) string {
	f, task := s.actor(d), d.CmdArgs[0].Key
	resp, err := http.Get("http://" + s.cluster.Addr() + "/slave(1)/files/browse?path=/frameworks/" + f.id + "/executors/" + task + "/runs/latest")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var files []struct{ Path, Mode string }
	if err := json.NewDecoder(resp.Body).Decode(&files); err != nil {
		s.t.Fatal(err)
	}
	var out strings.Builder
	for _, one := range files {
		fmt.Fprintf(&out, "%s %s\n", one.Mode, path.Base(one.Path))
	}
	return out.String()
}
