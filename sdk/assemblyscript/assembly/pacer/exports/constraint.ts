// What a module with policies of the kind "constraint" exports besides.
import { prepareConstraint, evaluateConstraint, releaseConstraint } from "../constraint";

export function constraint_prepare(size: u32): u64 {
  return prepareConstraint(size);
}

export function constraint_evaluate(handle: u32, size: u32): u64 {
  return evaluateConstraint(handle, size);
}

export function constraint_release(handle: u32): void {
  releaseConstraint(handle);
}
