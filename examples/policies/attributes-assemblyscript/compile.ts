// The compiler of regular expressions: groups, repetitions, alternatives. The syntax is
// that of RE2, and of the LIKE that is built in. Unicode's classes (\pL) are refused, and
// so are runes beyond ASCII where case is nothing.
import { ClassCompiler, DOT_NEWLINE, FOLD, LINES } from "./classes";
import { isWord, Op, Program, WIDTH } from "./program";
import { Source } from "./source";

const MAX_REPEAT = 1000, MAX_DEPTH = 100;
/** No repetition, and as a most: any number. */
const NONE = -1;
/** There is nothing that could be repeated, and no repetition that was read. */
const NOTHING = -1;

export class Compiler {
  private source: Source;
  private classes: ClassCompiler;
  private depth: i32 = 0;
  // The repetition that was read last; most NONE is any number.
  private least: i32 = 0;
  private most: i32 = 0;
  // How often what was compiled last repeats the innermost thing in it, by counts.
  private copies: i32 = 1;

  constructor(expression: string) {
    const source = new Source(expression);
    this.source = source;
    this.classes = new ClassCompiler(source);
  }

  get program(): Program {
    return this.classes.program;
  }

  /** Why it is no expression; empty after it was compiled. */
  get fault(): string {
    return this.source.fault;
  }

  compile(): void {
    this.alternatives();
    const s = this.source;
    if (s.more) s.wrong("unexpected )", s.whole);
    this.program.emit(Op.Match);
    this.checkSize();
  }

  private checkSize(): void {
    if (this.program.full) this.source.wrong("expression too large", this.source.whole);
  }

  /** Compiles what is separated by |. */
  private alternatives(): void {
    const s = this.source, p = this.program;
    let ends = NONE; // the jumps to the end, each with the place of the one before
    let copies = 1;
    for (;;) {
      const from = p.size;
      this.sequence();
      copies = max(copies, this.copies);
      if (s.failed || !s.skips("|")) break;
      p.insert(from, Op.Split, 1, p.size - from + 2);
      p.emit(Op.Jump, ends);
      ends = p.size - 1;
    }
    while (ends >= 0 && !s.failed) {
      const before = p.code[WIDTH * ends + 1];
      p.code[WIDTH * ends + 1] = p.size - ends;
      ends = before;
    }
    this.copies = copies;
  }

  /** Compiles atoms and their repetitions up to a | or a ). */
  private sequence(): void {
    const s = this.source;
    let last = NOTHING, repeated = NOTHING, copies = 1;
    this.copies = 1;
    while (s.more && !s.sees("|") && !s.sees(")")) {
      const at = s.at;
      if (this.repeats()) {
        this.repetition(last, at, repeated);
        repeated = at;
      } else if (!s.failed) {
        const before = this.copies, from = this.atom();
        if (from == NOTHING) { // flags are passed over: a(?i)* is a*
          this.copies = before;
        } else {
          last = from;
          copies = max(copies, before);
        }
        repeated = NOTHING;
      }
      if (!s.failed) this.checkSize();
    }
    this.copies = max(copies, this.copies);
  }

  /** Applies the repetition that was read; repeated is where one begins that it follows. */
  private repetition(from: i32, at: i32, repeated: i32): void {
    const s = this.source, least = this.least, most = this.most;
    s.skips("?"); // which of several matches is found does not matter
    if (repeated != NOTHING) {
      const possessive = s.whole.charCodeAt(s.at - 1) == 0x2b;
      const what = possessive ? "possessive quantifiers are not supported (the syntax is RE2's)" : "invalid nested repetition operator";
      s.wrong(what, s.since(repeated));
    }
    if (from == NOTHING) s.wrong("missing argument to repetition operator", s.since(at));
    this.copies = most == 0 ? 1 : this.copies * max(most == NONE ? least : most, 1);
    if (this.copies > MAX_REPEAT && (least > 1 || most > 1)) s.wrong("invalid repeat count", s.since(at));
    if (!s.failed) this.repeat(from, least, most);
  }

  /** Makes what was compiled from a place on repeat. */
  private repeat(from: i32, least: i32, most: i32): void {
    const p = this.program, n = p.size - from;
    if (most == 0) {
      p.cut(from);
    } else if (least == 0 && most == NONE) {
      p.insert(from, Op.Split, 1, n + 2);
      p.emit(Op.Jump, -n - 1);
    } else if (least == 0) {
      p.insert(from, Op.Split, 1, n + 1);
      for (let k = 1; k < most; k++) p.copy(from, n + 1);
    } else {
      for (let k = 1; k < least; k++) p.copy(from, n);
      if (most == NONE) p.emit(Op.Split, -n, 1);
      for (let k = least; k < most; k++) {
        p.emit(Op.Split, 1, n + 1);
        p.copy(from, n);
      }
    }
  }

  /** Reads a repetition, if there is one. */
  private repeats(): bool {
    const s = this.source;
    this.least = 0;
    this.most = NONE;
    if (s.skips("*")) return true;
    if (s.skips("+")) this.least = 1;
    else if (s.skips("?")) this.most = 1;
    else return this.counted();
    return true;
  }

  /** Reads {2}, {2,} or {2,3}; anything else is text. */
  private counted(): bool {
    const s = this.source, from = s.at;
    if (!s.skips("{")) return false;
    this.least = this.count();
    this.most = this.least;
    let good = this.least != NONE;
    if (s.skips(",")) {
      this.most = this.count();
      good = good && (this.most != NONE || s.sees("}"));
    }
    if (!good || !s.skips("}")) {
      s.at = from;
      return false;
    }
    const wrong = this.least > MAX_REPEAT || this.most > MAX_REPEAT || (this.most != NONE && this.least > this.most);
    if (wrong) s.wrong("invalid repeat count", s.since(from));
    return !wrong;
  }

  /** Reads a count; a large one is just larger than all that are allowed. */
  private count(): i32 {
    const s = this.source, from = s.at;
    let value = NONE;
    for (let c = s.peek(); c >= 0x30 && c <= 0x39; c = s.peek()) {
      if (value == 0 && s.at == from + 1) return NONE; // 01 is no number
      value = min(10 * max(value, 0) + c - 0x30, MAX_REPEAT + 1);
      s.at++;
    }
    return value;
  }

  /** Compiles what a repetition can follow, and returns where that begins. */
  private atom(): i32 {
    const s = this.source, p = this.program, from = p.size, first = p.ranges.length, at = s.at;
    this.copies = 1;
    if (this.assertion()) return from;
    if (s.skips("(")) return this.group() ? from : NOTHING;
    if (s.skips("\\Q")) return this.literalText();
    if (this.classes.perlSet()) p.emitClass(first, false);
    else if (s.skips("[")) this.classes.characterClass();
    else if (s.skips(".")) this.dot();
    else this.classes.emitRune(s.skips("\\") ? s.escaped() : s.cutRune(), at);
    return from;
  }

  /** Compiles \Q…\E; of it, a repetition repeats the last rune. */
  private literalText(): i32 {
    let last = NOTHING;
    while (this.source.more && !this.source.skips("\\E")) {
      const at = this.source.at;
      last = this.program.size;
      this.classes.emitRune(this.source.cutRune(), at);
    }
    return last;
  }

  private assertion(): bool {
    const s = this.source, p = this.program, lines = (this.classes.flags & LINES) != 0;
    if (s.skips("^")) p.emit(lines ? Op.LineBegin : Op.TextBegin);
    else if (s.skips("$")) p.emit(lines ? Op.LineEnd : Op.TextEnd);
    else if (s.skips("\\A")) p.emit(Op.TextBegin);
    else if (s.skips("\\z")) p.emit(Op.TextEnd);
    else if (s.skips("\\b")) p.emit(Op.WordEdge);
    else if (s.skips("\\B")) p.emit(Op.NoWordEdge);
    else return false;
    return true;
  }

  private dot(): void {
    const p = this.program, first = p.ranges.length;
    if (this.classes.flags & DOT_NEWLINE) {
      p.emit(Op.Any);
      return;
    }
    p.range(0x0a, 0x0a);
    p.emitClass(first, true);
  }

  /** Compiles what follows a (. It returns false for one that only sets flags. */
  private group(): bool {
    const s = this.source, from = s.at - 1, flags = this.classes.flags;
    const name = s.sees("?P<") ? from + 4 : s.sees("?<") ? from + 3 : s.whole.length;
    if (name < s.whole.length) this.groupName(from, name);
    else if (s.skips("?") && !this.groupFlags(from)) return false;
    if (++this.depth > MAX_DEPTH) s.wrong("expression nests too deeply", s.whole);
    this.alternatives();
    this.depth--;
    this.classes.flags = flags;
    if (!s.skips(")")) s.wrong("missing closing )", s.whole);
    return true;
  }

  /** Moves behind the name of a group, which means nothing to a match. */
  private groupName(from: i32, name: i32): void {
    const s = this.source, end = s.whole.indexOf(">", name);
    s.at = name;
    while (isWord(s.peek())) s.at++;
    if (s.at > name && s.skips(">")) return;
    s.at = end < 0 ? s.whole.length : end + 1;
    this.notGroup("invalid named capture", from);
  }

  /** Names what other engines have and RE2 lacks, lest a good expression of theirs be called malformed. */
  private notGroup(what: string, from: i32): void {
    const part = this.source.since(from);
    if (part.startsWith("(?=") || part.startsWith("(?!") || part.startsWith("(?<=") || part.startsWith("(?<!")) {
      what = "look-around is not supported (the syntax is RE2's)";
    } else if (part.startsWith("(?>")) what = "atomic groups are not supported (the syntax is RE2's)";
    this.source.wrong(what, part);
  }

  /** Reads the flags of (?i) and (?i:…), behind the ?. It returns true when a group follows. */
  private groupFlags(from: i32): bool {
    const s = this.source;
    let flags = this.classes.flags, off = false, some = false;
    while (s.more) {
      let flag: u32 = 0;
      if (s.skips("i")) flag = FOLD;
      else if (s.skips("s")) flag = DOT_NEWLINE;
      else if (s.skips("m")) flag = LINES;
      else if (s.skips("U")) flag = 0; // which of several matches is found does not matter
      else if (!off && s.skips("-")) {
        off = true;
        some = false;
        continue;
      } else if ((s.sees(")") || s.sees(":")) && (some || !off)) {
        this.classes.flags = flags;
        if (s.skips(":")) return true;
        s.skips(")");
        return false;
      } else break;
      some = true;
      flags = off ? flags & ~flag : flags | flag;
    }
    s.cutRune();
    this.notGroup("invalid or unsupported Perl syntax", from);
    return false;
  }
}
