// Package cluster is an embedded cluster that speaks Mesos' v1 scheduler API over loopback HTTP: one master and any
// number of agents in this process. Frameworks cannot tell it from a real one by the wire. Tasks run as real processes
// under executors that outlive the cluster (Process), or are acted out without any process for tests and scale (Fake).
//
// # Who owns what
//
// One goroutine, the loop, owns all state. HTTP handlers, followers of executors and the fault controls post functions to
// it; streams of events, launches and probes run beside it and share nothing with it but messages. The master's records
// (master, framework, agent, task, offer) and the agents themselves (host, run) are kept apart as if there were a network
// between them: an agent that is lost, or a master that fails over, only cuts the two pointers that connect the sides, and
// registration builds the master's records anew from what the agents have.
//
// # What survives
//
// An agent's id, its sandboxes, its runs and their unacknowledged updates are in the work dir. A task's executor keeps the
// end of the task on disk before anybody hears of it. A cluster that starts again therefore has its old agents, with the
// resources of running tasks taken before anything is offered, under a master with a new id; a framework that subscribes
// with its old id finds its tasks.
//
// # Differences to Mesos
//
// On purpose:
//
//   - A task that ended while the cluster was down is reported with its real exit status, not as a terminated executor.
//   - Health checks and checks are made by this process, not by the executor: there are none while the cluster is down,
//     and after a restart they begin with their delay again. By HTTP they ask as curl does, but under another user agent.
//   - Tasks of frameworks without checkpoints also survive a restart.
//   - Agents share the master's address and are told apart by the path in the url of an offer, /slave(n).
//   - Frameworks and roles take turns over the agents instead of sharing by dominant resource.
//   - The files of all agents are also reached at the master's address without an agent's path. A FIFO is not read.
//   - stdout and stderr are bounded (Config.LogBytes); what Mesos leaves to its logger modules is done by the executor.
//   - Containers are run over the Docker Engine API by this process, without an executor between: they outlive it like
//     processes do, and their ends are read from the daemon. What the daemon says of a container that it could not start is
//     part of the message. Options of "docker run" that are not known fail the task. Checks over HTTP and TCP go to the
//     container's own address, not to loopback within.
//   - A call of type UNKNOWN is answered 501; the real master ends itself.
//   - Nothing is isolated: resources are accounts, not limits. Ports are not probed before they are offered.
//   - Fetching URIs has no time limit as long as bytes arrive, and why it failed is in the task's status. What else is
//     different about it is in package fetcher.
//
// Absent, and answered in the way of a master or agent that lacks it: images of the Mesos containerizer (TASK_FAILED),
// volumes and container networks (TASK_FAILED), custom executors (TASK_ERROR), task groups (TASK_ERROR), reservations and
// volumes made at run time (OPERATION_ERROR, silence without an operation id). Absent without a trace: messages to
// executors, inverse offers and maintenance, quota, authentication.
package cluster
