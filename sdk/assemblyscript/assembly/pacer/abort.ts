// How a module ends that cannot go on: the flag `--use abort=~lib/pacer/abort/abortWith`.

@external("wasi_snapshot_preview1", "fd_write")
declare function write(file: u32, pieces: usize, n: u32, written: usize): u32;

/** The piece that is written, its size, and how much was: three numbers. */
const piece = memory.data(12);

/**
 * Makes the message of a throw, an assert or an index out of range the cause of the
 * trap that follows: the host takes a printed line that starts so.
 */
export function abortWith(message: string | null, file: string | null, line: u32, column: u32): void {
  const cause = message === null ? "assertion failed" : message;
  const place = file === null ? "" : " (" + file + ":" + line.toString() + ")";
  const text = String.UTF8.encode("panic: " + cause + place + "\n");
  store<u32>(piece, changetype<usize>(text));
  store<u32>(piece, text.byteLength, 4);
  write(2, piece, 1, piece + 8);
  unreachable();
}
