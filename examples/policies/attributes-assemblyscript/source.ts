// The text of an expression while it is compiled, and what runes are made of.
import { isWord, MAX_RUNE, NO_RUNE } from "./program";

/** Reads an expression from its begin to its end. The first mistake ends it. */
export class Source {
  /** What is next, in UTF-16 units. */
  at: i32 = 0;
  /** Why it is no expression; empty: it is one so far. */
  fault: string = "";

  constructor(public whole: string) {}

  /** Notes the first mistake: what it is, and the part of the expression. */
  wrong(what: string, part: string): void {
    if (this.fault == "") this.fault = what + ": " + part;
    this.at = this.whole.length; // every loop ends
  }

  get more(): bool {
    return this.at < this.whole.length;
  }

  get failed(): bool {
    return this.fault != "";
  }

  since(from: i32): string {
    return this.whole.substring(from, this.at);
  }

  /** The unit that is next; -1 at the end. */
  peek(): i32 {
    return this.more ? this.whole.charCodeAt(this.at) : NO_RUNE;
  }

  sees(text: string): bool {
    return this.whole.startsWith(text, this.at);
  }

  /** Moves behind the text if it comes next. */
  skips(text: string): bool {
    if (!this.sees(text)) return false;
    this.at += text.length;
    return true;
  }

  cutRune(): i32 {
    if (!this.more) return NO_RUNE;
    const rune = this.whole.codePointAt(this.at);
    this.at += rune > 0xffff ? 2 : 1;
    return rune;
  }

  /** The rune that is written with a backslash, which was taken. */
  escaped(): i32 {
    const from = this.at - 1;
    const rune = this.cutRune();
    const plain = "aftnrv".indexOf(String.fromCodePoint(max(rune, 0)));
    if (plain >= 0) return "\x07\f\t\n\r\v".charCodeAt(plain);
    if (rune == 0x78) return this.hexadecimal(from);
    if (rune >= 0x30 && rune <= 0x37 && (rune == 0x30 || digit(this.peek(), 8) >= 0)) return this.octal(rune - 0x30);
    if (rune == NO_RUNE) this.wrong("trailing backslash at end of expression", "");
    else if (rune == 0x6b || (rune >= 0x31 && rune <= 0x39)) {
      this.wrong("back-references are not supported (the syntax is RE2's)", this.since(from));
    } else if (rune == 0x70 || rune == 0x50) this.wrong("classes of Unicode are not supported here", this.since(from));
    else if (rune >= 0x80 || (isWord(rune) && rune != 0x5f)) this.wrong("invalid escape sequence", this.since(from));
    return max(rune, 0);
  }

  private octal(first: i32): i32 {
    let value = first;
    for (let i = 0; i < 2 && digit(this.peek(), 8) >= 0; i++) value = 8 * value + digit(this.cutRune(), 8);
    return value;
  }

  private hexadecimal(from: i32): i32 {
    let value = 0, n = 0;
    if (this.skips("{")) {
      while (n >= 0 && !this.skips("}")) {
        const d = digit(this.cutRune(), 16);
        value = 16 * value + d;
        n = d < 0 || value > MAX_RUNE ? -1 : n + 1;
      }
    } else {
      const first = digit(this.cutRune(), 16), second = digit(this.cutRune(), 16);
      value = 16 * first + second;
      n = first < 0 || second < 0 ? -1 : 2;
    }
    if (n > 0 && value >= 0xd800 && value < 0xe000) this.wrong("surrogates are not supported here", this.since(from));
    if (n > 0) return value;
    this.wrong("invalid escape sequence", this.since(from));
    return 0;
  }
}

function digit(c: i32, base: i32): i32 {
  const lower = c | 32;
  const n = c >= 0x30 && c <= 0x39 ? c - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 99;
  return n < base ? n : -1;
}
