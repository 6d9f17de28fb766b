package master_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// fullStatus has every field that a master sets.
func fullStatus() mesos.TaskStatus {
	ip := func(s string) mesos.NetworkInfo {
		return mesos.NetworkInfo{IPAddresses: []mesos.NetworkInfo_IPAddress{{IPAddress: &s}, {}}}
	}
	return mesos.TaskStatus{
		TaskID: mesos.TaskID{Value: "t-1"}, AgentID: &mesos.AgentID{Value: "a-1"},
		State: new(mesos.TASK_RUNNING), Source: new(mesos.SOURCE_EXECUTOR),
		Reason: new(mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED), Message: new("up"),
		UUID: []byte("0123456789abcdef"), Timestamp: new(1.7e9 + 0.0015), Healthy: new(false),
		Data:            []byte("whatever docker says"),
		ContainerStatus: &mesos.ContainerStatus{NetworkInfos: []mesos.NetworkInfo{ip("10.0.0.1"), ip("fd00::1")}},
		UnreachableTime: &mesos.TimeInfo{Nanoseconds: 1_999_999},
	}
}

func TestStatusUpdate(t *testing.T) {
	e := sched.Event{Type: sched.Event_UPDATE, Update: &sched.Event_Update{Status: fullStatus()}}
	record, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := master.NewDecoder().Record(record)
	if err != nil {
		t.Fatal(err)
	}
	want := scheduler.StatusUpdate{Status: scheduler.Status{
		TaskID: "t-1", AgentID: "a-1", State: scheduler.TaskRunning, Source: "SOURCE_EXECUTOR",
		Reason: "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED", Message: "up", UUID: [16]byte([]byte("0123456789abcdef")),
		Timestamp: 1_700_000_000_002, Healthy: new(false), IPs: []string{"10.0.0.1", "fd00::1"}, UnreachableSince: 1,
	}}
	if diff := cmp.Diff(scheduler.Event(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestCheckResult: a check without a result is not the same as none.
func TestCheckResult(t *testing.T) {
	for name, tt := range map[string]struct {
		status *mesos.CheckStatusInfo
		want   *scheduler.CheckResult
	}{
		"none":    {nil, nil},
		"silent":  {&mesos.CheckStatusInfo{HTTP: &mesos.CheckStatusInfo_Http{}}, &scheduler.CheckResult{}},
		"empty":   {&mesos.CheckStatusInfo{}, &scheduler.CheckResult{}},
		"http":    {&mesos.CheckStatusInfo{HTTP: &mesos.CheckStatusInfo_Http{StatusCode: new(uint32(503))}}, &scheduler.CheckResult{Kind: scheduler.CheckHTTP, Code: 503}},
		"tcp":     {&mesos.CheckStatusInfo{TCP: &mesos.CheckStatusInfo_Tcp{Succeeded: new(true)}}, &scheduler.CheckResult{Kind: scheduler.CheckTCP, Code: 1}},
		"closed":  {&mesos.CheckStatusInfo{TCP: &mesos.CheckStatusInfo_Tcp{Succeeded: new(false)}}, &scheduler.CheckResult{Kind: scheduler.CheckTCP}},
		"command": {&mesos.CheckStatusInfo{Command: &mesos.CheckStatusInfo_Command{ExitCode: new(int32(-1))}}, &scheduler.CheckResult{Kind: scheduler.CheckCommand, Code: -1}},
	} {
		got := master.StatusOf(&mesos.TaskStatus{State: new(mesos.TASK_RUNNING), CheckStatus: tt.status}).Check
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestStates: the core knows every state by Mesos' own name.
func TestStates(t *testing.T) {
	for number, name := range mesos.TaskState_name {
		got := master.StatusOf(&mesos.TaskStatus{State: new(mesos.TaskState(number))})
		if got.State.String() != name {
			t.Errorf("%s became %s", name, got.State)
		}
	}
}

// TestReasons: masters' names are those of the API, without exception.
func TestReasons(t *testing.T) {
	for number, name := range mesos.TaskStatus_Reason_name {
		if got := master.StatusOf(&mesos.TaskStatus{Reason: new(mesos.TaskStatus_Reason(number))}); got.Reason != name {
			t.Errorf("%s became %q", name, got.Reason)
		}
	}
}

// TestStrangeStatus: nothing that a newer master may send is a fault.
func TestStrangeStatus(t *testing.T) {
	got := master.StatusOf(&mesos.TaskStatus{
		TaskID: mesos.TaskID{Value: "t-1"}, State: new(mesos.TaskState(77)), Message: new("odd"),
		Reason: new(mesos.TaskStatus_Reason(99)), Source: new(mesos.TaskStatus_Source(9)),
		UUID: []byte("short"), Timestamp: new(math.NaN()),
	})
	want := scheduler.Status{
		TaskID: "t-1", State: scheduler.TaskUnknown, Message: "unknown task state 77: odd",
		Reason: "REASON_99", Source: "SOURCE_9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.NeedsAck() {
		t.Error("wants to be acknowledged")
	}
}

func TestLongMessage(t *testing.T) {
	cases := map[string]struct{ sent, want string }{
		"at the limit": {strings.Repeat("ü", master.MaxMessage), strings.Repeat("ü", master.MaxMessage)},
		"beyond":       {strings.Repeat("ü", master.MaxMessage+1), strings.Repeat("ü", master.MaxMessage)},
		"no text":      {"a\xffb", "a\uFFFDb"},
	}
	for name, c := range cases {
		if got := master.StatusOf(&mesos.TaskStatus{Message: &c.sent}).Message; got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(c.want))
		}
	}
}

// TestWrittenBytes decodes events that were not made by mesos-go, field by field
// as the protocol describes them.
func TestWrittenBytes(t *testing.T) {
	tag := func(field, wire uint64) string { return string(binary.AppendUvarint(nil, field<<3|wire)) }
	text := func(field uint64, s string) string { return tag(field, 2) + string([]byte{byte(len(s))}) + s }
	number := func(field uint64, v byte) string { return tag(field, 0) + string([]byte{v}) }
	id := func(field uint64, s string) string { return text(field, text(1, s)) }
	cases := map[string]struct {
		record string
		want   scheduler.Event
		fault  string
	}{
		"heartbeat": {record: number(1, 8)},
		"future":    {record: number(1, 99) + text(20, "x")},
		"subscribed": {
			record: number(1, 1) + text(2, id(1, "f")+"\x11\x00\x00\x00\x00\x00\x00\x2e\x40"+
				text(3, text(1, "m")+number(2, 1)+number(3, 80)+text(5, "host"))),
			want: scheduler.Subscribed{FrameworkID: "f", MasterID: "m", MasterHost: "host", MasterURL: "http://host:80"},
		},
		"update": {
			record: text(5, text(1, id(1, "t")+number(2, 2)+number(9, 0)+number(10, 0)+number(77, 1))) + number(1, 4),
			want: scheduler.StatusUpdate{Status: scheduler.Status{
				TaskID: "t", State: scheduler.TaskFinished,
				Source: "SOURCE_MASTER", Reason: "REASON_COMMAND_EXECUTOR_FAILED",
			}},
		},
		"rescind":  {record: number(1, 3) + text(4, id(1, "o")), want: scheduler.Rescinded{OfferID: "o"}},
		"failure":  {record: number(1, 6) + text(7, id(1, "a")), want: scheduler.AgentLost{AgentID: "a"}},
		"executor": {record: number(1, 6) + text(7, id(1, "a")+id(2, "e")+number(3, 1))},
		"error":    {record: number(1, 7) + text(8, text(1, "no")), fault: "the master said: no"},
		"inverse":  {record: number(1, 9) + text(9, "")},
		"message": {
			record: number(1, 5) + text(6, id(1, "a")+id(2, "e")+text(3, "x\x00")),
			want:   scheduler.FrameworkMessage{AgentID: "a", ExecutorID: "e", Data: "x\x00"},
		},
	}
	for name, c := range cases {
		got, fault, err := master.NewDecoder().Record([]byte(c.record))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || fault != c.fault {
			t.Errorf("%s: fault %q, event %s", name, fault, diff)
		}
	}
}
