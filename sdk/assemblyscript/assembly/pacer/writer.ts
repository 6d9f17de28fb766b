// The answer of a call. It is written to memory that is kept for the next one. Fields
// that are 0 or empty are left out.

let buffer: usize = 0;
let capacity: u32 = 0;
let length: u32 = 0;

/** Not for modules: where the answer is. */
export function answerAt(): usize {
  return buffer;
}

/** Not for modules: its length in bytes. */
export function answerLength(): u32 {
  return length;
}

/** Begins an answer anew. */
export function clearAnswer(): void {
  length = 0;
}

function room(size: u32): void {
  const needed = length + size;
  if (needed <= capacity) return;
  capacity = max(2 * needed, 1024);
  buffer = buffer == 0 ? heap.alloc(capacity) : heap.realloc(buffer, capacity);
}

function varint(value: u64): void {
  room(10);
  while (value >= 0x80) {
    store<u8>(buffer + length++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(buffer + length++, <u8>value);
}

export function putNumber(field: u32, value: u64): void {
  if (value == 0) return;
  varint(field << 3);
  varint(value);
}

export function putFlag(field: u32, value: bool): void {
  putNumber(field, value ? 1 : 0);
}

/** Takes memory for a list of n numbers and returns how far in the answer it is. */
export function putNumbers(field: u32, n: u32): u32 {
  varint((field << 3) | 2);
  varint(4 * n);
  room(4 * n);
  const at = length;
  memory.fill(buffer + at, 0, 4 * n);
  length += 4 * n;
  return at;
}

/** An entry of a list, there even when it is empty. */
export function putEntry(field: u32, text: string): void {
  const size = <u32>String.UTF8.byteLength(text);
  varint((field << 3) | 2);
  varint(size);
  room(size);
  // Half of a pair of surrogates is no text; it is replaced.
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, buffer + length, false, String.UTF8.ErrorMode.REPLACE);
  length += size;
}

export function putText(field: u32, text: string): void {
  if (text.length > 0) putEntry(field, text);
}

export function putBytes(field: u32, bytes: Uint8Array): void {
  const size = <u32>bytes.length;
  if (size == 0) return;
  varint((field << 3) | 2);
  varint(size);
  room(size);
  memory.copy(buffer + length, bytes.dataStart, size);
  length += size;
}

/** Begins a message in the message; what is put next is in it. */
export function beginMessage(field: u32): u32 {
  varint((field << 3) | 2);
  return length;
}

/** Ends the message that began there. */
export function endMessage(begin: u32): void {
  const size = length - begin;
  let digits: u32 = 1;
  for (let n = size >> 7; n > 0; n >>= 7) digits++;
  room(digits);
  memory.copy(buffer + begin + digits, buffer + begin, size);
  length = begin;
  varint(size);
  length += size;
}
