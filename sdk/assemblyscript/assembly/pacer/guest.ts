// The module's side of the ABI, as far as it is common to all kinds.
import { clearError, errorCode, errorReason, failed, fault, invalid } from "./error";
import { Reader } from "./reader";
import { answerAt, answerLength, clearAnswer, putEntry, putNumber, putText } from "./writer";

/** The minor version of the ABI that is spoken here. */
const MINOR: u64 = 1;

/** The bit of a result's length that says: an Error message. */
const FAILED: u64 = 1 << 31;

/** The fields of a Description that list the names of a kind. */
export enum Kind {
  Constraint = 4,
  Fetch = 5,
  Upgrade = 6,
  Health = 7,
  Admission = 8,
}

let moduleName: string = "";
let moduleVersion: string = "";
const offers = new StaticArray<string[] | null>(9);
let configure: ((settings: string) => void) | null = null;

/** Says what the module is called, and its version. */
export function policyModule(name: string, version: string): void {
  moduleName = name;
  moduleVersion = version;
}

/**
 * Has a function get the operator's settings, JSON, empty for none, before any policy
 * is asked. An error that it notes is why the module is not loaded. Without it, any
 * settings are an error.
 */
export function onConfigure(use: (settings: string) => void): void {
  configure = use;
}

/** Notes the names of a kind. */
export function offer(kind: Kind, names: string[]): void {
  offers[kind] = names;
}

/** What was prepared, by handle. */
export class Handles<T> {
  private list: Array<T | null> = [];

  /** Keeps what was prepared; null is a fault, unless there is an error already. */
  keep(prepared: T | null): void {
    if (prepared === null) fault("nothing was prepared");
    if (failed()) return;
    let free = this.list.indexOf(null);
    if (free < 0) free = this.list.push(null) - 1;
    this.list[free] = prepared;
    putNumber(1, free + 1);
  }

  /** Finds it, or notes a fault and returns null. */
  find(handle: u32): T | null {
    const prepared = handle - 1 < <u32>this.list.length ? this.list[handle - 1] : null;
    if (prepared === null) fault("no such handle");
    return prepared;
  }

  release(handle: u32): void {
    if (handle - 1 < <u32>this.list.length) this.list[handle - 1] = null;
  }
}

let input: usize = 0;
let capacity: u32 = 0;
const outer = new Reader();

/** Where the host writes so many bytes. */
export function buffer(size: u32): usize {
  if (size > capacity || input == 0) {
    if (input != 0) heap.free(input);
    capacity = max(2 * size, 4096);
    input = heap.alloc(capacity);
  }
  return input;
}

/** Begins a call; the fields of its message are in the reader. */
export function begin(size: u32): Reader {
  clearError();
  clearAnswer();
  return outer.open(input, size);
}

/** The answer as the ABI has it: pointer << 32 | length. */
export function end(): u64 {
  const bad = failed();
  if (bad) {
    clearAnswer();
    putNumber(1, errorCode());
    putText(2, errorReason());
  }
  return (<u64>answerAt() << 32) | answerLength() | (bad ? FAILED : 0);
}

export function describe(): u64 {
  begin(0);
  putNumber(1, MINOR);
  putText(2, moduleName);
  putText(3, moduleVersion);
  for (let kind = Kind.Constraint; kind <= Kind.Admission; kind++) {
    const names = offers[kind];
    for (let i = 0; names !== null && i < names.length; i++) putEntry(kind, names[i]);
  }
  return end();
}

export function configureWith(size: u32): u64 {
  const r = begin(size);
  let settings = "";
  while (r.next()) {
    if (r.number == 2) settings = r.text();
  }
  const use = configure;
  if (failed()) return end();
  if (use !== null) use(settings);
  else if (settings != "") invalid("the module takes no settings");
  return end();
}
