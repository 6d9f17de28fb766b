// The content of strings.
import { BACKSLASH, hex } from "./scan";

/** The content of a string, without its quotes. */
export function unescaped(from: usize, to: usize): string {
  let at = from;
  while (at < to && load<u8>(at) != BACKSLASH) at++;
  if (at == to) return String.UTF8.decodeUnsafe(from, to - from);
  const bytes = new ArrayBuffer(<i32>(to - from)); // an escape is longer than what it stands for
  const start = changetype<usize>(bytes);
  let end = start;
  for (at = from; at < to; ) {
    const c = load<u8>(at++);
    if (c != BACKSLASH) {
      store<u8>(end++, c);
      continue;
    }
    const escape = load<u8>(at++);
    if (escape != 0x75) {
      store<u8>(end++, plain(escape));
      continue;
    }
    let code = unit(at);
    at += 4;
    if (code >= 0xd800 && code < 0xe000) {
      const low = code < 0xdc00 && to - at >= 6 && load<u16>(at) == 0x755c ? unit(at + 2) - 0xdc00 : 0x400;
      if (low < 0x400) {
        code = 0x10000 + ((code - 0xd800) << 10) + low;
        at += 6;
      } else code = 0xfffd; // half of a pair
    }
    end = encoded(end, code);
  }
  return String.UTF8.decodeUnsafe(start, end - start);
}

/** What an escape of one letter stands for. */
function plain(letter: u8): u8 {
  switch (letter) {
    case 0x62: return 8;
    case 0x66: return 12;
    case 0x6e: return 10;
    case 0x72: return 13;
    case 0x74: return 9;
  }
  return letter;
}

/** What the four digits of an escape stand for. */
function unit(at: usize): u32 {
  return (hex(load<u8>(at)) << 12) | (hex(load<u8>(at, 1)) << 8) | (hex(load<u8>(at, 2)) << 4) | hex(load<u8>(at, 3));
}

/** Writes a character in UTF-8. */
function encoded(to: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(to++, <u8>c);
    return to;
  }
  if (c < 0x800) store<u8>(to++, <u8>(0xc0 | (c >> 6)));
  else {
    if (c < 0x10000) store<u8>(to++, <u8>(0xe0 | (c >> 12)));
    else {
      store<u8>(to++, <u8>(0xf0 | (c >> 18)));
      store<u8>(to++, <u8>(0x80 | ((c >> 12) & 0x3f)));
    }
    store<u8>(to++, <u8>(0x80 | ((c >> 6) & 0x3f)));
  }
  store<u8>(to++, <u8>(0x80 | (c & 0x3f)));
  return to;
}

/** The text as a string of JSON, in quotes. */
export function quoteJson(text: string): string {
  let quoted = '"', from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x20 && c != 0x22 && c != 0x5c) continue;
    quoted += text.substring(from, i) + escape(c);
    from = i + 1;
  }
  return quoted + text.substring(from) + '"';
}

function escape(c: i32): string {
  switch (c) {
    case 0x22: return '\\"';
    case 0x5c: return "\\\\";
    case 9: return "\\t";
    case 10: return "\\n";
    case 13: return "\\r";
  }
  return (c < 16 ? "\\u000" : "\\u00") + c.toString(16);
}
