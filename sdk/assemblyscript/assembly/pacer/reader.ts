// Protobuf's wire format, as far as the messages of sdk/policy.proto need it, read
// where it is.
import { failed, fault } from "./error";

const VARINT: u32 = 0, FIXED64: u32 = 1, BYTES: u32 = 2, FIXED32: u32 = 5;

/** Goes through the fields of a message. Bytes that are no message are a fault. */
@final
export class Reader {
  /** The number of the field that was read. */
  number: u32 = 0;
  /** Where its bytes are, and how many. */
  start: usize = 0;
  size: u32 = 0;
  private type: u32 = 0;
  private value: u64 = 0;
  private at: usize = 0;
  private end: usize = 0;

  /** Begins with a message. */
  open(at: usize, size: u32): Reader {
    this.at = at;
    this.end = at + size;
    return this;
  }

  /** Reads a field. It returns false behind the last one, and when there is an error. */
  next(): bool {
    if (this.at == this.end || failed()) return false;
    const tag = this.varint();
    this.number = <u32>(tag >> 3);
    this.type = <u32>tag & 7;
    if (this.type == VARINT) {
      this.value = this.varint();
    } else if (this.type == BYTES) {
      this.cut(this.varint());
    } else if (this.type == FIXED64) {
      this.cut(8);
      if (!failed()) this.value = load<u64>(this.start);
    } else if (this.type == FIXED32) {
      this.cut(4);
    } else {
      malformed("unknown wire type");
    }
    return !failed();
  }

  uint64(): u64 {
    if (this.type != VARINT) malformed("number expected");
    return this.value;
  }

  /** The low half of a longer number, as protobuf has it. */
  uint32(): u32 {
    return <u32>this.uint64();
  }

  flag(): bool {
    return this.uint64() != 0;
  }

  fixed64(): u64 {
    if (this.type != FIXED64) malformed("fixed number expected");
    return this.value;
  }

  double(): f64 {
    return reinterpret<f64>(this.fixed64());
  }

  /** Sees to it that the field has start and size. */
  bytes(): bool {
    if (this.type == BYTES) return true;
    malformed("bytes expected");
    return false;
  }

  text(): string {
    return this.bytes() ? String.UTF8.decodeUnsafe(this.start, this.size) : "";
  }

  copy(): Uint8Array {
    if (!this.bytes()) return new Uint8Array(0);
    const bytes = new Uint8Array(this.size);
    memory.copy(bytes.dataStart, this.start, this.size);
    return bytes;
  }

  /** The message in this field. */
  message(): Reader {
    const inner = new Reader();
    return this.bytes() ? inner.open(this.start, this.size) : inner;
  }

  private varint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 70 && this.at < this.end; shift += 7) {
      const byte = load<u8>(this.at++);
      value |= (<u64>byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    malformed(this.at == this.end ? "cut short" : "bad varint");
    return 0;
  }

  private cut(size: u64): void {
    if (size > <u64>(this.end - this.at)) {
      malformed("cut short");
      return;
    }
    this.start = this.at;
    this.size = <u32>size;
    this.at += <usize>size;
  }
}

/** Notes that bytes are not the message that was expected, and why. */
export function malformed(why: string): void {
  fault("malformed message: " + why);
}
