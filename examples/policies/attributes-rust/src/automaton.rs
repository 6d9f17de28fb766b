//! A program as an automaton: a step in a table for each byte. The table is filled as
//! values need it, since all of it may be exponentially large. What it leaves alone is for
//! the machine: values beyond ASCII, the boundaries of words and lines, and programs that
//! are large or come to too many states.

use crate::machine::{Assertion, Instruction, Program};

const MOST_INSTRUCTIONS: usize = 512;
const MOST_STATES: usize = 128;

// How states are numbered; all others follow.
const UNKNOWN: u16 = 0; // a step that was not taken before
const DEAD: u16 = 1; // nothing matches any more
const START: u16 = 2;

/// A set of instructions to go on with.
#[derive(Default)]
struct State {
    instructions: Vec<usize>,
    /// When the value ends here.
    accepts: bool,
}

pub struct Automaton {
    /// Of each byte: the program does not tell those of a class apart.
    class: [u8; 128],
    classes: usize,
    /// By state and class: the next state.
    steps: Vec<u16>,
    states: Vec<State>,
    /// By instruction: the turn in which it was met.
    seen: Vec<u32>,
    turn: u32,
}

impl Automaton {
    /// None for a program that is left to the machine.
    pub fn new(program: &Program) -> Option<Automaton> {
        let known = |i: &Instruction| match i {
            Instruction::Assert(a) => matches!(a, Assertion::TextBegin | Assertion::TextEnd),
            _ => true,
        };
        if program.code.len() > MOST_INSTRUCTIONS || !program.code.iter().all(known) {
            return None;
        }
        let mut a = Automaton {
            class: [0; 128],
            classes: 1,
            steps: Vec::new(),
            states: Vec::new(),
            seen: vec![0; program.code.len()],
            turn: 0,
        };
        a.classify(program);
        a.add(State::default());
        a.add(State::default());
        let first = a.closure(program, &[0], true, false);
        let accepts = a.accepts(program, &first, true);
        a.add(State { instructions: first, accepts });
        Some(a)
    }

    /// Puts bytes apart that an instruction tells apart.
    fn classify(&mut self, program: &Program) {
        for at in 0..program.code.len() {
            if !program.code[at].consumes() {
                continue;
            }
            let mut renamed = [0u8; 256]; // 0: not yet
            let mut count = 0;
            for c in 0..128 {
                let old = 2 * self.class[c as usize] as usize + program.takes(at, c) as usize;
                if renamed[old] == 0 {
                    count += 1;
                    renamed[old] = count;
                }
                self.class[c as usize] = renamed[old] - 1;
            }
            self.classes = count as usize;
        }
    }

    fn add(&mut self, state: State) -> u16 {
        self.states.push(state);
        self.steps.resize(self.states.len() * self.classes, UNKNOWN);
        (self.states.len() - 1) as u16
    }

    /// Tells whether the whole text matches; None when that is left to the machine.
    pub fn matches(&mut self, program: &Program, text: &str) -> Option<bool> {
        let mut at = START;
        for &byte in text.as_bytes() {
            let class = *self.class.get(byte as usize)? as usize;
            let mut next = self.steps[at as usize * self.classes + class];
            if next == UNKNOWN {
                next = self.step(program, at, byte)?;
            }
            if next == DEAD {
                return Some(false);
            }
            at = next;
        }
        Some(self.states[at as usize].accepts)
    }

    /// Finds out where a byte leads, and notes it; None when there are too many states.
    fn step(&mut self, program: &Program, from: u16, byte: u8) -> Option<u16> {
        let before = &self.states[from as usize].instructions;
        let out: Vec<usize> = before.iter().filter(|&&i| program.takes(i, byte.into())).map(|i| i + 1).collect();
        let set = self.closure(program, &out, false, false);
        let next = self.number(program, set)?;
        let class = self.class[byte as usize] as usize;
        self.steps[from as usize * self.classes + class] = next;
        Some(next)
    }

    /// The state of a set in the middle of a value.
    fn number(&mut self, program: &Program, set: Vec<usize>) -> Option<u16> {
        if set.is_empty() {
            return Some(DEAD);
        }
        // The first state is another one, even with the same set: more holds there.
        let known = self.states.iter().skip(START as usize + 1).position(|s| s.instructions == set);
        if let Some(i) = known {
            return Some(START + 1 + i as u16);
        }
        if self.states.len() == MOST_STATES {
            return None;
        }
        let accepts = self.accepts(program, &set, false);
        Some(self.add(State { instructions: set, accepts }))
    }

    fn accepts(&mut self, program: &Program, set: &[usize], begin: bool) -> bool {
        let reached = self.closure(program, set, begin, true);
        reached.iter().any(|&i| matches!(program.code[i], Instruction::Match))
    }

    /// What is reached from the instructions without a byte: those that take one, that
    /// wait for the end, or are the end. In order, each one once.
    fn closure(&mut self, program: &Program, from: &[usize], begin: bool, end: bool) -> Vec<usize> {
        self.turn += 1;
        let (mut stack, mut set) = (from.to_vec(), Vec::new());
        while let Some(at) = stack.pop() {
            if self.seen[at] == self.turn {
                continue;
            }
            self.seen[at] = self.turn;
            match program.code[at] {
                Instruction::Jump(by) => stack.push(at.wrapping_add(by as usize)),
                Instruction::Split(one, other) => {
                    stack.push(at.wrapping_add(other as usize));
                    stack.push(at.wrapping_add(one as usize));
                }
                Instruction::Assert(Assertion::TextBegin) if begin => stack.push(at + 1),
                Instruction::Assert(Assertion::TextEnd) if end => stack.push(at + 1),
                Instruction::Assert(Assertion::TextBegin) => {}
                _ => set.push(at),
            }
        }
        set.sort_unstable();
        set
    }
}
