//! Regular expressions as programs, and the machine that runs them. It keeps the set
//! of all instructions that could be next, so its time grows with the length of the
//! value times that of the program, whatever the expression: there is no backtracking.

use crate::automaton::Automaton;

/// A step of a program. Jumps are relative, so that code can be moved and copied.
#[derive(Clone, Copy, Debug)]
pub enum Instruction {
    Match,
    Rune(u32),
    /// One of the ranges of the program from first to end, or none of them.
    Class { first: usize, end: usize, negated: bool },
    Any,
    Jump(isize),
    Split(isize, isize),
    Assert(Assertion),
}

impl Instruction {
    /// Whether it takes a rune, or is the end.
    pub fn consumes(self) -> bool {
        !matches!(self, Instruction::Jump(_) | Instruction::Split(..) | Instruction::Assert(_))
    }
}

/// What holds between two runes.
#[derive(Clone, Copy, Debug)]
pub enum Assertion {
    TextBegin,
    TextEnd,
    LineBegin,
    LineEnd,
    WordEdge,
    NoWordEdge,
}

pub fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Assertion {
    fn holds(self, before: Option<char>, after: Option<char>) -> bool {
        let edge = before.map_or(false, is_word) != after.map_or(false, is_word);
        match self {
            Assertion::TextBegin => before.is_none(),
            Assertion::TextEnd => after.is_none(),
            Assertion::LineBegin => matches!(before, None | Some('\n')),
            Assertion::LineEnd => matches!(after, None | Some('\n')),
            Assertion::WordEdge => edge,
            Assertion::NoWordEdge => !edge,
        }
    }
}

/// A compiled expression.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub code: Vec<Instruction>,
    pub ranges: Vec<(u32, u32)>,
}

impl Program {
    /// Whether the instruction takes the rune.
    pub fn takes(&self, at: usize, rune: u32) -> bool {
        match self.code[at] {
            Instruction::Rune(c) => c == rune,
            Instruction::Any => true,
            Instruction::Class { first, end, negated } => {
                self.ranges[first..end].iter().any(|&(low, high)| low <= rune && rune <= high) != negated
            }
            _ => false,
        }
    }
}

/// A program with what it needs to run, so that a match allocates nothing.
pub struct Machine {
    program: Program,
    automaton: Option<Automaton>,
    now: Vec<usize>,
    next: Vec<usize>,
    stack: Vec<usize>,
    /// By instruction: the step in which it was met.
    seen: Vec<u64>,
    step: u64,
}

impl Machine {
    pub fn new(program: Program) -> Machine {
        let n = program.code.len();
        Machine {
            automaton: Automaton::new(&program),
            program,
            now: Vec::with_capacity(n),
            next: Vec::with_capacity(n),
            stack: Vec::with_capacity(2 * n + 1),
            seen: vec![0; n],
            step: 0,
        }
    }

    /// Tells whether the expression matches the whole text.
    pub fn matches(&mut self, text: &str) -> bool {
        let sure = self.automaton.as_mut().and_then(|a| a.matches(&self.program, text));
        sure.unwrap_or_else(|| self.run(text))
    }

    fn run(&mut self, text: &str) -> bool {
        let mut runes = text.chars();
        let mut rune = runes.next();
        self.next.clear();
        self.step += 1;
        self.reach(0, None, rune);
        while let Some(c) = rune {
            if self.next.is_empty() {
                return false;
            }
            let after = runes.next();
            // Most expressions are at one instruction nearly always, and go on to the next.
            if let [at] = self.next[..] {
                if !self.program.takes(at, c as u32) {
                    return false;
                }
                if self.program.code[at + 1].consumes() {
                    self.next[0] = at + 1;
                    rune = after;
                    continue;
                }
            }
            std::mem::swap(&mut self.now, &mut self.next);
            self.next.clear();
            self.step += 1;
            for i in 0..self.now.len() {
                let at = self.now[i];
                if self.program.takes(at, c as u32) {
                    self.reach(at + 1, rune, after);
                }
            }
            rune = after;
        }
        self.next.iter().any(|&at| matches!(self.program.code[at], Instruction::Match))
    }

    /// Adds to next what can take the next rune, from an instruction on.
    fn reach(&mut self, from: usize, before: Option<char>, after: Option<char>) {
        self.stack.push(from);
        while let Some(at) = self.stack.pop() {
            if self.seen[at] == self.step {
                continue;
            }
            self.seen[at] = self.step;
            match self.program.code[at] {
                Instruction::Jump(by) => self.stack.push(at.wrapping_add(by as usize)),
                Instruction::Split(one, other) => {
                    self.stack.push(at.wrapping_add(other as usize));
                    self.stack.push(at.wrapping_add(one as usize));
                }
                Instruction::Assert(a) if a.holds(before, after) => self.stack.push(at + 1),
                Instruction::Assert(_) => {}
                _ => self.next.push(at), // it consumes
            }
        }
    }
}
