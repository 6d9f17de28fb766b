// Reads JSON, and amends it: the app that an admission policy reviews, and the settings of
// any module. A text is checked once, and nothing is built of it: a JsonValue is the piece
// of the text that it stands for, and is looked into where it is.
import { fault } from "./error";
import { Checker } from "./json/check";
import { numberOf } from "./json/number";
import {
  BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, endOf, OPEN_ARRAY, OPEN_OBJECT, QUOTE, quoted, space,
} from "./json/scan";
import { quoteJson, unescaped } from "./json/text";

/** What a value is. */
export enum JsonKind {
  Absent,
  Null,
  Bool,
  Number,
  String,
  Array,
  Object,
}

/**
 * Checks that the text is one value of JSON, as RFC 8259 has it, with nothing but white
 * space around it, in UTF-8 and nested no deeper than 1024. If it is not, that is a fault,
 * and the value is absent. Of what a user wrote, checkJson says what is wrong.
 */
export function parseJson(text: string): JsonValue {
  return parseJsonBytes(Uint8Array.wrap(String.UTF8.encode(text)));
}

/** The same of bytes, which must not change afterwards. */
export function parseJsonBytes(bytes: Uint8Array): JsonValue {
  const checker = new Checker(bytes.dataStart, bytes.dataStart + bytes.length);
  const wrong = checker.check();
  if (wrong == "") return new JsonValue(bytes, checker.from, checker.to);
  fault(wrong);
  return absent(bytes);
}

/** What is wrong with a text, such as "not JSON: byte 7: expected a colon"; empty when nothing is. */
export function checkJson(bytes: Uint8Array): string {
  return new Checker(bytes.dataStart, bytes.dataStart + bytes.length).check();
}

function absent(bytes: Uint8Array): JsonValue {
  return new JsonValue(bytes, 0, 0);
}

/** A value of a text that was parsed. It may be kept. */
@final
export class JsonValue {
  /** Not for modules: the text, and the addresses in it of the value and its end. */
  constructor(public bytes: Uint8Array, public from: usize, public to: usize) {}

  get kind(): JsonKind {
    if (this.from == this.to) return JsonKind.Absent;
    switch (load<u8>(this.from)) {
      case OPEN_OBJECT: return JsonKind.Object;
      case OPEN_ARRAY: return JsonKind.Array;
      case QUOTE: return JsonKind.String;
      case 0x74: case 0x66: return JsonKind.Bool;
      case 0x6e: return JsonKind.Null;
    }
    return JsonKind.Number;
  }

  /** Whether there is a value; null is one. */
  get exists(): bool {
    return this.from != this.to;
  }

  /** The text of the value as it was written. */
  get raw(): string {
    return String.UTF8.decodeUnsafe(this.from, this.to - this.from);
  }

  /**
   * What is in the member of this name; of some the last one. It is absent when there is
   * none, and in a value that is no object. Names are compared exactly.
   */
  get(name: string): JsonValue {
    const found = absent(this.bytes);
    const items = this.members();
    while (items.next()) {
      if (!items.is(name)) continue;
      found.from = items.value.from;
      found.to = items.value.to;
    }
    return found;
  }

  /** What is in the members of these names, one in the other. */
  at(path: string[]): JsonValue {
    let value: JsonValue = this;
    for (let i = 0; i < path.length; i++) value = value.get(path[i]);
    return value;
  }

  /** The members of an object, with all that have the same name; none of any other value. */
  members(): JsonItems {
    return new JsonItems(this, this.kind == JsonKind.Object);
  }

  /** The elements of an array; none of any other value. */
  elements(): JsonItems {
    return new JsonItems(this, this.kind == JsonKind.Array);
  }

  /** The content of a string, empty of any other value. Half of a pair of surrogates is U+FFFD. */
  get text(): string {
    return this.kind == JsonKind.String ? unescaped(this.from + 1, this.to - 1) : "";
  }

  /** Whether the value is true. */
  get isTrue(): bool {
    return this.exists && load<u8>(this.from) == 0x74;
  }

  /** Whether it is a number without a fraction and an exponent that an i64 can hold. */
  get isInt(): bool {
    return this.whole() != 0 || (this.kind == JsonKind.Number && this.zero());
  }

  /** That number, and 0 of any other value. */
  get int(): i64 {
    return this.whole();
  }

  /** A number, rounded to the nearest f64. NaN of any other value, and when it is larger than any f64. */
  get float(): f64 {
    if (this.kind != JsonKind.Number) return NaN;
    const n = numberOf(this.from, this.to);
    return isFinite(n) ? n : NaN;
  }

  /** The number that it is, 0 for any that is not a whole one or too large. */
  private whole(): i64 {
    if (this.kind != JsonKind.Number) return 0;
    const negative = load<u8>(this.from) == 0x2d;
    let n: i64 = 0; // below 0 until the end: the smallest number has no counterpart
    for (let at = this.from + usize(negative); at < this.to; at++) {
      const digit = <i64>load<u8>(at) - 0x30;
      if (digit < 0 || digit > 9 || n < (i64.MIN_VALUE + digit) / 10) return 0;
      n = 10 * n - digit;
    }
    if (negative) return n;
    return n == i64.MIN_VALUE ? 0 : -n;
  }

  /** Whether it is written as 0 or -0. */
  private zero(): bool {
    const at = this.from + usize(load<u8>(this.from) == 0x2d);
    return this.to - at == 1 && load<u8>(at) == 0x30;
  }

  /**
   * The text of the value with another value, JSON, at the path. Objects on the way that
   * are not there, or null, are made. All else stays as it was written. When that is not
   * possible, that is a fault, and the text empty.
   */
  amend(path: string[], raw: string): Uint8Array {
    const wrong = checkJson(Uint8Array.wrap(String.UTF8.encode(raw)));
    if (wrong != "") return refused(wrong);
    let there: JsonValue = this, depth = 0;
    for (; depth < path.length; depth++) {
      const next = there.get(path[depth]);
      if (!next.exists) break;
      there = next;
    }
    const object = there.kind == JsonKind.Object, more = depth < path.length;
    if (more && !object && there.kind > JsonKind.Null) {
      return refused("/" + path.slice(0, depth).join("/") + " is no object");
    }
    for (let i = path.length - 1; i >= depth; i--) { // from the inside
      raw = quoteJson(path[i]) + ":" + raw;
      if (i > depth || !object) raw = "{" + raw + "}";
    }
    let from = there.from, to = there.to;
    if (more && object) { // the member comes last, before the bracket
      from = --to;
      if (there.members().next()) raw = "," + raw;
    }
    return joined(this.from, from, raw, to, this.to);
  }
}

function refused(why: string): Uint8Array {
  fault(why);
  return new Uint8Array(0);
}

function joined(from: usize, to: usize, middle: string, behind: usize, end: usize): Uint8Array {
  const inner = String.UTF8.encode(middle);
  const bytes = new Uint8Array(<i32>(to - from) + inner.byteLength + <i32>(end - behind));
  let at = bytes.dataStart;
  memory.copy(at, from, to - from);
  at += to - from;
  memory.copy(at, changetype<usize>(inner), inner.byteLength);
  memory.copy(at + inner.byteLength, behind, end - behind);
  return bytes;
}

/** Goes through an object or array: `for (const items = env.members(); items.next(); ) …`. */
@final
export class JsonItems {
  /** The value of the item; another one after next. */
  value: JsonValue;
  private place: usize;
  private end: usize;
  private key: usize = 0;
  private keyEnd: usize = 0;

  /** Not for modules. */
  constructor(inside: JsonValue, some: bool) {
    this.value = absent(inside.bytes);
    this.end = inside.to;
    this.place = some ? inside.from + 1 : inside.to;
  }

  /** Goes to the next item, if there is one. */
  next(): bool {
    const end = this.end;
    let at = space(this.place, end);
    if (at < end && load<u8>(at) == COMMA) at = space(at + 1, end);
    if (at >= end || load<u8>(at) == CLOSE_OBJECT || load<u8>(at) == CLOSE_ARRAY) return false;
    if (load<u8>(end - 1) == CLOSE_OBJECT) {
      this.key = at;
      this.keyEnd = quoted(at, end);
      at = space(space(this.keyEnd, end) + 1, end); // behind the colon
    }
    this.place = endOf(at, end);
    this.value = new JsonValue(this.value.bytes, at, this.place);
    return true;
  }

  /** The name of a member; empty in arrays. */
  get name(): string {
    return this.key == 0 ? "" : unescaped(this.key + 1, this.keyEnd - 1);
  }

  /** Whether the member has this name. That is cheaper than to compare it. */
  is(name: string): bool {
    const from = this.key + 1, size = <i32>(this.keyEnd - from) - 1;
    if (this.key == 0 || size < name.length) return false; // no character takes more units than bytes
    for (let i = 0; i < size; i++) {
      const c = load<u8>(from + i);
      if (c == BACKSLASH || c >= 0x80) return this.name == name;
      if (i == name.length || load<u16>(changetype<usize>(name) + 2 * i) != c) return false;
    }
    return true;
  }
}
