// What every module exports: the entry file has `export * from "pacer/exports/module"`.
import "../abort"; // for --use abort=~lib/pacer/abort/abortWith
import { buffer, configureWith, describe } from "../guest";

export function policy_abi_v1(): void {}

export function policy_buffer(size: u32): usize {
  return buffer(size);
}

export function policy_describe(): u64 {
  return describe();
}

export function policy_configure(size: u32): u64 {
  return configureWith(size);
}
