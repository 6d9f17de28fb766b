// Why a call has no answer. AssemblyScript has no exceptions that can be caught, so an
// error is noted and the function returns.

export enum Code {
  None = 0,
  Invalid = 1,
  Fault = 2,
}

let code: Code = Code.None;
let reason: string = "";

function note(c: Code, text: string): void {
  if (code != Code.None) return; // the first one is the cause of those that follow
  code = c;
  reason = text;
}

/** Says what the user, or the operator, has to change. Return after it. */
export function invalid(text: string): void {
  note(Code.Invalid, text);
}

/** Says that the module could not do its work. Return after it. */
export function fault(text: string): void {
  note(Code.Fault, text);
}

/** Tells whether an error was noted in this call. */
@inline
export function failed(): bool {
  return code != Code.None;
}

/** Not for modules: the error of the call. */
export function errorCode(): Code {
  return code;
}

/** Not for modules: the error of the call. */
export function errorReason(): string {
  return reason;
}

/** Not for modules: a new call begins. */
export function clearError(): void {
  code = Code.None;
  reason = "";
}
