// Package launch turns an app and a placement into what Mesos is told to run:
// the task's command, environment, container, resources, ports and labels. It is pure. It
// writes the wire format itself; TaskInfo gives the same as a value of mesos-go.
package launch

import (
	"fmt"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Task is one instance that is to be started.
type Task struct {
	ID    string // the task id's text, at most 255 bytes
	App   *spec.App
	Place placement.Placement
	// EnvPrefix is put before the names of HOST and the port variables, and of
	// nothing else.
	EnvPrefix string
	// BridgeName is the CNI network of Mesos' containers on the bridge; "" means
	// "mesos-bridge".
	BridgeName string
	// EnforceGroupRole is the property of the app's top-level group.
	EnforceGroupRole bool
}

// TaskInfo is the task as Mesos describes it.
func TaskInfo(t Task) mesos.TaskInfo {
	var e Encoder
	var info mesos.TaskInfo
	if err := info.Unmarshal(e.AppendTaskInfo(nil, t)); err != nil {
		panic(fmt.Sprintf("launch: task %s was not encoded well: %v", t.ID, err))
	}
	return info
}

// Accept is the call that launches tasks on offers of one agent with a single
// operation. Refuse is for how long what they leave is not to be offered again;
// 0 means it may come back at once. The framework id is the caller's to set.
func Accept(offers []string, tasks []Task, refuse time.Duration) scheduler.Call {
	infos := make([]mesos.TaskInfo, len(tasks))
	for i, t := range tasks {
		infos[i] = TaskInfo(t)
	}
	ids := make([]mesos.OfferID, len(offers))
	for i, id := range offers {
		ids[i] = mesos.OfferID{Value: id}
	}
	seconds := refuse.Seconds()
	return scheduler.Call{
		Type: scheduler.Call_ACCEPT,
		Accept: &scheduler.Call_Accept{
			OfferIDs: ids,
			Operations: []mesos.Offer_Operation{{
				Type:   mesos.Offer_Operation_LAUNCH,
				Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos},
			}},
			Filters: &mesos.Filters{RefuseSeconds: &seconds},
		},
	}
}
