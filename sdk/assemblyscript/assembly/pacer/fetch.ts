// The kind "fetch".
import { AppFacts } from "./app";
import { failed, fault } from "./error";
import { begin, end, Handles, Kind, offer } from "./guest";
import { Reader } from "./reader";
import { beginMessage, endMessage, putFlag, putNumber, putText } from "./writer";

/** The policy, its settings, and the app version. */
export class FetchSpec {
  policy: string = "";
  /** What the operator chose it with; empty for none. */
  settings: string = "";
  /** Without an id when only the settings are to be checked. */
  app: AppFacts = new AppFacts();
  /** The agents check digests and limits. */
  enforced: bool = false;

  /** Not for modules. */
  read(r: Reader): FetchSpec {
    while (r.next()) {
      if (r.number == 1) this.policy = r.text();
      else if (r.number == 2) this.settings = r.text();
      else if (r.number == 3) this.app.read(r.message());
      else if (r.number == 4) this.enforced = r.flag();
    }
    return this;
  }
}

/** A policy that says of every URI of an app whether it is fetched, from where, and what becomes of it. */
export abstract class Fetch {
  /** The names that it answers for, in lower case. */
  abstract policies(): string[];
  /** Takes an app version, or just the settings, to check them; null after invalid or fault. */
  abstract prepare(spec: FetchSpec): PreparedFetch | null;
}

/** What has taken one app version. It is forgotten when the host releases it. */
export abstract class PreparedFetch {
  /** Answers for one URI, from the settings, the app and that URI alone. */
  abstract decide(uri: FetchURI, decision: FetchDecision): void;
}

/** Something to be fetched. */
export class FetchURI {
  uri: string = "";
  /** Unpack it, if its name ends as that of an archive. */
  extract: bool = false;
  executable: bool = false;
  /** Keep it in the agent's cache. */
  cache: bool = false;
  /** Below the sandbox; empty: the last part of the URI. */
  destPath: string = "";

  /** Not for modules. */
  read(r: Reader): FetchURI {
    while (r.next()) {
      if (r.number == 1) this.uri = r.text();
      else if (r.number == 2) this.extract = r.flag();
      else if (r.number == 3) this.executable = r.flag();
      else if (r.number == 4) this.cache = r.flag();
      else if (r.number == 5) this.destPath = r.text();
    }
    return this;
  }

  /** Not for modules. */
  write(): void {
    putText(1, this.uri);
    putFlag(2, this.extract);
    putFlag(3, this.executable);
    putFlag(4, this.cache);
    putText(5, this.destPath);
  }
}

/** What becomes of one URI: it is fetched as it is, unless the policy says otherwise. */
export class FetchDecision {
  /** It is not fetched, and so the app is not launched. */
  denied: bool = false;
  /** For people: why it is denied. */
  reason: string = "";
  /** How it is fetched. */
  fetch: FetchURI = new FetchURI();
  /** Of what is fetched, in lower-case hexadecimal; empty for any. */
  sha256: string = "";
  /** Fetched, and again all that is unpacked of it; 0 is the agent's own limit, as in the others. */
  limitBytes: u64 = 0;
  /** Of an archive. */
  limitEntries: u32 = 0;
  /** Of folders in an archive. */
  limitDepth: u32 = 0;
  /** Of bytes unpacked to bytes fetched. */
  limitRatio: u32 = 0;

  /** Denies it, for a reason that people are told. */
  deny(reason: string): void {
    this.denied = true;
    this.reason = reason;
  }

  /** Not for modules. */
  write(): void {
    if (this.denied) {
      putFlag(2, true);
      putText(3, this.reason);
      return;
    }
    const fetch = beginMessage(1);
    this.fetch.write();
    endMessage(fetch);
    putText(4, this.sha256);
    const limits = beginMessage(5);
    putNumber(1, this.limitBytes);
    putNumber(2, this.limitEntries);
    putNumber(3, this.limitDepth);
    putNumber(4, this.limitRatio);
    endMessage(limits);
  }
}

let policy: Fetch | null = null;
const handles = new Handles<PreparedFetch>();

/** Has a policy answer for its names. */
export function offerFetch(fetch: Fetch): void {
  policy = fetch;
  offer(Kind.Fetch, fetch.policies());
}

export function prepareFetch(size: u32): u64 {
  const spec = new FetchSpec().read(begin(size));
  const taken = policy;
  if (taken === null) fault("this kind of policy is not offered");
  else if (!failed()) handles.keep(taken.prepare(spec));
  return end();
}

export function decideFetch(handle: u32, size: u32): u64 {
  const r = begin(size);
  const prepared = handles.find(handle);
  if (prepared === null) return end();
  while (r.next()) {
    if (r.number != 1) continue;
    const decision = new FetchDecision();
    decision.fetch.read(r.message());
    if (failed()) break;
    prepared.decide(new FetchURI().read(r.message()), decision);
    const at = beginMessage(1);
    decision.write();
    endMessage(at);
  }
  return end();
}

export function releaseFetch(handle: u32): void {
  handles.release(handle);
}
