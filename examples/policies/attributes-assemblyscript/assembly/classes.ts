// The part of the compiler that makes classes of runes.
import { isWord, MAX_RUNE, Op, Program } from "./program";
import { Source } from "./source";

// Flags as in (?i).
export const FOLD: u32 = 1;
export const DOT_NEWLINE: u32 = 2;
export const LINES: u32 = 4;

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

  emitRune(rune: i32): void {
    if (!(this.flags & FOLD) || !isWord(rune) || rune <= 0x39 || rune == 0x5f) {
      this.program.emit(Op.Rune, rune);
      return;
    }
    const first = this.program.ranges.length;
    this.range(rune, rune);
    this.program.emitClass(first, false);
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
    this.range(low, high);
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
    let from = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      const low = pairs.charCodeAt(i), high = pairs.charCodeAt(i + 1);
      if (negated) this.program.range(from, low - 1);
      else this.range(low, high);
      from = high + 1;
    }
    if (negated) this.program.range(from, MAX_RUNE);
  }

  /** Adds the range, and its letters in the other case where case is nothing. */
  private range(low: i32, high: i32): void {
    this.program.range(low, high);
    if (!(this.flags & FOLD)) return;
    this.program.range(max(low, 0x41) + 32, min(high, 0x5a) + 32);
    this.program.range(max(low, 0x61) - 32, min(high, 0x7a) - 32);
  }
}
