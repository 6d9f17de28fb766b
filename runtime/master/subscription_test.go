package master_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// wantSubscribe is the call of TestSubscribe.
func wantSubscribe() sched.Call {
	timeout, yes, principal, host, page := 3600.0, true, "pacer", "here.local", "http://here.local:8080"
	return sched.Call{
		Type:        sched.Call_SUBSCRIBE,
		FrameworkID: &mesos.FrameworkID{Value: "f-1"},
		Subscribe: &sched.Call_Subscribe{
			FrameworkInfo: &mesos.FrameworkInfo{
				User: "nobody", Name: "pacer", ID: &mesos.FrameworkID{Value: "f-1"}, FailoverTimeout: &timeout,
				Checkpoint: &yes, Roles: []string{"web", "*"}, Hostname: &host, Principal: &principal, WebUiURL: &page,
				Capabilities: []mesos.FrameworkInfo_Capability{
					{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE},
					{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE},
					{Type: mesos.FrameworkInfo_Capability_REGION_AWARE},
					{Type: mesos.FrameworkInfo_Capability_GPU_RESOURCES},
				},
			},
			SuppressedRoles: []string{"*"},
		},
	}
}

func TestSubscribe(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), func(cfg *master.Config) {
		cfg.Framework.Roles = []string{"*"}
		cfg.Roles = func() []string { return []string{"web", "*"} }
		cfg.Framework.Hostname = "here.local"
		cfg.Framework.WebUIURL = "http://here.local:8080"
		cfg.Framework.GPUs = true
		cfg.Credential = master.Credential{Principal: "pacer", Secret: "s3"}
		cfg.FrameworkID = func() string { return "f-1" }
		cfg.SuppressedRoles = func() []string { return []string{"*", "gone"} }
	})
	s := await(t, "a SUBSCRIBE", m.streams)
	if diff := cmp.Diff(wantSubscribe(), s.call); diff != "" {
		t.Error(diff)
	}
	user, secret, _ := (&http.Request{Header: s.header}).BasicAuth()
	got := []string{s.path, s.header.Get("Accept"), s.header.Get("Mesos-Stream-Id"), user, secret}
	if diff := cmp.Diff([]string{"/api/v1/scheduler", protobuf, "", "pacer", "s3"}, got); diff != "" {
		t.Error(diff)
	}
	s.begin(t, 15*time.Second)
	wantEvent := scheduler.Subscribed{
		FrameworkID: "f-1", MasterID: "m-1", MasterHost: "master.local",
		MasterURL: "http://master.local:5050", Region: "here",
	}
	if diff := cmp.Diff(wantEvent, next[scheduler.Subscribed](r)); diff != "" {
		t.Error(diff)
	}
	r.stop()
	next[scheduler.Disconnected](r)
	if err := await(t, "the end of Run", r.ended); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// TestIDIsRemembered: the id is used again even before anybody has saved it.
func TestIDIsRemembered(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	if s.call.FrameworkID != nil {
		t.Errorf("first subscription under %v", s.call.FrameworkID)
	}
	close(s.done)
	wantCause(t, next[scheduler.Disconnected](r).Cause, "EOF")
	if s = r.subscribed(m); s.call.FrameworkID.GetValue() != "f-1" {
		t.Errorf("second subscription under %v", s.call.FrameworkID)
	}
}

func TestRedirects(t *testing.T) {
	for _, form := range []string{
		"//%s/master/api/v1/scheduler", "//%s", "http://%s/api/v1/scheduler", "https://%s/x?y=z", "%s",
	} {
		t.Run(form, func(t *testing.T) {
			standby, leader := newMaster(t), newMaster(t)
			standby.next(redirect(fmt.Sprintf(form, leader.host())))
			r := start(t, standby.host(), nil)
			s := r.subscribed(leader)
			if s.path != "/api/v1/scheduler" {
				t.Errorf("subscribed at %s", s.path)
			}
			r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
			if got := await(t, "the call", leader.calls); got.path != "/api/v1/scheduler" {
				t.Errorf("called at %s", got.path)
			}
		})
	}
}

func TestRedirectLoop(t *testing.T) {
	m := newMaster(t)
	round := redirect("//" + m.host())
	m.next(round, round, round, round, round, round) // the sixth is one too many
	m.next(redirect("/nowhere"))
	m.next(status(http.StatusServiceUnavailable, "No leader elected"), status(http.StatusNotFound, ""))
	m.next(hangUp, status(http.StatusUnauthorized, "who are you"))
	m.next(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	start(t, m.host(), nil).subscribed(m)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) != 0 {
		t.Errorf("%d answers were not asked for", len(m.answers))
	}
}

func TestBadConfig(t *testing.T) {
	_, err := master.New(master.Config{
		Framework:  master.Framework{Principal: "a", FailoverTimeout: -1},
		Credential: master.Credential{Principal: "b"},
	})
	for _, field := range []string{"name", "user", "failover timeout", "principal", "detector", "sink"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %q does not name the %s", err, field)
		}
	}
}
