// Package scheduler is the core of Pacer: a value that is told what happened and
// answers with what to do about it.
//
// The shell around it (runtime/driver) works like this, for ever:
//
//	for each event in the inbox { s.Step(now, event) }
//	effects := s.Effects(now)
//	save effects.Save; only then: calls, match, snapshot, replies, notices
//	wait for the next event, or for effects.Wake and then Step(now, Tick{})
//
// The package performs no I/O, starts no goroutine, takes no lock, reads no clock
// and draws no random number: the same events give the same effects. What is in
// Effects.Save, given to Restore, gives back the same state but for what the
// master is asked again: held offers, matches and instances that were never
// launched.
package scheduler

import (
	"time"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Config is what the core is told once. The zero value of a duration or a limit
// means the default of the flag that its comment names.
type Config struct {
	// Seed makes the ids of instances. It must be random, and another one in
	// each term.
	Seed [16]byte
	Role string // mesos_role; "" means "*"
	// Principal is the framework's, in whose name it reserves; "": it has none, and
	// apps with persistent volumes are refused.
	Principal string

	DeclineFor     time.Duration // decline_offer_duration, 120 s
	OfferHold      time.Duration // how long unused offers are kept after the last wish, 2 s; negative: not at all
	ReviveInterval time.Duration // min_revive_offers_interval, 5 s
	LaunchTimeout  time.Duration // task_launch_timeout, 300 s
	ConfirmTimeout time.Duration // task_launch_confirm_timeout, 300 s
	KillRetry      time.Duration // kill_retry_timeout, 30 s
	// ReservationTimeout is task_reservation_timeout, 20 s: a reservation that was
	// not offered by then is given up.
	ReservationTimeout time.Duration
	ReconcileRound     time.Duration // first pause between rounds, 15 s; doubles up to 8 times
	ReconcileEvery     time.Duration // reconciliation_interval, 600 s
	FirstPort          int           // local_port_min, 10000
	LastPort           int           // local_port_max, 20000
	MaxDeployments     int           // max_running_deployments, 100
	MaxVersions        int           // zk_max_versions, 50: of an app, and of the tree

	// Uncovered names the fields of an app that ask for something which no launch
	// carries out. Such an app is not launched: that would start something else
	// than what was asked for. nil: there are none.
	Uncovered func(*spec.App) []string

	DependenciesFirst bool // teardown_order=dependencies-first
	EnforceRole       bool // new_group_enforce_role=top
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	duration := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	number := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	duration(&c.DeclineFor, 120*time.Second)
	duration(&c.OfferHold, 2*time.Second)
	duration(&c.ReviveInterval, 5*time.Second)
	duration(&c.LaunchTimeout, 300*time.Second)
	duration(&c.ConfirmTimeout, 300*time.Second)
	duration(&c.KillRetry, 30*time.Second)
	duration(&c.ReservationTimeout, 20*time.Second)
	duration(&c.ReconcileRound, 15*time.Second)
	duration(&c.ReconcileEvery, 600*time.Second)
	number(&c.FirstPort, 10000)
	number(&c.LastPort, 20000)
	number(&c.MaxDeployments, 100)
	number(&c.MaxVersions, 50)
	if c.Uncovered == nil {
		c.Uncovered = func(*spec.App) []string { return nil }
	}
	if c.Role == "" {
		c.Role = "*"
	}
	return c
}

// Scheduler is the whole state and its one entry, Step. It belongs to one
// goroutine.
type Scheduler struct {
	cfg Config
	ids ids
	now spec.Timestamp

	tree        spec.Tree   // what is defined now
	revisions   []*revision // oldest first; the last one is of tree
	definitions definitions
	apps        map[spec.PathID]*app // with those that are removed and not gone yet
	members     map[UUID]*member
	deployments []*running // in the order in which they began
	ended       endedList
	ports       portBook
	questions   uint64 // of upgrades, so far

	master    masterState
	offers    offerBook
	sightings Sightings      // of offers
	voidSince spec.Timestamp // when all offers became void the last time; 0 for never
	demand    demand
	roles     roles
	rounds    rounds
	alarms    alarms
	counts    Counts
	pending   pending
	releases  map[UUID]release // by the instances whose reservations they are
	stray     bool             // the offers in hand may have something to be freed

	// agentText holds the records of the agents met while a batch is encoded.
	agentText map[*placement.Agent][]byte

	view     *iradix.Tree[*AppView]
	snapshot *Snapshot
}

// masterState is what is known of the connection.
type masterState struct {
	frameworkID string
	masterID    string
	host, url   string
	region      string
	subscribed  bool
	everInTerm  bool // a subscription was taken in this term
}

// pending are the effects of the steps since the last drain.
type pending struct {
	dirty    []string // keys to save, in the order of their first change
	isDirty  map[string]bool
	calls    []Call
	replies  []Reply
	notices  []Notice
	upgrades []*app     // whose strategies may have to be asked
	judging  []*judging // whose rules may have to be asked
	probes   []Probing
	dirtyApp []*app // whose view must be built anew
	changed  bool   // the snapshot's header must be built anew
}

// New returns the core of a framework that has no state yet.
func New(cfg Config) *Scheduler {
	cfg = cfg.withDefaults()
	return &Scheduler{
		cfg:         cfg,
		ids:         newIDs(cfg.Seed),
		definitions: newDefinitions(),
		ended:       newEndedList(),
		apps:        map[spec.PathID]*app{},
		members:     map[UUID]*member{},
		ports:       newPortBook(cfg.FirstPort, cfg.LastPort),
		offers:      newOfferBook(),
		roles:       newRoles(cfg.Role),
		rounds:      newRounds(),
		releases:    map[UUID]release{},
		pending:     pending{isDirty: map[string]bool{}, changed: true},
		agentText:   map[*placement.Agent][]byte{},
		view:        iradix.New[*AppView](),
	}
}

// FrameworkID returns the id that the next subscription must use; "" for none.
func (s *Scheduler) FrameworkID() string { return s.master.frameworkID }

// Step takes one event in. Its effects are collected until Effects is called.
// now must not go backwards; when the machine's clock does, Step stays at the
// latest time it has seen.
func (s *Scheduler) Step(now spec.Timestamp, ev Event) {
	s.now = max(now, s.now)
	s.ring()
	switch e := ev.(type) {
	case Subscribed:
		s.onSubscribed(e)
	case Disconnected:
		s.onDisconnected()
	case Offers:
		s.onOffers(e)
	case Rescinded:
		s.offers.remove(e.OfferID)
	case StatusUpdate:
		s.onStatus(&e.Status)
	case AgentLost:
		s.offers.forgetAgent(e.AgentID)
		s.sightings.forget(e.AgentID)
		s.prolongReleases(e.AgentID)
		s.pending.changed = true
	case FrameworkMessage:
		s.onMessage(e)
	case CallFailed:
		s.onCallFailed(e)
	case Matched:
		s.onMatched(e)
	case UpgradeStepped:
		s.onUpgradeStepped(e)
	case HealthObserved:
		s.onHealthObserved(e)
	case ReadinessObserved:
		s.onReadinessObserved(e)
	case HealthJudged:
		s.onHealthJudged(e)
	case ChangeTree:
		s.onChangeTree(e)
	case CancelDeployment:
		s.onCancelDeployment(e)
	case SetEnforceRole:
		s.onSetEnforceRole(e)
	case KillInstances:
		s.onKillInstances(e)
	case ResetDelay:
		s.onResetDelay(e)
	case Promote:
		s.onPromote(e)
	case PoliciesChanged:
		s.onPoliciesChanged(e)
	case Tick:
	}
}

// Effects drains what the steps since the last drain ask for.
func (s *Scheduler) Effects(now spec.Timestamp) Effects {
	s.now = max(now, s.now)
	s.ring()
	upgrades := s.serveUpgrades()
	health := s.serveJudging()
	match := s.serveDemand()
	e := Effects{
		Save:     s.drainRecords(),
		Calls:    s.pending.calls,
		Match:    match,
		Upgrades: upgrades,
		Health:   health,
		Probes:   s.pending.probes,
		Replies:  s.pending.replies,
		Notices:  s.pending.notices,
		Wake:     s.alarms.next(),
	}
	s.pending.calls, s.pending.replies, s.pending.notices, s.pending.probes = nil, nil, nil, nil
	return e
}

// ring handles every alarm that is due. A handler looks at the state as it is
// now: an alarm that has become pointless does nothing.
func (s *Scheduler) ring() {
	for {
		a, ok := s.alarms.pop(s.now)
		if !ok {
			return
		}
		switch a.kind {
		case alarmBackoff:
			s.backoffOver(a.app)
		case alarmOverdue:
			s.overdue(a.member, a.incarnation)
		case alarmKill:
			s.killAgain(a.member)
		case alarmUnreachable:
			s.judgeUnreachable(a.member)
		case alarmReconcile:
			s.reconcileRound()
		case alarmTimeout:
			s.timeout(a.deployment)
		case alarmUpgrade:
			s.upgradeAlarm(a.app)
		case alarmHealth:
			s.healthAlarm(a.app)
		case alarmDemand:
			// Looked at in serveDemand, at the end of every batch.
		case alarmPause:
			s.pauseOver(a.app)
		case alarmReservation:
			s.reservationLate(a.member)
		case alarmRelease:
			s.endReleases()
		}
	}
}

func (s *Scheduler) call(c Call)     { s.pending.calls = append(s.pending.calls, c) }
func (s *Scheduler) notify(n Notice) { s.pending.notices = append(s.pending.notices, n) }

// onSubscribed starts a subscription: earlier offers are void, and everything
// that the master may not know, or may have told nobody, is asked and said again.
func (s *Scheduler) onSubscribed(e Subscribed) {
	m := &s.master
	if m.frameworkID != e.FrameworkID {
		m.frameworkID = e.FrameworkID
		s.dirty(frameworkKey)
	}
	if m.everInTerm {
		s.notify(Reregistered{Master: e.MasterHost})
	} else {
		s.notify(Registered{FrameworkID: e.FrameworkID, Master: e.MasterHost})
	}
	m.masterID, m.host, m.url, m.region = e.MasterID, e.MasterHost, e.MasterURL, e.Region
	m.subscribed, m.everInTerm = true, true
	s.pending.changed = true
	s.offers.clear()
	s.voidSince = s.now
	s.demand.told = toldNothing
	s.roles.told = len(s.roles.all) == 1 // its own it always subscribes for
	s.killAllDoomed()
	s.rounds.begin()
	s.reconcileRound()
}

// onDisconnected forgets what belonged to the subscription.
func (s *Scheduler) onDisconnected() {
	if !s.master.subscribed {
		return
	}
	s.master.subscribed = false
	s.pending.changed = true
	s.offers.clear()
	s.voidSince = s.now
	s.notify(MasterLost{})
}

// onCallFailed settles a call that may not have arrived. What is repeated
// anyway (acknowledgements, kills, reconciliation) needs nothing here.
func (s *Scheduler) onCallFailed(e CallFailed) {
	later := s.now.Add(s.cfg.ReviveInterval)
	switch c := e.Call.(type) {
	case Accept:
		for i := range c.Tasks {
			s.doubt(c.Tasks[i].ID)
		}
		for i := range c.Free {
			if id := instanceUUID(c.Free[i].Instance); id != (UUID{}) {
				s.owe(id, release{Agent: c.Offer.Agent.ID, Role: c.Offer.Role, Until: s.now.Add(releaseDoubt)})
			}
		}
		// If the call got lost the offer is still ours; if not, declining it does nothing.
		s.offers.owe(c.Offer.IDs(), later)
		s.alarms.add(alarm{at: later, kind: alarmDemand})
	case Decline:
		s.offers.owe(c.OfferIDs, later)
		s.alarms.add(alarm{at: later, kind: alarmDemand})
	case Revive, Suppress:
		s.demand.told, s.demand.blockedUntil = toldNothing, later
		s.alarms.add(alarm{at: later, kind: alarmDemand})
	case UpdateRoles:
		s.roles.told, s.demand.told, s.demand.blockedUntil = false, toldNothing, later
		s.alarms.add(alarm{at: later, kind: alarmDemand})
	case Kill, Acknowledge, Reconcile:
	}
}

// request builds the match for the apps in wanted over the offers held.
func (s *Scheduler) request(wanted []placement.Wanted) *placement.Request {
	s.counts.Matches++
	return &placement.Request{
		Now:        s.now,
		Wanted:     wanted,
		Offers:     s.offers.list(),
		Agents:     s.offers.agents(),
		HomeRegion: s.master.region,
		Seed:       s.ids.next64(),
	}
}
