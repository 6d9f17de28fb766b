// Policy modules for Pacer in AssemblyScript; ../README.md says how one is written.
// sdk/policy.proto says what each field means, docs/policy-abi.md how a module is called.
export { AppFacts } from "./app";
export { Admission, AdmissionRequest, AdmissionReview, GroupUse, offerAdmission, Subject, Verb } from "./admission";
export {
  ABSENT, Constraint, ConstraintAnswer, ConstraintInput, ConstraintSpec, EXCLUSIVE, offerConstraint, PreparedConstraint,
  REFILL, Traits, UNLIMITED, VOLATILE,
} from "./constraint";
export { failed, fault, invalid } from "./error";
export { Fetch, FetchDecision, FetchSpec, FetchURI, offerFetch, PreparedFetch } from "./fetch";
export { onConfigure, policyModule } from "./guest";
export { Health, HealthCheck, HealthHistory, HealthSpec, HealthState, HealthVerdict, offerHealth, PreparedHealth } from "./health";
export { kvGet, kvPut, Level, log, logEnabled, metricAdd, metricObserve, nowMillis, rand } from "./host";
export { checkJson, JsonItems, JsonKind, JsonValue, parseJson, parseJsonBytes } from "./json";
export { quoteJson } from "./json/text";
export { offerUpgrade, Outcome, PreparedUpgrade, Upgrade, UpgradeSpec, UpgradeState, UpgradeStep } from "./upgrade";
