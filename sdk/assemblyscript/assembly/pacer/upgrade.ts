// The kind "upgrade".
import { AppFacts } from "./app";
import { failed, fault } from "./error";
import { begin, end, Handles, Kind, offer } from "./guest";
import { Reader } from "./reader";
import { putBytes, putNumber, putText } from "./writer";

/** The strategy, and the version that is to come. Settings are labels of the app. */
export class UpgradeSpec {
  strategy: string = "";
  app: AppFacts = new AppFacts();
  /** The fractions that make the envelope. */
  minimumHealthCapacity: f64 = 0;
  maximumOverCapacity: f64 = 0;

  /** Not for modules. */
  read(r: Reader): UpgradeSpec {
    while (r.next()) {
      if (r.number == 1) this.strategy = r.text();
      else if (r.number == 2) this.app.read(r.message());
      else if (r.number == 3) this.minimumHealthCapacity = r.double();
      else if (r.number == 4) this.maximumOverCapacity = r.double();
    }
    return this;
  }
}

/** A policy that says how an app goes from one version to the next. */
export abstract class Upgrade {
  /** The strategies that it answers for, in lower case. */
  abstract strategies(): string[];
  /** Takes one upgrade; null after invalid or fault. */
  abstract prepare(spec: UpgradeSpec): PreparedUpgrade | null;
}

/** What has taken one upgrade. It is forgotten when the host releases it. */
export abstract class PreparedUpgrade {
  /** Says what to do now, from the state alone. */
  abstract next(state: UpgradeState, step: UpgradeStep): void;
}

/** Where an upgrade stands, in instances. */
export class UpgradeState {
  /** Wanted in the end. */
  instances: u32 = 0;
  minimumHealthCapacity: f64 = 0;
  maximumOverCapacity: f64 = 0;
  /** The envelope: no step goes beyond it. */
  minHealthy: u32 = 0;
  maxTotal: u32 = 0;
  /** Not known to be dead, those being killed included. */
  old: u32 = 0;
  oldDying: u32 = 0;
  /** Healthy and not being killed. */
  oldHealthy: u32 = 0;
  /** On their way or running. */
  fresh: u32 = 0;
  freshHealthy: u32 = 0;
  /** Have been healthy and ready since they were started. */
  freshReady: u32 = 0;
  /** Since the upgrade began. */
  millis: u64 = 0;
  /** What the last step left; empty at the start. */
  memory: Uint8Array = new Uint8Array(0);
  /** How often somebody told a paused upgrade to go on. */
  promotions: u32 = 0;
  /** Since 1970; 0 when that is not known. */
  nowMillis: u64 = 0;
  /** It undoes another upgrade: what is to come was there before. */
  undoes: bool = false;

  /** Not for modules. */
  read(r: Reader): UpgradeState {
    while (r.next()) {
      switch (r.number) {
        case 1: this.instances = r.uint32(); break;
        case 2: this.minimumHealthCapacity = r.double(); break;
        case 3: this.maximumOverCapacity = r.double(); break;
        case 4: this.minHealthy = r.uint32(); break;
        case 5: this.maxTotal = r.uint32(); break;
        case 6: this.old = r.uint32(); break;
        case 7: this.oldDying = r.uint32(); break;
        case 8: this.oldHealthy = r.uint32(); break;
        case 9: this.fresh = r.uint32(); break;
        case 10: this.freshHealthy = r.uint32(); break;
        case 11: this.freshReady = r.uint32(); break;
        case 12: this.millis = r.uint64(); break;
        case 13: this.memory = r.copy(); break;
        case 14: this.promotions = r.uint32(); break;
        case 15: this.nowMillis = r.uint64(); break;
        case 16: this.undoes = r.flag(); break;
      }
    }
    return this;
  }
}

/** Whether an upgrade goes on. */
export enum Outcome {
  Proceed = 0,
  /** Wait until somebody lets it go on. */
  Pause = 1,
  /** Give up and go back to the version before. */
  RollBack = 2,
}

/** What to do next. Both numbers are cut to the envelope. */
export class UpgradeStep {
  /** New instances. */
  start: u32 = 0;
  /** Old ones. */
  kill: u32 = 0;
  /** Ask again after that time although nothing may have changed. */
  askAfterMillis: u64 = 0;
  /** Nothing is started or killed unless Proceed. */
  outcome: Outcome = Outcome.Proceed;
  /** For people: why it waits or stops. */
  reason: string = "";
  /** For the next step; at most 16,384 bytes. */
  memory: Uint8Array = new Uint8Array(0);

  /** Not for modules. */
  write(): void {
    putNumber(1, this.start);
    putNumber(2, this.kill);
    putNumber(3, this.askAfterMillis);
    putNumber(4, this.outcome);
    putText(5, this.reason);
    putBytes(6, this.memory);
  }
}

let policy: Upgrade | null = null;
const handles = new Handles<PreparedUpgrade>();

/** Has a policy answer for its strategies. */
export function offerUpgrade(upgrade: Upgrade): void {
  policy = upgrade;
  offer(Kind.Upgrade, upgrade.strategies());
}

export function prepareUpgrade(size: u32): u64 {
  const spec = new UpgradeSpec().read(begin(size));
  const taken = policy;
  if (taken === null) fault("this kind of policy is not offered");
  else if (!failed()) handles.keep(taken.prepare(spec));
  return end();
}

export function nextUpgrade(handle: u32, size: u32): u64 {
  const state = new UpgradeState().read(begin(size));
  const prepared = handles.find(handle);
  if (prepared === null || failed()) return end();
  const step = new UpgradeStep();
  prepared.next(state, step);
  step.write();
  return end();
}

export function releaseUpgrade(handle: u32): void {
  handles.release(handle);
}
