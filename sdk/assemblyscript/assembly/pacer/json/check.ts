// Tells whether a text is JSON.
import {
  BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, hex, HIGHS, marks, ONES, OPEN_ARRAY, OPEN_OBJECT, QUOTE, space,
} from "./scan";

/** How deep arrays and objects may be in each other. */
export const JSON_DEPTH: u32 = 1024;

const NO_DIGIT = "expected a digit";
const BAD_ESCAPE = "bad escape";
const BAD_UTF8 = "not UTF-8";

/** Goes through a text once. Of what it is in it keeps one bit each: whether that is an object. */
@final
export class Checker {
  /** Where the value begins and ends, if there is one. */
  from: usize = 0;
  to: usize = 0;
  private cause: string = "";
  private depth: u32 = 0;
  private objects: StaticArray<u64> = new StaticArray<u64>(JSON_DEPTH / 64);

  constructor(private at: usize, private end: usize) {}

  /** What is wrong with the text; empty when nothing is. */
  check(): string {
    const start = this.at;
    this.skip();
    this.from = this.at;
    if (this.value()) {
      this.to = this.at;
      this.skip();
      if (this.at == this.end) return "";
      this.wrong("expected nothing behind the value");
    }
    const cause = this.at >= this.end ? "cut short" : this.cause;
    return "not JSON: byte " + (<u32>(this.at - start)).toString() + ": " + cause;
  }

  private wrong(cause: string): bool {
    this.cause = cause;
    return false;
  }

  private skip(): void {
    this.at = space(this.at, this.end);
  }

  @inline
  private is(byte: u8): bool {
    return this.at < this.end && load<u8>(this.at) == byte;
  }

  /** Checks the value that begins there, with all that is in it. */
  private value(): bool {
    while (true) {
      if (this.at >= this.end) return this.wrong("expected a value");
      const c = load<u8>(this.at);
      let good = false, ended = true;
      if (c == QUOTE) good = this.text();
      else if (c == OPEN_OBJECT || c == OPEN_ARRAY) {
        good = this.open(c == OPEN_OBJECT);
        if (good && this.closes()) {
          this.depth--;
          this.at++;
        } else if (good) {
          good = this.name();
          ended = false;
        }
      } else if (c == 0x74) good = this.literal(0x65757274, 4); // true
      else if (c == 0x66) good = this.literal(0x65736c6166, 5); // false
      else if (c == 0x6e) good = this.literal(0x6c6c756e, 4); // null
      else good = this.number();
      if (!good) return false;
      if (!ended) continue;
      if (!this.behind()) return false;
      if (this.depth == 0) return true;
    }
  }

  /** Checks what is behind a value: up to the next one, or to the end of the outermost one. */
  private behind(): bool {
    while (this.depth > 0) {
      this.skip();
      if (this.is(COMMA)) {
        this.at++;
        return this.name();
      }
      if (!this.closes()) return this.wrong("expected a comma or the end of the array or object");
      this.depth--;
      this.at++;
    }
    return true;
  }

  private open(object: bool): bool {
    if (this.depth == JSON_DEPTH) return this.wrong("nested deeper than 1024");
    const place = this.depth / 64, bit = <u64>1 << (this.depth % 64);
    const objects = unchecked(this.objects[place]);
    unchecked((this.objects[place] = object ? objects | bit : objects & ~bit));
    this.depth++;
    this.at++;
    this.skip();
    return true;
  }

  /** Whether the innermost one is. */
  private object(): bool {
    const i = this.depth - 1;
    return ((unchecked(this.objects[i / 64]) >> (i % 64)) & 1) != 0;
  }

  private closes(): bool {
    return this.is(this.object() ? CLOSE_OBJECT : CLOSE_ARRAY);
  }

  /** Checks what has to be before a value: in an object its name and a colon. */
  private name(): bool {
    this.skip();
    if (!this.object()) return true;
    if (!this.is(QUOTE)) return this.wrong("expected a name in quotes");
    if (!this.text()) return false;
    this.skip();
    if (!this.is(COLON)) return this.wrong("expected a colon");
    this.at++;
    this.skip();
    return true;
  }

  /** Checks for a word of so many letters, the first one lowest. */
  private literal(letters: u64, size: u32): bool {
    for (; size > 0; size--, letters >>= 8, this.at++) {
      if (!this.is(<u8>letters)) return this.wrong("expected true, false or null");
    }
    return true;
  }

  private digits(cause: string): bool {
    const from = this.at;
    while (this.at < this.end && <u8>(load<u8>(this.at) - 0x30) <= 9) this.at++;
    return this.at > from || this.wrong(cause);
  }

  private number(): bool {
    let cause = "expected a value";
    if (this.is(0x2d)) {
      this.at++;
      cause = NO_DIGIT;
    }
    if (this.is(0x30)) this.at++; // what is behind it is no part of the number
    else if (!this.digits(cause)) return false;
    if (this.is(0x2e)) {
      this.at++;
      if (!this.digits(NO_DIGIT)) return false;
    }
    if (!this.is(0x65) && !this.is(0x45)) return true;
    this.at++;
    if (this.is(0x2b) || this.is(0x2d)) this.at++;
    return this.digits(NO_DIGIT);
  }

  /** Checks a string that begins there. */
  private text(): bool {
    this.at++;
    while (true) {
      let at = this.at;
      const end = this.end;
      for (; end - at >= 8; at += 8) {
        const word = load<u64>(at);
        const found = (marks(word, QUOTE) | marks(word, BACKSLASH) | (word - ONES * 0x20) | word) & HIGHS;
        if (found != 0) {
          at += <usize>(ctz(found) >> 3);
          break;
        }
      }
      this.at = at;
      if (at >= end) return this.wrong("cut short");
      const c = load<u8>(at);
      if (c == QUOTE) {
        this.at++;
        return true;
      }
      if (c == BACKSLASH) {
        if (!this.escape()) return false;
      } else if (c < 0x20) return this.wrong("control character in a string");
      else if (c < 0x80) this.at++;
      else if (!this.utf8(c)) return false;
    }
  }

  /** Checks what is behind a backslash. */
  private escape(): bool {
    this.at++;
    if (this.at >= this.end) return this.wrong(BAD_ESCAPE);
    switch (load<u8>(this.at++)) {
      case 0x22: case 0x5c: case 0x2f: case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74: // "\/bfnrt
        return true;
      case 0x75: // u
        for (let i = 0; i < 4; i++, this.at++) {
          if (this.at >= this.end || hex(load<u8>(this.at)) > 15) return this.wrong(BAD_ESCAPE);
        }
        return true;
    }
    this.at--;
    return this.wrong(BAD_ESCAPE);
  }

  /** Checks a character of more than one byte. */
  private utf8(first: u8): bool {
    const size: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || this.end - this.at < size) return this.wrong(BAD_UTF8);
    const low: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const high: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    const second = load<u8>(this.at, 1);
    if (second < low || second > high) return this.wrong(BAD_UTF8);
    for (let i: usize = 2; i < size; i++) {
      if ((load<u8>(this.at + i) & 0xc0) != 0x80) return this.wrong(BAD_UTF8);
    }
    this.at += size;
    return true;
  }
}
