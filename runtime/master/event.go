package master

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// defaultHeartbeat is the interval of masters that do not name one.
const defaultHeartbeat = 15 * time.Second

// news is what one record says.
type news struct {
	event     scheduler.Event // nil for none
	heartbeat time.Duration   // with a Subscribed
	fault     string          // of an ERROR, which ends the subscription
	remark    string          // what nobody acts on but an operator may want to read
}

// record decodes one record of the stream, which is not kept. Events of types that
// are not known are no news. OFFERS and heartbeats, which are nearly all that comes
// to an idle scheduler, do not go through mesos-go.
func (d *decoder) record(record []byte) (news, error) {
	kind, offers, ok := peek(record)
	switch {
	case !ok:
		return news{}, fmt.Errorf("event: %w", errWire)
	case kind == sched.Event_HEARTBEAT:
		return news{}, nil
	case kind == sched.Event_OFFERS:
		all, err := d.offers(offers)
		if err != nil {
			return news{}, fmt.Errorf("offers: %w", err)
		}
		return news{event: scheduler.Offers{Offers: all}}, nil
	}
	var e sched.Event
	if err := e.Unmarshal(record); err != nil {
		return news{}, fmt.Errorf("event %s: %w", kind, err)
	}
	return d.news(&e), nil
}

// peek reads the type of an event and, of OFFERS, the message.
func peek(record []byte) (kind sched.Event_Type, offers []byte, ok bool) {
	f := over(record)
	for f.next() {
		switch f.tag {
		case 1<<3 | varintWire:
			kind = sched.Event_Type(f.value)
		case 3<<3 | bytesWire:
			offers = f.bytes()
		}
	}
	return kind, offers, !f.malformed
}

// news translates what is not an OFFERS.
func (d *decoder) news(e *sched.Event) news {
	switch e.Type {
	case sched.Event_SUBSCRIBED:
		return news{event: subscribedOf(e.GetSubscribed()), heartbeat: heartbeatOf(e.GetSubscribed())}
	case sched.Event_RESCIND:
		if id := e.GetRescind().GetOfferID(); id.Value != "" {
			return news{event: scheduler.Rescinded{OfferID: id.Value}}
		}
	case sched.Event_UPDATE:
		if e.Update != nil {
			return news{event: scheduler.StatusUpdate{Status: statusOf(&e.Update.Status)}}
		}
	case sched.Event_MESSAGE:
		if m := e.Message; m != nil {
			return news{event: scheduler.FrameworkMessage{AgentID: m.AgentID.Value, ExecutorID: m.ExecutorID.Value, Data: string(m.Data)}}
		}
	case sched.Event_FAILURE:
		return d.failure(e.GetFailure())
	case sched.Event_ERROR:
		return news{fault: "the master said: " + e.GetError().GetMessage()}
	case sched.Event_INVERSE_OFFERS:
		return news{remark: fmt.Sprintf("%d inverse offers are left unanswered", len(e.GetInverseOffers().GetInverseOffers()))}
	default: // of no use to the core, or handled before
	}
	return news{}
}

// failure is the loss of an agent, or only of an executor on it, of which the
// status updates of its tasks tell.
func (d *decoder) failure(f *sched.Event_Failure) news {
	agent := f.GetAgentID().GetValue()
	if agent == "" || f.GetExecutorID() != nil {
		return news{}
	}
	d.agents.forget(agent)
	return news{event: scheduler.AgentLost{AgentID: agent}}
}

func subscribedOf(s *sched.Event_Subscribed) scheduler.Subscribed {
	info := s.GetMasterInfo()
	return scheduler.Subscribed{
		FrameworkID: s.GetFrameworkID().GetValue(),
		MasterID:    info.GetID(),
		MasterHost:  info.GetHostname(),
		MasterURL:   pages(info),
		Region:      regionOf(info.GetDomain()),
	}
}

// pages is the address of a master's own pages; "" when it tells none.
func pages(info *mesos.MasterInfo) string {
	host, port := info.GetHostname(), int64(info.GetPort())
	if a := info.GetAddress(); a != nil {
		port = int64(a.GetPort())
		if host == "" {
			host = a.GetIP()
		}
	}
	if host == "" {
		return ""
	}
	return "http://" + net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

func regionOf(d *mesos.DomainInfo) string {
	if d == nil || d.FaultDomain == nil {
		return ""
	}
	return d.FaultDomain.Region.Name
}

// heartbeatOf is the interval that the master promises.
func heartbeatOf(s *sched.Event_Subscribed) time.Duration {
	seconds := s.GetHeartbeatIntervalSeconds()
	if seconds > 0 && seconds < (24*time.Hour).Seconds() { // false for NaN
		return time.Duration(seconds * float64(time.Second))
	}
	return defaultHeartbeat
}
