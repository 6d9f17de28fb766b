// What a module with policies of the kind "upgrade" exports besides.
import { prepareUpgrade, nextUpgrade, releaseUpgrade } from "../upgrade";

export function upgrade_prepare(size: u32): u64 {
  return prepareUpgrade(size);
}

export function upgrade_next(handle: u32, size: u32): u64 {
  return nextUpgrade(handle, size);
}

export function upgrade_release(handle: u32): void {
  releaseUpgrade(handle);
}
