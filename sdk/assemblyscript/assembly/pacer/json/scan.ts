// Walks texts that are valid. Places are addresses.

export const ONES: u64 = 0x0101010101010101;
export const HIGHS: u64 = 0x8080808080808080;

export const QUOTE: u8 = 0x22, BACKSLASH: u8 = 0x5c, COMMA: u8 = 0x2c, COLON: u8 = 0x3a;
export const OPEN_OBJECT: u8 = 0x7b, CLOSE_OBJECT: u8 = 0x7d, OPEN_ARRAY: u8 = 0x5b, CLOSE_ARRAY: u8 = 0x5d;

/** Marks the bytes of a word that are this one. The lowest that is marked is never a mistake. */
@inline
export function marks(word: u64, byte: u8): u64 {
  return ((word ^ (ONES * byte)) - ONES) & ~word;
}

/** The first place from there on where no white space is. */
export function space(at: usize, end: usize): usize {
  while (at < end) {
    const c = load<u8>(at);
    if (c != 0x20 && c != 0x0a && c != 0x09 && c != 0x0d) break;
    at++;
  }
  return at;
}

/** The place behind a string that begins there. */
export function quoted(at: usize, end: usize): usize {
  at++;
  while (true) {
    for (; end - at >= 8; at += 8) {
      const word = load<u64>(at);
      const found = (marks(word, QUOTE) | marks(word, BACKSLASH)) & HIGHS;
      if (found != 0) {
        at += <usize>(ctz(found) >> 3);
        break;
      }
    }
    const c = load<u8>(at);
    if (c == QUOTE) return at + 1;
    at += c == BACKSLASH ? 2 : 1;
  }
}

/** The place behind the value that begins there. */
export function endOf(at: usize, end: usize): usize {
  let c = load<u8>(at);
  if (c == QUOTE) return quoted(at, end);
  if (c != OPEN_OBJECT && c != OPEN_ARRAY) {
    while (at < end && c > 0x20 && c != COMMA && (c | 0x20) != CLOSE_OBJECT) {
      if (++at < end) c = load<u8>(at);
    }
    return at;
  }
  let depth = 0;
  while (true) {
    c = load<u8>(at);
    while (c == QUOTE) {
      at = quoted(at, end);
      c = load<u8>(at);
    }
    if (c == OPEN_OBJECT || c == OPEN_ARRAY) depth++;
    else if ((c == CLOSE_OBJECT || c == CLOSE_ARRAY) && --depth == 0) return at + 1;
    at++;
  }
}

/** The value of a digit; more than 15 if it is none. */
export function hex(c: u8): u32 {
  const digit = <u32>c - 0x30, letter = (<u32>c | 0x20) - 0x61;
  return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}
