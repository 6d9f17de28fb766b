// A policy module for Pacer in AssemblyScript. Its operators answer as those that are
// built in:
//
//     AS_LIKE expression    as LIKE: the whole value matches a regular expression
//     AS_UNLIKE expression  as UNLIKE: it does not; agents without the field fit
//     AS_MAX_PER n          as MAX_PER: at most n instances on each value
import {
  ABSENT, Constraint, ConstraintAnswer, ConstraintInput, ConstraintSpec, invalid, offerConstraint, policyModule, PreparedConstraint,
  Traits, UNLIMITED,
} from "pacer";
import { Compiler } from "./compile";
import { Machine } from "./machine";

export * from "pacer/exports/module";
export * from "pacer/exports/constraint";

policyModule("attributes-assemblyscript", "1.0.0");
offerConstraint(new Attributes());

class Attributes extends Constraint {
  operators(): string[] {
    return ["AS_LIKE", "AS_UNLIKE", "AS_MAX_PER"];
  }

  prepare(spec: ConstraintSpec): PreparedConstraint | null {
    if (spec.operator == "AS_MAX_PER") return prepareMaxPer(spec.value);
    return prepareLike(spec.value, spec.operator == "AS_UNLIKE");
  }
}

function prepareLike(expression: string, unlike: bool): PreparedConstraint | null {
  if (expression == "") {
    invalid("LIKE and UNLIKE require a non-empty, regular expression value");
    return null;
  }
  const compiler = new Compiler(expression);
  compiler.compile();
  if (compiler.fault != "") {
    invalid('"' + expression + '" is not a valid regular expression: ' + compiler.fault);
    return null;
  }
  const verb = unlike ? 'matches "' : 'does not match "';
  return new Like(new Machine(compiler.program), unlike, verb + expression + '"');
}

class Like extends PreparedConstraint {
  constructor(private machine: Machine, private unlike: bool, private reason: string) {
    super();
  }

  traits(): Traits {
    return Traits.PurePerValue;
  }

  evaluate(question: ConstraintInput, answer: ConstraintAnswer): void {
    if (this.unlike) answer.quota(ABSENT, UNLIMITED);
    for (let slot: u32 = ABSENT + 1; slot < question.slots; slot++) {
      if (this.machine.matches(question.at(slot), question.size(slot)) != this.unlike) answer.quota(slot, UNLIMITED);
    }
    answer.reason = this.reason;
  }
}

/** The first instance of a value always fits, even when the number is 0 or negative. */
function prepareMaxPer(value: string): PreparedConstraint | null {
  const n = integer(value);
  if (n > i32.MAX_VALUE || n < i32.MIN_VALUE) {
    invalid("MAX_PER requires an integer value");
    return null;
  }
  return new MaxPer(<u32>max(n, 1));
}

/** The integer that a text is; a very large one for a text that is none. */
function integer(text: string): i64 {
  const begin = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
  if (begin == text.length) return i64.MAX_VALUE;
  let n: i64 = 0;
  for (let i = begin; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return i64.MAX_VALUE;
    n = min(10 * n + digit, <i64>1 << 40);
  }
  return text.startsWith("-") ? -n : n;
}

class MaxPer extends PreparedConstraint {
  private reason: string;

  constructor(private limit: u32) {
    super();
    this.reason = "each value takes " + limit.toString() + " at most";
  }

  traits(): Traits {
    return Traits.Stateful;
  }

  evaluate(question: ConstraintInput, answer: ConstraintAnswer): void {
    for (let slot: u32 = ABSENT + 1; slot < question.slots; slot++) {
      const placed = question.placed(slot);
      if (placed < this.limit) answer.quota(slot, this.limit - placed);
    }
    answer.reason = this.reason;
  }
}
