package cluster

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// master is one master process' view of the cluster. A failover throws it away and makes another one, which learns of
// agents and tasks only as the agents register with it. It belongs to the loop.
type master struct {
	loop    *loop
	cfg     *Config
	log     *slog.Logger
	faults  *faults
	id      string
	info    *mesos.MasterInfo
	started time.Time
	retired bool // another master took over; late alarms must do nothing

	frameworks map[string]*framework
	order      []*framework // as they came; the allocation goes by it
	removed    map[string]bool
	frameworkN int

	agents map[string]*agent
	fleet  []*agent // as they came
	agentN int
	dirty  []*agent // their free resources or filters changed since the last allocation
	turn   int      // rotates roles and frameworks over the agents

	offers  map[string]*offer
	inverse map[string]*inverse // outstanding inverse offers
	offerN  int                 // numbers both
	upkeep  *maintenance
}

// newMaster makes a master that knows nothing yet; its batch allocation runs from here on.
func newMaster(l *loop, cfg *Config, f *faults, upkeep *maintenance, info *mesos.MasterInfo) *master {
	m := &master{
		loop: l, cfg: cfg, log: cfg.Log.With("master", info.ID), faults: f, id: info.ID, info: info, started: time.Now(),
		frameworks: map[string]*framework{}, removed: map[string]bool{}, agents: map[string]*agent{}, offers: map[string]*offer{},
		inverse: map[string]*inverse{}, upkeep: upkeep,
	}
	m.tick()
	return m
}

// after is the loop's after for as long as this master is the one.
func (m *master) after(d time.Duration, f func()) *alarm {
	return m.loop.after(d, func() {
		if !m.retired {
			f()
		}
	})
}

// tick is the batch allocation.
func (m *master) tick() {
	m.allocate()
	m.after(m.cfg.AllocationInterval, m.tick)
}

// retire breaks all connections off; the master knows nothing any more.
func (m *master) retire() {
	m.retired = true
	for _, f := range m.order {
		if f.stream != nil {
			f.stream.cut(false)
		}
	}
}

// take answers a call other than SUBSCRIBE. 202 means that it was queued, not that it had an effect.
func (m *master) take(call *scheduler.Call, streamID string) refusal {
	f := m.frameworks[call.FrameworkID.Value]
	switch {
	case f == nil:
		return refusal{http.StatusBadRequest, "Framework cannot be found"}
	case f.stream == nil:
		return refusal{http.StatusForbidden, "Framework is not subscribed"}
	case streamID == "":
		return refusal{http.StatusBadRequest, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"}
	case streamID != f.stream.id:
		return refusal{http.StatusBadRequest, fmt.Sprintf("The stream ID '%s' included in this request didn't match the "+
			"stream ID currently associated with framework ID %s", streamID, f.id)}
	case call.Type == scheduler.Call_UPDATE_FRAMEWORK:
		return m.updateFramework(f, call.UpdateFramework)
	}
	m.act(f, call)
	return refusal{status: http.StatusAccepted}
}

// act carries a valid call out. REQUEST and MESSAGE (no executor takes any) have no effect.
func (m *master) act(f *framework, call *scheduler.Call) {
	switch call.Type {
	case scheduler.Call_TEARDOWN:
		m.remove(f)
	case scheduler.Call_ACCEPT:
		m.accept(f, call.Accept)
	case scheduler.Call_DECLINE:
		m.decline(f, call.Decline)
	case scheduler.Call_REVIVE:
		m.revive(f, call.GetRevive().GetRoles())
	case scheduler.Call_SUPPRESS:
		m.suppress(f, call.GetSuppress().GetRoles())
	case scheduler.Call_KILL:
		m.kill(f, call.Kill)
	case scheduler.Call_SHUTDOWN:
		// The executor of a command task has the task's id.
		m.kill(f, &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: call.Shutdown.ExecutorID.Value}, AgentID: &call.Shutdown.AgentID})
	case scheduler.Call_ACKNOWLEDGE:
		m.acknowledge(f, call.Acknowledge)
	case scheduler.Call_RECONCILE:
		m.reconcile(f, call.Reconcile)
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		m.acknowledgeOperation(f, call.AcknowledgeOperationStatus)
	case scheduler.Call_RECONCILE_OPERATIONS:
		m.reconcileOperations(f, call.ReconcileOperations)
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		m.answerInverse(f, call.AcceptInverseOffers.InverseOfferIDs, call.AcceptInverseOffers.Filters, "ACCEPT")
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		m.answerInverse(f, call.DeclineInverseOffers.InverseOfferIDs, call.DeclineInverseOffers.Filters, "DECLINE")
	default: // REQUEST, MESSAGE
	}
}

// newID is a fresh id in the form of Mesos: the master's id, a dash, a kind and a number.
func (m *master) newID(kind string, n int) string { return m.id + "-" + kind + strconv.Itoa(n) }

func itoa(n int) string { return strconv.Itoa(n) }

// seconds is a point in time as the wire has it.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func newUUID() []byte {
	id := uuid.New()
	return id[:]
}
