// What a module may ask of Pacer beyond the question that it is asked. All but the log
// has to be listed in the module's manifest and granted by the operator; a module
// imports what it calls, and nothing else.

@external("policy_v1", "log")
declare function hostLog(level: u32, text: usize, size: u32): void;
@external("policy_v1", "log_enabled")
declare function hostLogEnabled(level: u32): u32;
@external("policy_v1", "now_ms")
declare function hostNow(): u64;
@external("policy_v1", "rand_u64")
declare function hostRand(): u64;
@external("policy_v1", "metric_add")
declare function hostMetricAdd(metric: u32, v: f64): void;
@external("policy_v1", "metric_observe")
declare function hostMetricObserve(metric: u32, v: f64): void;
@external("policy_v1", "kv_get")
declare function hostGet(key: usize, size: u32, into: usize, room: u32): i32;
@external("policy_v1", "kv_put")
declare function hostPut(key: usize, size: u32, value: usize, length: u32): i32;

/** How grave a line of the log is. */
export enum Level {
  Debug = 0,
  Info = 1,
  Warning = 2,
  Error = 3,
}

/** Writes a line to Pacer's log. A module may write some 20 in a second. */
export function log(level: Level, text: string): void {
  const bytes = String.UTF8.encode(text);
  hostLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/** Tells whether lines of that level are written at all. */
export function logEnabled(level: Level): bool {
  return hostLogEnabled(level) != 0;
}

/** The time of the call, in milliseconds since 1970; it stands still while a call lasts. Needs the grant "now". */
export function nowMillis(): u64 {
  return hostNow();
}

/** A random number. The same call, with the same bytes, gets the same ones. Needs the grant "rand". */
export function rand(): u64 {
  return hostRand();
}

/** Adds to a metric of the manifest: a counter, by 0 or more, or a gauge. Needs the grant "metric". */
export function metricAdd(metric: u32, v: f64): void {
  hostMetricAdd(metric, v);
}

/** Sets a gauge of the manifest or adds a value to a histogram. Needs the grant "metric". */
export function metricObserve(metric: u32, v: f64): void {
  hostMetricObserve(metric, v);
}

/**
 * What is kept under a key; empty when nothing is. It is common to all instances of the
 * module, and is lost when Pacer or the module is restarted. Needs the grant "kv".
 */
export function kvGet(key: string): Uint8Array {
  const name = String.UTF8.encode(key);
  let value = new Uint8Array(256);
  let size = hostGet(changetype<usize>(name), name.byteLength, value.dataStart, value.length);
  while (size > value.length) {
    value = new Uint8Array(size);
    size = hostGet(changetype<usize>(name), name.byteLength, value.dataStart, value.length);
  }
  return value.subarray(0, max(size, 0));
}

/**
 * Keeps a value under a key if the call succeeds; an empty one removes the key. It
 * returns false when there is no room: a module may keep 64 KiB, with 32 bytes for each
 * entry. Needs the grant "kv".
 */
export function kvPut(key: string, value: Uint8Array): bool {
  const name = String.UTF8.encode(key);
  return hostPut(changetype<usize>(name), name.byteLength, value.dataStart, value.length) == 0;
}
