// Numbers, rounded to the nearest f64, as the ones of the library are not always.

/** 4096 bits are enough: no more than 800 digits are looked at. */
const PARTS = 128, DIGITS = 800;

/** A whole number, the lowest part first. */
@final
class Big {
  n: i32 = 0;
  part: StaticArray<u32> = new StaticArray<u32>(PARTS);

  scale(by: u32, add: u32): void {
    let carry: u64 = add;
    for (let i = 0; i < this.n; i++) {
      carry += <u64>unchecked(this.part[i]) * by;
      unchecked((this.part[i] = <u32>carry));
      carry >>= 32;
    }
    if (carry > 0) this.part[this.n++] = <u32>carry;
  }

  shift(bits: i32): void {
    const parts = bits >> 5;
    for (let i = this.n - 1; i >= 0; i--) this.part[i + parts] = this.part[i];
    for (let i = 0; i < parts; i++) this.part[i] = 0;
    this.n += parts;
    if (bits & 31) this.scale(1 << (bits & 31), 0);
  }

  /** Below 0, 0 or above 0 as it is less, the same or more. */
  compare(other: Big): i32 {
    if (this.n != other.n) return this.n - other.n;
    for (let i = this.n - 1; i >= 0; i--) {
      const a = unchecked(this.part[i]), b = unchecked(other.part[i]);
      if (a != b) return a < b ? -1 : 1;
    }
    return 0;
  }

  subtract(other: Big): void {
    let borrow: i64 = 0;
    for (let i = 0; i < this.n; i++) {
      borrow += <i64>unchecked(this.part[i]) - <i64>(i < other.n ? unchecked(other.part[i]) : 0);
      unchecked((this.part[i] = <u32>borrow));
      borrow >>= 32;
    }
    while (this.n > 0 && this.part[this.n - 1] == 0) this.n--;
  }

  bits(): i32 {
    return 32 * this.n - clz<u32>(this.part[this.n - 1]);
  }
}

/** n / d, neither of them 0; infinity when that is too large. */
function divide(n: Big, d: Big): f64 {
  let exponent = n.bits() - d.bits(), bits = 53;
  if (exponent > 0) d.shift(exponent);
  else n.shift(-exponent);
  if (n.compare(d) < 0) {
    n.shift(1);
    exponent--;
  }
  // The quotient is now from 1 to below 2, times 2 to the exponent.
  if (exponent > 1023) return Infinity;
  if (exponent < -1022) bits -= -1022 - exponent;
  if (bits < 0) return 0;
  let quotient: u64 = 0;
  for (let i = 0; i < bits; i++) {
    const one = n.compare(d) >= 0;
    quotient = (quotient << 1) | u64(one);
    if (one) n.subtract(d);
    if (n.n > 0) n.shift(1);
  }
  const rest = n.compare(d); // with the half of the last bit
  if (rest > 0 || (rest == 0 && (quotient & 1) != 0)) quotient++;
  if (exponent < -1022) return reinterpret<f64>(quotient);
  return reinterpret<f64>((<u64>(exponent + 1023) << 52) + quotient - (<u64>1 << 52)); // may carry
}

/** A number of JSON; infinity when it is larger than any f64. */
export function numberOf(at: usize, end: usize): f64 {
  const negative = load<u8>(at) == 0x2d;
  if (negative) at++;
  const n = new Big();
  let digits: u64 = 0, count = 0, power: i64 = 0, point: i64 = 0;
  for (; at < end; at++) {
    const c = load<u8>(at), digit = <u32>c - 0x30;
    if ((c | 0x20) == 0x65) break;
    if (c == 0x2e) point = 1;
    else if (count == 0 && digit == 0) power -= point; // zeros at the front
    else if (++count <= DIGITS) {
      n.scale(10, digit);
      digits = count < 20 ? 10 * digits + digit : u64.MAX_VALUE;
      power -= point;
    } else {
      power += 1 - point;
      if (digit > 0) n.part[0] |= 1; // so far back it only says: a little more
    }
  }
  if (at < end) power += exponentOf(at + 1, end);
  const value = count == 0 ? 0 : scaled(n, digits, power, min(count, DIGITS));
  return negative ? -value : value;
}

function exponentOf(at: usize, end: usize): i64 {
  const sign = load<u8>(at);
  if (sign == 0x2d || sign == 0x2b) at++;
  let exponent: i64 = 0;
  for (; at < end; at++) {
    if (exponent < 100000000) exponent = 10 * exponent + load<u8>(at) - 0x30;
  }
  return sign == 0x2d ? -exponent : exponent;
}

function scaled(n: Big, digits: u64, power: i64, count: i64): f64 {
  const size = power < 0 ? -power : power;
  if (digits >> 53 == 0 && size <= 22) { // both are numbers that an f64 can hold exactly, and so are most
    let tens: f64 = 1;
    for (let i = size; i > 0; i--) tens *= 10;
    return power < 0 ? <f64>digits / tens : <f64>digits * tens;
  }
  if (power + count > 310) return Infinity;
  if (power + count < -330) return 0;
  const d = new Big();
  d.scale(0, 1);
  for (let i = size; i > 0; i--) (power < 0 ? d : n).scale(10, 0);
  return divide(n, d);
}
