// Regular expressions as programs. Jumps are relative, so that what was compiled can be
// moved and copied: a repetition is made from what it repeats, without a tree in between.

export const MAX_RUNE: i32 = 0x10ffff;
export const NO_RUNE: i32 = -1;

const MAX_CODE = 4000;
const MAX_RANGES = 4000; // numbers, two of a range

export enum Op {
  Match = 0,
  /** x is the rune. */
  Rune = 1,
  /** One of the y ranges from x on. */
  Class = 2,
  /** None of them. */
  NotClass = 3,
  Any = 4, // the last that takes a rune
  /** Go on at x from here. */
  Jump = 5,
  /** Go on at x and at y from here. */
  Split = 6,
  TextBegin = 7,
  TextEnd = 8,
  LineBegin = 9,
  LineEnd = 10,
  WordEdge = 11,
  NoWordEdge = 12,
}

/** How many numbers an instruction has: its operation, x and y. */
export const WIDTH = 3;

@final
export class Program {
  code: i32[] = [];
  /** Pairs of the first rune and the last. */
  ranges: i32[] = [];

  /** How many instructions there are. */
  get size(): i32 {
    return this.code.length / WIDTH;
  }

  /** Tells whether there is no room for more. */
  get full(): bool {
    return this.size > MAX_CODE || this.ranges.length > MAX_RANGES;
  }

  emit(op: i32, x: i32 = 0, y: i32 = 0): void {
    if (this.full) return;
    this.code.push(op);
    this.code.push(x);
    this.code.push(y);
  }

  /** Puts an instruction before what was compiled from a place on. */
  insert(at: i32, op: i32, x: i32, y: i32): void {
    this.emit(op, x, y);
    if (this.full) return;
    this.code.copyWithin(WIDTH * (at + 1), WIDTH * at, this.code.length - WIDTH);
    this.code[WIDTH * at] = op;
    this.code[WIDTH * at + 1] = x;
    this.code[WIDTH * at + 2] = y;
  }

  /** Appends n instructions that are there. */
  copy(from: i32, n: i32): void {
    for (let k = WIDTH * from, end = WIDTH * (from + n); k < end && !this.full; k += WIDTH) {
      this.emit(this.code[k], this.code[k + 1], this.code[k + 2]);
    }
  }

  /** Drops what was compiled from a place on. */
  cut(at: i32): void {
    this.code.length = WIDTH * at;
  }

  /** Adds the range; none when it ends before it begins. */
  range(low: i32, high: i32): void {
    if (low > high || this.full) return;
    this.ranges.push(low);
    this.ranges.push(high);
  }

  /** Emits the class of the ranges from a place on. */
  emitClass(first: i32, negated: bool): void {
    this.emit(negated ? Op.NotClass : Op.Class, first, (this.ranges.length - first) / 2);
  }
}

export function isWord(r: i32): bool {
  return (r >= 0x30 && r <= 0x39) || (r >= 0x41 && r <= 0x5a) || r == 0x5f || (r >= 0x61 && r <= 0x7a);
}
