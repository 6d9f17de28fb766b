// The kind "admission".
import { failed, fault } from "./error";
import { begin, end, Kind, offer } from "./guest";
import { Reader } from "./reader";
import { putBytes, putEntry, putFlag, putText } from "./writer";

/** A policy that says of apps and groups whether they may be created, changed or deleted, and may amend them. */
export abstract class Admission {
  /** The names that it answers for, in lower case. */
  abstract policies(): string[];
  /** Answers about one change, from the request alone. */
  abstract review(request: AdmissionRequest, review: AdmissionReview): void;
}

/** What is to happen to the subject. Scaling and restarting are updates. */
export enum Verb {
  /** Only whether the settings are right is asked: there is no subject, and of the answer only an error counts. */
  Unspecified = 0,
  Create = 1,
  Update = 2,
  Delete = 3,
}

/** What a change is about. */
export enum Subject {
  Unspecified = 0,
  App = 1,
  Group = 2,
}

/** One change that somebody wants. */
export class AdmissionRequest {
  policy: string = "";
  /** What the operator chose it with; empty for none. */
  settings: string = "";
  verb: Verb = Verb.Unspecified;
  subject: Subject = Subject.Unspecified;
  /** Absolute path. */
  id: string = "";
  /** The app or group as the API shows it, JSON in UTF-8; empty for Create. */
  beforeBytes: Uint8Array = new Uint8Array(0);
  /** As it is to become, normalised, JSON in UTF-8; empty for Delete. */
  afterBytes: Uint8Array = new Uint8Array(0);
  /** Who asks; empty when the API asks for no credentials. */
  user: string = "";
  force: bool = false;
  /** Since 1970. */
  nowMillis: u64 = 0;
  /** The groups above the subject, the root first, without the subject itself. */
  above: GroupUse[] = [];

  /** beforeBytes as a string: twice the memory, and made anew each time. */
  get before(): string {
    return text(this.beforeBytes);
  }

  /** afterBytes as a string: twice the memory, and made anew each time. */
  get after(): string {
    return text(this.afterBytes);
  }

  /** Not for modules. */
  read(r: Reader): AdmissionRequest {
    while (r.next()) {
      switch (r.number) {
        case 1: this.policy = r.text(); break;
        case 2: this.settings = r.text(); break;
        case 3: this.verb = r.uint32(); break;
        case 4: this.subject = r.uint32(); break;
        case 5: this.id = r.text(); break;
        case 6: this.beforeBytes = r.copy(); break;
        case 7: this.afterBytes = r.copy(); break;
        case 8: this.user = r.text(); break;
        case 9: this.force = r.flag(); break;
        case 10: this.nowMillis = r.uint64(); break;
        case 11: this.above.push(new GroupUse().read(r.message())); break;
      }
    }
    return this;
  }
}

function text(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** What all instances of the apps of a group, and of the groups in it, ask for in all. */
export class GroupUse {
  id: string = "";
  apps: u32 = 0;
  instances: u32 = 0;
  cpus: f64 = 0;
  /** MiB. */
  mem: f64 = 0;
  /** MiB. */
  disk: f64 = 0;
  gpus: u32 = 0;

  /** Not for modules. */
  read(r: Reader): GroupUse {
    while (r.next()) {
      switch (r.number) {
        case 1: this.id = r.text(); break;
        case 2: this.apps = r.uint32(); break;
        case 3: this.instances = r.uint32(); break;
        case 4: this.cpus = r.double(); break;
        case 5: this.mem = r.double(); break;
        case 6: this.disk = r.double(); break;
        case 7: this.gpus = r.uint32(); break;
      }
    }
    return this;
  }
}

/** What a policy makes of a change: it is let through as it is, unless the policy says otherwise. */
export class AdmissionReview {
  denied: bool = false;
  /** For the user: why it is denied. */
  reason: string = "";
  /** Of the field that has to change, such as /cpus; may be empty. */
  path: string = "";
  /** What after is to be instead, whole, JSON; empty: as it is. */
  amended: string = "";
  /** The same in UTF-8; it counts when both are there. */
  amendedBytes: Uint8Array = new Uint8Array(0);
  /** For the user, beside the answer. */
  warnings: string[] = [];

  /** Refuses the change. */
  deny(path: string, reason: string): void {
    this.denied = true;
    this.path = path;
    this.reason = reason;
  }

  /** Not for modules. */
  write(): void {
    putFlag(1, this.denied);
    putText(2, this.reason);
    putText(3, this.path);
    if (this.amendedBytes.length > 0) putBytes(4, this.amendedBytes);
    else putText(4, this.amended);
    for (let i = 0; i < this.warnings.length; i++) putEntry(5, this.warnings[i]);
  }
}

let policy: Admission | null = null;

/** Has a policy answer for its names. */
export function offerAdmission(admission: Admission): void {
  policy = admission;
  offer(Kind.Admission, admission.policies());
}

export function reviewAdmission(size: u32): u64 {
  const request = new AdmissionRequest().read(begin(size));
  const taken = policy;
  if (taken === null) fault("this kind of policy is not offered");
  else if (!failed()) {
    const review = new AdmissionReview();
    taken.review(request, review);
    review.write();
  }
  return end();
}
