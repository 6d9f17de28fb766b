// The machine that runs a program. It keeps the set of all instructions that could be
// next, so its time grows with the length of the value times that of the program,
// whatever the expression: there is no backtracking, and a match takes no memory.
import { isWord, NO_RUNE, Op, Program, WIDTH } from "./program";

/** What the machine works with, at addresses of its own. */
@unmanaged
class Registers {
  code: usize;
  ranges: usize;
  /** The instructions that are next now, and after the next rune. */
  now: usize;
  next: usize;
  stack: usize;
  /** By instruction: the step in which it was met. */
  seen: usize;
  size: u32;
  step: u32;
  /** Where the text goes on, and where it ends. */
  at: usize;
  end: usize;
}

@final
export class Machine {
  /** All memory of the machine: its registers, and what they point to. */
  private memory: StaticArray<i32>;

  constructor(program: Program) {
    const n = program.size, code = program.code, ranges = program.ranges;
    const head = <i32>(offsetof<Registers>() >> 2);
    const all = new StaticArray<i32>(head + code.length + ranges.length + 5 * n + 1);
    this.memory = all;
    for (let i = 0; i < code.length; i++) all[head + i] = code[i];
    for (let i = 0; i < ranges.length; i++) all[head + code.length + i] = ranges[i];
    const r = changetype<Registers>(changetype<usize>(all));
    r.code = changetype<usize>(all) + offsetof<Registers>();
    r.ranges = r.code + (<usize>code.length << 2);
    r.now = r.ranges + (<usize>ranges.length << 2);
    r.next = r.now + (<usize>n << 2);
    r.seen = r.next + (<usize>n << 2);
    r.stack = r.seen + (<usize>n << 2);
    r.size = n;
  }

  /** Tells whether the expression matches the whole text, valid UTF-8. */
  matches(at: usize, size: u32): bool {
    const r = changetype<Registers>(changetype<usize>(this.memory));
    r.at = at;
    r.end = at + size;
    return run(r);
  }
}

@inline
function instruction(r: Registers, i: u32): usize {
  return r.code + i * (WIDTH << 2);
}

/** Takes the first rune off the text. */
function cutRune(r: Registers): i32 {
  let at = r.at;
  if (at >= r.end) return NO_RUNE;
  let rune: i32 = load<u8>(at++);
  if (rune >= 0x80) {
    const more = rune < 0xe0 ? 1 : rune < 0xf0 ? 2 : 3;
    rune &= 0x3f >> more;
    for (let i = 0; i < more && at < r.end; i++) rune = (rune << 6) | (load<u8>(at++) & 0x3f);
  }
  r.at = at;
  return rune;
}

function newStep(r: Registers): void {
  if (++r.step != 0) return;
  memory.fill(r.seen, 0, r.size << 2); // the marks of 4 billion steps ago would count
  r.step = 1;
}

function run(r: Registers): bool {
  let rune = cutRune(r);
  newStep(r);
  let n = reach(r, r.now, 0, 0, NO_RUNE, rune);
  while (rune != NO_RUNE && n > 0) {
    const after = cutRune(r);
    // Most expressions are at one instruction nearly always, and go on to the next.
    if (n == 1) {
      const only = load<u32>(r.now), i = instruction(r, only);
      if (!takes(r, i, rune)) return false;
      if (load<i32>(i, WIDTH << 2) <= Op.Any) {
        store<u32>(r.now, only + 1);
        rune = after;
        continue;
      }
    }
    newStep(r);
    let reached: u32 = 0;
    for (let at = r.now, end = at + (n << 2); at < end; at += 4) {
      const i = load<u32>(at);
      if (takes(r, instruction(r, i), rune)) reached = reach(r, r.next, reached, i + 1, rune, after);
    }
    const list = r.now;
    r.now = r.next;
    r.next = list;
    n = reached;
    rune = after;
  }
  for (let at = r.now, end = at + (n << 2); rune == NO_RUNE && at < end; at += 4) {
    if (load<i32>(instruction(r, load<u32>(at))) == Op.Match) return true;
  }
  return false;
}

/** Adds to the list what can take the next rune, from an instruction on. */
function reach(r: Registers, list: usize, n: u32, from: u32, before: i32, after: i32): u32 {
  let top = r.stack;
  store<u32>(top, from);
  top += 4;
  while (top > r.stack) {
    top -= 4;
    const at = load<u32>(top), mark = r.seen + (at << 2);
    if (load<u32>(mark) == r.step) continue;
    store<u32>(mark, r.step);
    const i = instruction(r, at), op = load<i32>(i);
    if (op <= Op.Any) {
      store<u32>(list + (n << 2), at);
      n++;
    } else if (op == Op.Jump) {
      store<u32>(top, at + load<u32>(i, 4));
      top += 4;
    } else if (op == Op.Split) {
      store<u32>(top, at + load<u32>(i, 8));
      store<u32>(top, at + load<u32>(i, 4), 4);
      top += 8;
    } else if (holds(op, before, after)) {
      store<u32>(top, at + 1);
      top += 4;
    }
  }
  return n;
}

function takes(r: Registers, i: usize, rune: i32): bool {
  const op = load<i32>(i);
  if (op == Op.Rune) return load<i32>(i, 4) == rune;
  if (op != Op.Class && op != Op.NotClass) return op == Op.Any;
  let range = r.ranges + (load<u32>(i, 4) << 2);
  for (let n = load<i32>(i, 8); n > 0; n--, range += 8) {
    if (load<i32>(range) <= rune && rune <= load<i32>(range, 4)) return op == Op.Class;
  }
  return op == Op.NotClass;
}

/** Tells whether an instruction that takes no rune lets the machine pass between two runes. */
function holds(op: i32, before: i32, after: i32): bool {
  switch (op) {
    case Op.TextBegin: return before == NO_RUNE;
    case Op.TextEnd: return after == NO_RUNE;
    case Op.LineBegin: return before == NO_RUNE || before == 0x0a;
    case Op.LineEnd: return after == NO_RUNE || after == 0x0a;
    case Op.WordEdge: return isWord(before) != isWord(after);
    default: return isWord(before) == isWord(after);
  }
}
