// The kind "health".
import { AppFacts } from "./app";
import { failed, fault } from "./error";
import { begin, end, Handles, Kind, offer } from "./guest";
import { Reader } from "./reader";
import { beginMessage, endMessage, putFlag, putNumber, putText } from "./writer";

/** The rule, the app version and its checks. Settings are labels of the app. */
export class HealthSpec {
  rule: string = "";
  app: AppFacts = new AppFacts();
  checks: HealthCheck[] = [];

  /** Not for modules. */
  read(r: Reader): HealthSpec {
    while (r.next()) {
      if (r.number == 1) this.rule = r.text();
      else if (r.number == 2) this.app.read(r.message());
      else if (r.number == 3) this.checks.push(new HealthCheck().read(r.message()));
    }
    return this;
  }
}

/** What a rule may know of one health check. */
export class HealthCheck {
  /** As in the API: HTTP, TCP, COMMAND, MESOS_HTTP … */
  protocol: string = "";
  intervalMillis: u64 = 0;
  timeoutMillis: u64 = 0;
  /** Failures before the first success that do not count. */
  graceMillis: u64 = 0;
  /** 0: no instance is ever replaced for this check. */
  maxConsecutiveFailures: u32 = 0;
  /** Made by Mesos, which ends the task by its own rule. */
  byMesos: bool = false;

  /** Not for modules. */
  read(r: Reader): HealthCheck {
    while (r.next()) {
      if (r.number == 1) this.protocol = r.text();
      else if (r.number == 2) this.intervalMillis = r.uint64();
      else if (r.number == 3) this.timeoutMillis = r.uint64();
      else if (r.number == 4) this.graceMillis = r.uint64();
      else if (r.number == 5) this.maxConsecutiveFailures = r.uint32();
      else if (r.number == 6) this.byMesos = r.flag();
    }
    return this;
  }
}

/** A policy that says from the results of checks whether an instance is well. */
export abstract class Health {
  /** The rules that it answers for, in lower case. */
  abstract rules(): string[];
  /** Takes one app version; null after invalid or fault. */
  abstract prepare(spec: HealthSpec): PreparedHealth | null;
}

/** What has taken one app version. It is forgotten when the host releases it. */
export abstract class PreparedHealth {
  /** Answers for what one check found on one instance, from that alone. */
  abstract judge(history: HealthHistory, verdict: HealthVerdict): void;
}

/** What one check found on one instance. Times are milliseconds since 1970; 0 means never. */
export class HealthHistory {
  /** Index into the checks of the spec. */
  check: u32 = 0;
  /** Since the instance runs. */
  ageMillis: u64 = 0;
  firstSuccess: u64 = 0;
  lastSuccess: u64 = 0;
  lastFailure: u64 = 0;
  lastFailureCause: string = "";
  consecutiveFailures: u32 = 0;
  /** The latest results, the newest in bit 0: 1 for a success. */
  recent: u64 = 0;
  /** How many bits of recent count, at most 64. */
  results: u32 = 0;

  /** How many of the latest n results are failures, as far as they are known. */
  failures(n: u32): u32 {
    const known = min(n, min(this.results, 64));
    return known == 0 ? 0 : <u32>popcnt(~this.recent << (64 - known));
  }

  /** Not for modules. */
  read(r: Reader): HealthHistory {
    while (r.next()) {
      switch (r.number) {
        case 1: this.check = r.uint32(); break;
        case 2: this.ageMillis = r.uint64(); break;
        case 3: this.firstSuccess = r.uint64(); break;
        case 4: this.lastSuccess = r.uint64(); break;
        case 5: this.lastFailure = r.uint64(); break;
        case 6: this.lastFailureCause = r.text(); break;
        case 7: this.consecutiveFailures = r.uint32(); break;
        case 8: this.recent = r.fixed64(); break;
        case 9: this.results = r.uint32(); break;
      }
    }
    return this;
  }
}

/** Whether an instance is well, by one check. */
export enum HealthState {
  Unknown = 0,
  Healthy = 1,
  Unhealthy = 2,
}

/** What a rule makes of one history. */
export class HealthVerdict {
  state: HealthState = HealthState.Unknown;
  /** End the instance and start another; only with Unhealthy. */
  replace: bool = false;
  /** For people: why it is not healthy. */
  reason: string = "";

  /** Not for modules. */
  write(): void {
    putNumber(1, this.state);
    putFlag(2, this.replace);
    putText(3, this.reason);
  }
}

let policy: Health | null = null;
const handles = new Handles<PreparedHealth>();

/** Has a policy answer for its rules. */
export function offerHealth(health: Health): void {
  policy = health;
  offer(Kind.Health, health.rules());
}

export function prepareHealth(size: u32): u64 {
  const spec = new HealthSpec().read(begin(size));
  const taken = policy;
  if (taken === null) fault("this kind of policy is not offered");
  else if (!failed()) handles.keep(taken.prepare(spec));
  return end();
}

export function judgeHealth(handle: u32, size: u32): u64 {
  const r = begin(size);
  const prepared = handles.find(handle);
  if (prepared === null) return end();
  while (r.next()) {
    if (r.number != 1) continue;
    const history = new HealthHistory().read(r.message());
    if (failed()) break;
    const verdict = new HealthVerdict();
    prepared.judge(history, verdict);
    const at = beginMessage(1);
    verdict.write();
    endMessage(at);
  }
  return end();
}

export function releaseHealth(handle: u32): void {
  handles.release(handle);
}
