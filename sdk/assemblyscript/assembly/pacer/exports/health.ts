// What a module with policies of the kind "health" exports besides.
import { prepareHealth, judgeHealth, releaseHealth } from "../health";

export function health_prepare(size: u32): u64 {
  return prepareHealth(size);
}

export function health_judge(handle: u32, size: u32): u64 {
  return judgeHealth(handle, size);
}

export function health_release(handle: u32): void {
  releaseHealth(handle);
}
