import { Reader } from "./reader";

/** What a policy may know of the app. */
export class AppFacts {
  /** Absolute path; empty when there is no app. */
  id: string = "";
  /** RFC 3339 with milliseconds. */
  version: string = "";
  instances: u32 = 0;
  role: string = "";
  /** The names of its labels, and their values in the same order. */
  labelNames: string[] = [];
  labelValues: string[] = [];

  /** The value of a label; null if the app does not have it. */
  label(name: string): string | null {
    for (let i = this.labelNames.length - 1; i >= 0; i--) {
      if (this.labelNames[i] == name) return this.labelValues[i];
    }
    return null;
  }

  /** Not for modules. */
  read(r: Reader): AppFacts {
    while (r.next()) {
      if (r.number == 1) this.id = r.text();
      else if (r.number == 2) this.version = r.text();
      else if (r.number == 3) this.instances = r.uint32();
      else if (r.number == 4) this.role = r.text();
      else if (r.number == 5) this.readLabel(r.message());
    }
    return this;
  }

  private readLabel(r: Reader): void {
    let name = "", value = "";
    while (r.next()) {
      if (r.number == 1) name = r.text();
      else if (r.number == 2) value = r.text();
    }
    this.labelNames.push(name);
    this.labelValues.push(value);
  }
}
