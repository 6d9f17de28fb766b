// A module in AssemblyScript with policies of all kinds, whose answers tell all that
// they were asked. kinds_test.go has the same policies in Go.
import {
  Admission, AdmissionRequest, AdmissionReview, AppFacts, Constraint, ConstraintAnswer, ConstraintInput, ConstraintSpec, fault, Fetch,
  FetchDecision, FetchSpec, FetchURI, Health, HealthCheck, HealthHistory, HealthSpec, HealthState, HealthVerdict, invalid, kvGet, kvPut,
  Level, log, logEnabled, metricAdd, metricObserve, nowMillis, offerAdmission, offerConstraint, offerFetch, offerHealth, offerUpgrade,
  onConfigure, policyModule, PreparedConstraint, PreparedFetch, PreparedHealth, PreparedUpgrade, rand, Traits, Upgrade, UpgradeSpec,
  UpgradeState, UpgradeStep,
} from "pacer";

export * from "pacer/exports/module";
export * from "pacer/exports/constraint";
export * from "pacer/exports/fetch";
export * from "pacer/exports/upgrade";
export * from "pacer/exports/health";
export * from "pacer/exports/admission";

let configured = "";

policyModule("kinds", "1.2.3");
offerConstraint(new EveryConstraint());
offerFetch(new EveryFetch());
offerUpgrade(new EveryUpgrade());
offerHealth(new EveryHealth());
offerAdmission(new EveryAdmission());
onConfigure((settings: string): void => {
  if (settings == '{"bad":1}') invalid("these settings are bad");
  configured = settings;
});

function about(app: AppFacts): string {
  const team = app.label("team");
  return `${app.id} ${app.version} ${app.instances} ${app.role} ${team === null ? "none" : team}`;
}

/** Tells whether nothing is wrong with what is to be prepared. */
function good(name: string, settings: string): bool {
  if (settings == "invalid") invalid("change " + name);
  else if (settings == "fault") fault("broken");
  else if (settings == "panic") throw new Error("at the prepared place");
  else if (settings == "memory") return new Uint8Array(1 << 26).length > 0;
  else return true;
  return false;
}

class EveryConstraint extends Constraint {
  operators(): string[] {
    return ["EVERY", "EVERY_TOO", "HOST"];
  }

  prepare(spec: ConstraintSpec): PreparedConstraint | null {
    if (spec.operator == "HOST") return new HostOrder(spec.value);
    return good(spec.operator, spec.value) ? new PreparedEvery(spec) : null;
  }
}

class PreparedEvery extends PreparedConstraint {
  constructor(private spec: ConstraintSpec) {
    super();
  }

  traits(): Traits {
    return Traits.Stateful;
  }

  evaluate(question: ConstraintInput, answer: ConstraintAnswer): void {
    for (let slot: u32 = 0; slot < question.slots; slot++) {
      const value = question.value(slot), size = question.size(slot);
      const last: u32 = value == "" ? 0 : load<u8>(question.at(slot) + size - 1);
      answer.quota(slot, 256 * size + last + 100000 * question.placed(slot) + u32(<i32>slot == question.first) + question.instances);
    }
    const s = this.spec;
    answer.flags = s.app.instances % 8;
    answer.reason = `${s.operator} ${s.value} ${s.field}${s.hasValue ? "=" : "!"}${about(s.app)} ${configured}`;
  }
}

/** Asks the host for something. */
class HostOrder extends PreparedConstraint {
  constructor(private order: string) {
    super();
  }

  traits(): Traits {
    return Traits.Stateful;
  }

  evaluate(question: ConstraintInput, answer: ConstraintAnswer): void {
    answer.reason = this.ask();
  }

  private ask(): string {
    const order = this.order;
    if (order == "now") return nowMillis().toString();
    if (order == "rand") return rand().toString() + " " + rand().toString();
    if (order == "put") return yes(kvPut("a", bytes("1"))) + " " + yes(kvPut("b", new Uint8Array(1000).fill(0x79)));
    if (order == "remove") return yes(kvPut("a", new Uint8Array(0)));
    if (order == "get") return `${text(kvGet("a"))} ${kvGet("b").length} ${text(kvGet("c"))}`;
    if (order == "metrics") {
      metricAdd(1, 2);
      metricObserve(2, -3.5);
    }
    if (order == "log" && logEnabled(Level.Error)) log(Level.Warning, "a line");
    return order;
  }
}

function yes(that: bool): string {
  return that ? "yes" : "no";
}

function bytes(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

function text(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

class EveryFetch extends Fetch {
  policies(): string[] {
    return ["every"];
  }

  prepare(spec: FetchSpec): PreparedFetch | null {
    return good(spec.policy, spec.settings) ? new PreparedEveryFetch(spec) : null;
  }
}

class PreparedEveryFetch extends PreparedFetch {
  constructor(private spec: FetchSpec) {
    super();
  }

  decide(uri: FetchURI, decision: FetchDecision): void {
    const s = this.spec;
    if (uri.uri.startsWith("http:")) {
      decision.deny(`${s.enforced ? "enforced" : "not enforced"} ${about(s.app)} ${uri.uri}`);
      return;
    }
    decision.fetch.uri = s.settings + uri.uri;
    decision.fetch.extract = uri.executable;
    decision.fetch.executable = uri.cache;
    decision.fetch.cache = uri.extract;
    decision.fetch.destPath = uri.destPath + "/" + s.policy;
    if (!s.enforced) return;
    decision.sha256 = "abcd";
    decision.limitBytes = (<u64>1 << 40) + s.app.instances;
    decision.limitEntries = 1;
    decision.limitDepth = 2;
    decision.limitRatio = 300;
  }
}

class EveryUpgrade extends Upgrade {
  strategies(): string[] {
    return ["every"];
  }

  prepare(spec: UpgradeSpec): PreparedUpgrade | null {
    return new PreparedEveryUpgrade(spec);
  }
}

class PreparedEveryUpgrade extends PreparedUpgrade {
  constructor(private spec: UpgradeSpec) {
    super();
  }

  next(s: UpgradeState, step: UpgradeStep): void {
    step.start = s.old + 10 * s.oldDying + 100 * s.oldHealthy + 1000 * s.fresh + 10000 * s.freshHealthy + 100000 * s.freshReady;
    step.kill = s.instances + 100 * s.minHealthy + 10000 * s.maxTotal;
    step.askAfterMillis = s.millis + s.nowMillis;
    step.outcome = s.promotions % 3;
    const minimum = <u64>(1000.0 * s.minimumHealthCapacity), maximum = <u64>(1000.0 * s.maximumOverCapacity);
    step.reason = `${this.spec.strategy} ${about(this.spec.app)} ${minimum} ${maximum}`;
    const more = bytes("\0more"), old = s.memory;
    step.memory = new Uint8Array(old.length + more.length);
    step.memory.set(old);
    step.memory.set(more, old.length);
  }
}

class EveryHealth extends Health {
  rules(): string[] {
    return ["every"];
  }

  prepare(spec: HealthSpec): PreparedHealth | null {
    return new PreparedEveryHealth(spec);
  }
}

class PreparedEveryHealth extends PreparedHealth {
  constructor(private spec: HealthSpec) {
    super();
  }

  judge(h: HealthHistory, verdict: HealthVerdict): void {
    const c: HealthCheck = this.spec.checks[h.check];
    verdict.state = h.results % 3;
    verdict.replace = verdict.state == HealthState.Unhealthy && !c.byMesos;
    const check = `${c.protocol} ${c.intervalMillis} ${c.timeoutMillis} ${c.graceMillis} ${c.maxConsecutiveFailures}`;
    const times = `${h.ageMillis} ${h.firstSuccess} ${h.lastSuccess} ${h.lastFailure} ${h.lastFailureCause}`;
    const results = `${h.consecutiveFailures} ${h.recent} ${h.failures(10)} ${h.failures(64)}`;
    verdict.reason = `${about(this.spec.app)} ${check} ${times} ${results}`;
  }
}

class EveryAdmission extends Admission {
  policies(): string[] {
    return ["every"];
  }

  review(r: AdmissionRequest, review: AdmissionReview): void {
    if (r.settings == "invalid") {
      invalid("change " + r.policy);
      return;
    }
    if (r.user == "mallory") {
      review.deny("/cpus", `${r.user} ${r.verb} ${r.subject}`);
      return;
    }
    if (!r.force) review.amended = `[${json(r.before)},${json(r.after)}]`;
    review.warnings.push(`${r.policy} ${r.id} ${r.nowMillis} ${r.settings}`);
    for (let i = 0; i < r.above.length; i++) {
      const g = r.above[i];
      const amounts = `${<u64>(1000.0 * g.cpus)} ${<u64>(1000.0 * g.mem)} ${<u64>(1000.0 * g.disk)}`;
      review.warnings.push(`${g.id} ${g.apps} ${g.instances} ${amounts} ${g.gpus}`);
    }
  }
}

function json(text: string): string {
  return text == "" ? "null" : text;
}
