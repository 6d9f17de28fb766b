// The part of the compiler that makes classes of runes.
import { MAX_RUNE, Op, Program } from "./program";
import { Source } from "./source";

// Flags as in (?i).
export const FOLD: u32 = 1;
export const DOT_NEWLINE: u32 = 2;
export const LINES: u32 = 4;

// Runes beyond ASCII that are an s and a K in another case, and the last one of all that
// has a case.
const LONG_S = 0x17f, KELVIN = 0x212a, LAST_WITH_CASE = 0x1e943;

// Named sets: pairs of first and last rune, in the order of their runes.
const posixNames: string[] = [
  "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit",
];
const posixSets: string[] = [
  "09AZaz", "AZaz", "\0\x7f", "\t\t  ", "\0\x1f\x7f\x7f", "09", "!~", "az", " ~", "!/:@[`{~", "\t\r  ", "AZ", "09AZ__az", "09AFaf",
];

export class ClassCompiler {
  flags: u32 = 0;
  program: Program = new Program();

  constructor(public source: Source) {}

  /** Emits a rune that is written from a place on. */
  emitRune(rune: i32, at: i32): void {
    const first = this.program.ranges.length;
    this.range(rune, rune, at);
    if (this.program.ranges.length > first + 2) {
      this.program.emitClass(first, false);
      return;
    }
    this.program.ranges.length = first;
    this.program.emit(Op.Rune, rune);
  }

  /** Takes \d, \S and the like. */
  perlSet(): bool {
    const s = this.source;
    if (s.skips("\\d")) this.set("09", false);
    else if (s.skips("\\D")) this.set("09", true);
    else if (s.skips("\\s")) this.set("\t\n\f\r  ", false);
    else if (s.skips("\\S")) this.set("\t\n\f\r  ", true);
    else if (s.skips("\\w")) this.set("09AZ__az", false);
    else if (s.skips("\\W")) this.set("09AZ__az", true);
    else return false;
    return true;
  }

  /** Compiles what follows a [. */
  characterClass(): void {
    const s = this.source, from = s.at - 1, first = this.program.ranges.length;
    const negated = s.skips("^");
    for (let begin = true; begin || !s.sees("]"); begin = false) {
      if (!s.more) {
        s.wrong("missing closing ]", s.whole.substring(from));
        return;
      }
      if (!this.posixSet() && !this.perlSet()) this.classRange();
      if (s.failed) return;
    }
    s.skips("]");
    this.program.emitClass(first, negated);
  }

  private classRange(): void {
    const s = this.source, at = s.at;
    const low = this.classRune();
    let high = low;
    if (s.sees("-") && !s.sees("-]") && s.at + 1 < s.whole.length) {
      s.skips("-");
      high = this.classRune();
    }
    if (low > high) s.wrong("invalid character class range", s.since(at));
    this.range(low, high, at);
  }

  private classRune(): i32 {
    return this.source.skips("\\") ? this.source.escaped() : this.source.cutRune();
  }

  /** Takes [:alpha:], [:^space:] and the like, inside of a class. */
  private posixSet(): bool {
    const s = this.source, from = s.at;
    const end = s.sees("[:") ? s.whole.indexOf(":]", from + 2) : -1;
    if (end < 0) return false; // it is a [ like any other
    const negated = s.whole.startsWith("^", from + 2);
    s.at = end + 2;
    const i = posixNames.indexOf(s.whole.substring(from + (negated ? 3 : 2), end));
    if (i < 0) s.wrong("invalid character class range", s.since(from));
    else this.set(posixSets[i], negated);
    return true;
  }

  /** Adds the set, or all runes that are not in it. */
  private set(pairs: string, negated: bool): void {
    if (this.flags & FOLD) pairs = folded(pairs);
    let from = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      const low = pairs.charCodeAt(i), high = pairs.charCodeAt(i + 1);
      if (negated) this.program.range(from, low - 1);
      else this.program.range(low, high);
      from = high + 1;
    }
    if (negated) this.program.range(from, MAX_RUNE);
  }

  /** Adds the range that is written from a place on, and its letters in the other case where case is nothing. */
  private range(low: i32, high: i32, at: i32): void {
    this.program.range(low, high);
    if (!(this.flags & FOLD) || (low <= 0x41 && high >= LAST_WITH_CASE)) return;
    if (high >= 0x80 && low <= LAST_WITH_CASE) {
      this.source.wrong("(?i) is supported for ASCII only here", this.source.since(at));
      return;
    }
    this.program.range(max(low, 0x41) + 32, min(high, 0x5a) + 32);
    this.program.range(max(low, 0x61) - 32, min(high, 0x7a) - 32);
    if (holds(low, high, 0x73)) this.program.range(LONG_S, LONG_S);
    if (holds(low, high, 0x6b)) this.program.range(KELVIN, KELVIN);
  }
}

/** Tells whether a small letter or its capital is in the range. */
function holds(low: i32, high: i32, letter: i32): bool {
  return (low <= letter && letter <= high) || (low <= letter - 32 && letter - 32 <= high);
}

/** The set where case is nothing. Those with letters have all of them, but for xdigit's, which has both cases. */
function folded(pairs: string): string {
  if (pairs == "az" || pairs == "AZ") pairs = "AZaz";
  for (let i = 0; i < pairs.length; i += 2) {
    if (holds(pairs.charCodeAt(i), pairs.charCodeAt(i + 1), 0x6b)) return pairs + "\u017f\u017f\u212a\u212a";
  }
  return pairs;
}
