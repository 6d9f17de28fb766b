// What a module with policies of the kind "fetch" exports besides.
import { prepareFetch, decideFetch, releaseFetch } from "../fetch";

export function fetch_prepare(size: u32): u64 {
  return prepareFetch(size);
}

export function fetch_decide(handle: u32, size: u32): u64 {
  return decideFetch(handle, size);
}

export function fetch_release(handle: u32): void {
  releaseFetch(handle);
}
