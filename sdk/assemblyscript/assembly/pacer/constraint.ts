// The kind "constraint".
import { AppFacts } from "./app";
import { failed, fault } from "./error";
import { begin, end, Handles, Kind, offer } from "./guest";
import { malformed, Reader } from "./reader";
import { answerAt, putNumber, putNumbers, putText } from "./writer";

/** A quota of any number. */
export const UNLIMITED: u32 = u32.MAX_VALUE;
/** The slot that stands for "the agent does not have the field". */
export const ABSENT: u32 = 0;

/** A flag of an answer: any one value with a quota may be chosen, then only that one. */
export const EXCLUSIVE: u32 = 1;
/** A flag of an answer: the quotas hold for the next placement only. */
export const VOLATILE: u32 = 2;
/** A flag of an answer: ask again when all quotas are used up. */
export const REFILL: u32 = 4;

/** What the host may do with the answers. */
export enum Traits {
  None = 0,
  /** A quota depends on the constraint and the value alone, and is 0 or UNLIMITED. */
  PurePerValue = 1,
  /** The answer depends on what is placed. */
  Stateful = 2,
}

/** One constraint of one app version. */
export class ConstraintSpec {
  /** As in the app, but @hostname for hostname. */
  field: string = "";
  operator: string = "";
  /** Its meaning is the operator's; empty for a constraint without one. */
  value: string = "";
  /** Tells a value that is empty from none. */
  hasValue: bool = false;
  app: AppFacts = new AppFacts();

  /** Not for modules. */
  read(r: Reader): ConstraintSpec {
    while (r.next()) {
      if (r.number == 1) this.field = r.text();
      else if (r.number == 2) this.operator = r.text();
      else if (r.number == 3) this.value = r.text();
      else if (r.number == 4) this.hasValue = r.flag();
      else if (r.number == 5) this.app.read(r.message());
    }
    return this;
  }
}

/** A policy that says, from the value that a field has on each agent, which may host an instance. */
export abstract class Constraint {
  /** The operators that it answers for, in upper case. */
  abstract operators(): string[];
  /** Takes one constraint of an app version; null after invalid or fault. */
  abstract prepare(spec: ConstraintSpec): PreparedConstraint | null;
}

/** What has taken one constraint. It is forgotten when the host releases it. */
export abstract class PreparedConstraint {
  abstract traits(): Traits;
  /** Sets the quota of each slot. All are 0 before. An error is a fault, never a verdict. */
  abstract evaluate(question: ConstraintInput, answer: ConstraintAnswer): void;
}

/**
 * The values of a field, each one once, and what is placed on them. They stay where the
 * host put them, and it is good until evaluate returns. Slot 0 is empty and stands for absence.
 */
@final
export class ConstraintInput {
  /** How many slots there are, that of absence included. */
  slots: u32 = 0;
  /** The slot of the first placed instance; -1 for none, and unless Stateful. */
  first: i32 = -1;
  /** How many the app wants in all. */
  instances: u32 = 0;
  private data: usize = 0;
  private dataSize: u32 = 0;
  private off: usize = 0;
  private counts: usize = 0;
  private column: Reader = new Reader();

  /** Where the value in a slot is: UTF-8. */
  @inline
  at(slot: u32): usize {
    assert(slot < this.slots);
    return this.data + load<u32>(this.off + (slot << 2));
  }

  /** How many bytes it has. */
  @inline
  size(slot: u32): u32 {
    assert(slot < this.slots);
    return load<u32>(this.off + (slot << 2), 4) - load<u32>(this.off + (slot << 2));
  }

  /** The value as text, which takes memory. */
  value(slot: u32): string {
    return String.UTF8.decodeUnsafe(this.at(slot), this.size(slot));
  }

  /** How many placed instances the value in a slot has; 0 unless Stateful. */
  @inline
  placed(slot: u32): u32 {
    assert(slot < this.slots);
    return this.counts == 0 ? 0 : load<u32>(this.counts + (slot << 2));
  }

  /** Not for modules. */
  read(r: Reader): void {
    let offsets: u32 = 0, counts: u32 = 0, first: u32 = 0;
    this.instances = 0;
    this.dataSize = 0;
    while (r.next()) {
      if (r.number == 1 && r.bytes()) {
        offsets = this.readColumn(this.column.open(r.start, r.size));
      } else if (r.number == 2 && r.bytes()) {
        this.counts = r.start;
        counts = r.size;
      } else if (r.number == 3) {
        first = r.uint32();
      } else if (r.number == 4) {
        this.instances = r.uint32();
      }
    }
    if (counts == 0) this.counts = 0;
    this.slots = offsets < 8 ? 0 : (offsets >> 2) - 1;
    this.first = <i32>first - 1;
    if (!failed()) this.check(offsets, counts, first);
  }

  private readColumn(r: Reader): u32 {
    let offsets: u32 = 0;
    while (r.next()) {
      if (r.number == 2 && r.bytes()) {
        this.data = r.start;
        this.dataSize = r.size;
      } else if (r.number == 3 && r.bytes()) {
        this.off = r.start;
        offsets = r.size;
      }
    }
    return offsets;
  }

  /** Sees to it that every slot can be read. */
  private check(offsets: u32, counts: u32, first: u32): void {
    if ((offsets | counts) & 3) {
      malformed("packed numbers cut short");
    } else if (this.slots == 0 || load<u64>(this.off) != 0) {
      malformed("the dictionary lacks the slot of absence");
    } else if (first > this.slots || (counts != 0 && counts >> 2 != this.slots)) {
      malformed("placed instances do not match the values");
    }
    let last: u32 = 0;
    for (let at = this.off, end = at + offsets; at < end && !failed(); at += 4) {
      const next = load<u32>(at);
      if (next < last || next > this.dataSize) malformed("offset beyond the values");
      last = next;
    }
  }
}

/** What is answered. */
@final
export class ConstraintAnswer {
  /** EXCLUSIVE, VOLATILE, REFILL or 0. */
  flags: u32 = 0;
  /** For people, about the values with quota 0. */
  reason: string = "";
  private slots: u32 = 0;
  private at: u32 = 0;

  /** Sets how many more instances the value in a slot takes; UNLIMITED is any number. */
  @inline
  quota(slot: u32, n: u32): void {
    assert(slot < this.slots);
    store<u32>(answerAt() + this.at + (slot << 2), n);
  }

  /** Not for modules. */
  begin(slots: u32): void {
    this.flags = 0;
    this.reason = "";
    this.slots = slots;
    this.at = putNumbers(1, slots);
  }

  /** Not for modules. */
  write(): void {
    putNumber(2, this.flags);
    putText(3, this.reason);
  }
}

let policy: Constraint | null = null;
const handles = new Handles<PreparedConstraint>();
// One of each for all calls, so that an evaluation takes no memory.
const question = new ConstraintInput();
const answer = new ConstraintAnswer();

/** Has a policy answer for its operators. */
export function offerConstraint(constraint: Constraint): void {
  policy = constraint;
  offer(Kind.Constraint, constraint.operators());
}

export function prepareConstraint(size: u32): u64 {
  const spec = new ConstraintSpec().read(begin(size));
  const taken = policy;
  if (taken === null) fault("this kind of policy is not offered");
  else if (!failed()) {
    const prepared = taken.prepare(spec);
    handles.keep(prepared);
    if (!failed()) putNumber(2, prepared!.traits());
  }
  return end();
}

export function evaluateConstraint(handle: u32, size: u32): u64 {
  question.read(begin(size));
  const prepared = handles.find(handle);
  if (prepared === null || failed()) return end();
  answer.begin(question.slots);
  prepared.evaluate(question, answer);
  answer.write();
  return end();
}

export function releaseConstraint(handle: u32): void {
  handles.release(handle);
}
