// Reads JSON as policy modules in AssemblyScript do; ../json-go says what for.
import {
  Admission, AdmissionRequest, AdmissionReview, checkJson, invalid, JsonKind, JsonValue, offerAdmission, parseJson, parseJsonBytes,
  policyModule, quoteJson,
} from "pacer";

export * from "pacer/exports/module";
export * from "pacer/exports/admission";

policyModule("json", "1.0.0");
offerAdmission(new Reading());

class Reading extends Admission {
  policies(): string[] {
    return ["show", "review"];
  }

  review(request: AdmissionRequest, review: AdmissionReview): void {
    if (request.policy == "review") {
      look(parseJsonBytes(request.afterBytes), review);
      return;
    }
    const wrong = checkJson(request.afterBytes);
    if (wrong != "") {
      invalid(wrong);
      return;
    }
    const value = parseJsonBytes(request.afterBytes);
    const settings = parseJson(request.settings);
    const path: string[] = [];
    for (const names = settings.get("path").elements(); names.next(); ) path.push(names.value.text);
    const set = settings.get("set");
    if (set.kind != JsonKind.String) {
      review.amended = shown(value.at(path), 0);
      return;
    }
    review.amendedBytes = value.amend(path, set.text);
  }
}

function look(app: JsonValue, review: AdmissionReview): void {
  if (app.get("labels").get("team").text == "") {
    review.deny("/labels/team", "an app needs a team");
    return;
  }
  for (const env = app.get("env").members(); env.next(); ) {
    if (!env.is("PASSWORD")) continue;
    review.deny("/env/PASSWORD", "passwords are secrets");
    return;
  }
  const path = ["container", "docker", "image"];
  const image = app.at(path).text;
  if (image == "" || image.startsWith("mirror.example/")) return;
  review.amendedBytes = app.amend(path, quoteJson("mirror.example/" + image));
}

function shown(value: JsonValue, depth: i32): string {
  const kind = value.kind;
  if (kind == JsonKind.Absent) return "absent";
  if (depth > 20 || kind == JsonKind.Null) return value.raw;
  if (kind == JsonKind.Bool) return value.isTrue ? "true" : "false";
  if (kind == JsonKind.Number) return number(value);
  if (kind == JsonKind.String) return quoteJson(value.text);
  const parts: string[] = [];
  if (kind == JsonKind.Array) {
    for (const items = value.elements(); items.next(); ) parts.push(shown(items.value, depth + 1));
    return "[" + parts.join(",") + "]";
  }
  for (const items = value.members(); items.next(); ) parts.push(quoteJson(items.name) + ":" + shown(items.value, depth + 1));
  return "{" + parts.join(",") + "}";
}

function number(value: JsonValue): string {
  const whole = value.isInt ? value.int.toString() : "-";
  const float = value.float;
  if (isNaN(float)) return whole + " -";
  return whole + " " + reinterpret<u64>(float).toString(16).padStart(16, "0");
}
