// What a module with policies of the kind "admission" exports besides.
import { reviewAdmission } from "../admission";

export function admission_review(size: u32): u64 {
  return reviewAdmission(size);
}
