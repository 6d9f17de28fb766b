//! The compiler of regular expressions. The syntax is that of RE2, and of the LIKE
//! that is built in, but for Unicode's classes (\pL) and for letters beyond ASCII,
//! whose case always counts. A repetition is made by copying what it repeats.

use crate::machine::{is_word, Assertion, Instruction, Program};

const MAX_CODE: usize = 4000;
const MAX_REPEAT: u32 = 1000;
const MAX_DEPTH: u32 = 100;

/// Why it is no expression: what is wrong, and where.
#[derive(Debug)]
pub struct Fault(&'static str, String);

impl Fault {
    pub fn new(what: &'static str, part: &str) -> Fault {
        Fault(what, part.to_owned())
    }
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    dot_newline: bool,
    lines: bool,
}

pub struct Compiler<'a> {
    whole: &'a str,
    /// What is still to be compiled.
    pub rest: &'a str,
    pub program: Program,
    flags: Flags,
    depth: u32,
}

/// Makes a program of an expression, or says why it is none.
pub fn compile(expression: &str) -> Result<Program, String> {
    let mut c = Compiler {
        whole: expression,
        rest: expression,
        program: Program::default(),
        flags: Flags::default(),
        depth: 0,
    };
    match c.all() {
        Ok(()) => Ok(c.program),
        Err(Fault(what, part)) => Err([what, ": ", &part].concat()),
    }
}

/// At least, and at most; None: any number.
type Repetition = (u32, Option<u32>);

impl<'a> Compiler<'a> {
    fn all(&mut self) -> Result<(), Fault> {
        self.alternatives()?;
        if !self.rest.is_empty() {
            return Err(Fault::new("unexpected )", self.whole));
        }
        self.emit(Instruction::Match)
    }

    pub fn fold(&self) -> bool {
        self.flags.fold
    }

    /// Moves behind the text if it comes next.
    pub fn skips(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub fn cut(&mut self) -> Option<char> {
        let rune = self.rest.chars().next()?;
        self.rest = &self.rest[rune.len_utf8()..];
        Some(rune)
    }

    /// What was taken since the rest was that.
    pub fn taken(&self, since: &'a str) -> &'a str {
        &since[..since.len() - self.rest.len()]
    }

    fn too_large(&self) -> Fault {
        Fault::new("expression too large", self.whole)
    }

    pub fn emit(&mut self, i: Instruction) -> Result<(), Fault> {
        if self.program.code.len() >= MAX_CODE {
            return Err(self.too_large());
        }
        self.program.code.push(i);
        Ok(())
    }

    fn insert(&mut self, at: usize, i: Instruction) -> Result<(), Fault> {
        self.emit(i)?;
        self.program.code[at..].rotate_right(1);
        Ok(())
    }

    fn copy(&mut self, from: usize, n: usize) -> Result<(), Fault> {
        if self.program.code.len() + n > MAX_CODE {
            return Err(self.too_large());
        }
        self.program.code.extend_from_within(from..from + n);
        Ok(())
    }

    fn emit_rune(&mut self, rune: char) -> Result<(), Fault> {
        if self.flags.fold && rune.is_ascii_alphabetic() {
            let first = self.program.ranges.len();
            self.add_folded(rune, rune);
            return self.class_since(first, false);
        }
        self.emit(Instruction::Rune(rune))
    }

    fn digits(&mut self, base: u32, most: usize) -> Option<u32> {
        let size = self.rest.chars().take(most).take_while(|c| c.is_digit(base)).count();
        let value = u32::from_str_radix(&self.rest[..size], base).ok();
        self.rest = &self.rest[size..];
        value
    }

    fn hexadecimal(&mut self) -> Option<char> {
        if self.skips("{") {
            let value = self.digits(16, usize::MAX)?;
            return if self.skips("}") { char::from_u32(value) } else { None };
        }
        let from = self.rest;
        let value = self.digits(16, 2)?;
        return if self.taken(from).len() == 2 { char::from_u32(value) } else { None };
    }

    /// The rune that is written with a backslash, which was taken.
    pub fn escaped(&mut self) -> Result<char, Fault> {
        let from = self.rest;
        let rune = self.cut().ok_or_else(|| Fault::new("trailing backslash at end of expression", ""))?;
        let octal = rune.is_digit(8) && (rune == '0' || self.rest.starts_with(|c: char| c.is_digit(8)));
        let known = match rune {
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            'x' => self.hexadecimal(),
            _ if octal => {
                self.rest = from;
                self.digits(8, 3).and_then(char::from_u32)
            }
            _ if rune.is_ascii() && !rune.is_ascii_alphanumeric() => Some(rune),
            _ => None,
        };
        let what = match rune {
            '1'..='9' | 'k' => "back-references are not supported (the syntax is RE2's)",
            'p' | 'P' => "classes of Unicode are not supported here",
            _ => "invalid escape sequence",
        };
        known.ok_or_else(|| Fault::new(what, &["\\", self.taken(from)].concat()))
    }

    /// Refuses what other engines have and RE2 lacks, so that a user of those is not
    /// told that a good expression is malformed.
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        for around in ["?=", "?!", "?<=", "?<!"] {
            if self.rest.starts_with(around) {
                return Err(Fault("look-around is not supported (the syntax is RE2's)", ["(", around].concat()));
            }
        }
        if self.rest.starts_with("?>") {
            return Err(Fault::new("atomic groups are not supported (the syntax is RE2's)", "(?>"));
        }
        Ok(())
    }

    /// Reads the flags of (?i) and (?i:…), behind the ?. It returns true when a group
    /// follows.
    fn group_flags(&mut self, from: &'a str) -> Result<bool, Fault> {
        let (mut flags, mut on) = (self.flags, true);
        loop {
            match self.cut() {
                Some('i') => flags.fold = on,
                Some('s') => flags.dot_newline = on,
                Some('m') => flags.lines = on,
                Some('U') => {} // which of several matches is found does not matter
                Some('-') if on => on = false,
                Some(end @ (')' | ':')) => {
                    self.flags = flags;
                    return Ok(end == ':');
                }
                _ => return Err(Fault::new("invalid or unsupported Perl syntax", self.taken(from))),
            }
        }
    }

    /// Compiles what follows a (. It returns false for one that only sets flags.
    fn group(&mut self, from: &'a str) -> Result<bool, Fault> {
        let flags = self.flags;
        self.refuse_unsupported()?;
        if self.skips("?P<") || self.skips("?<") {
            let size = self.rest.chars().take_while(|&c| is_word(c)).count();
            self.rest = &self.rest[size..];
            if size == 0 || !self.skips(">") {
                return Err(Fault::new("invalid named capture", self.taken(from)));
            }
        } else if self.skips("?") && !self.group_flags(from)? {
            return Ok(false);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new("expression nests too deeply", self.whole));
        }
        self.alternatives()?;
        self.depth -= 1;
        self.flags = flags;
        if !self.skips(")") {
            return Err(Fault::new("missing closing )", self.whole));
        }
        Ok(true)
    }

    fn assertion(&mut self) -> Option<Assertion> {
        let (begin, end) = match self.flags.lines {
            true => (Assertion::LineBegin, Assertion::LineEnd),
            false => (Assertion::TextBegin, Assertion::TextEnd),
        };
        [
            ("^", begin),
            ("$", end),
            ("\\A", Assertion::TextBegin),
            ("\\z", Assertion::TextEnd),
            ("\\b", Assertion::WordEdge),
            ("\\B", Assertion::NoWordEdge),
        ]
        .into_iter()
        .find(|(text, _)| self.skips(text))
        .map(|(_, assertion)| assertion)
    }

    /// Compiles what a repetition can follow. It returns where that begins, None for
    /// what cannot be repeated.
    fn atom(&mut self) -> Result<Option<usize>, Fault> {
        let (mut from, first, whole) = (self.program.code.len(), self.program.ranges.len(), self.rest);
        if let Some(a) = self.assertion() {
            self.emit(Instruction::Assert(a))?;
        } else if self.skips("(") {
            return Ok(self.group(whole)?.then(|| from));
        } else if self.skips("\\Q") {
            while !self.rest.is_empty() && !self.skips("\\E") {
                from = self.program.code.len();
                let rune = self.cut().unwrap_or_default();
                self.emit_rune(rune)?;
            }
            return Ok((from < self.program.code.len()).then(|| from));
        } else if self.perl_set() {
            self.class_since(first, false)?;
        } else if self.skips("[") {
            self.class(whole)?;
        } else if self.skips(".") {
            match self.flags.dot_newline {
                true => self.emit(Instruction::Any)?,
                false => {
                    self.program.ranges.push(('\n', '\n'));
                    self.class_since(first, true)?;
                }
            }
        } else {
            let rune = if self.skips("\\") { self.escaped()? } else { self.cut().unwrap_or_default() };
            self.emit_rune(rune)?;
        }
        Ok(Some(from))
    }

    /// Reads {2}, {2,} or {2,3}; anything else is text.
    fn counted(&mut self) -> Option<Repetition> {
        let least = self.digits(10, 6)?;
        let most = match self.skips(",") {
            false => Some(least),
            true if self.rest.starts_with('}') => None,
            true => Some(self.digits(10, 6)?),
        };
        self.skips("}").then(|| (least, most))
    }

    fn repetition(&mut self) -> Option<Repetition> {
        for (text, r) in [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))] {
            if self.skips(text) {
                return Some(r);
            }
        }
        let before = self.rest;
        let counted = if self.skips("{") { self.counted() } else { None };
        if counted.is_none() {
            self.rest = before;
        }
        counted
    }

    /// Makes what was compiled from a place on repeat.
    fn repeat(&mut self, from: usize, (least, most): Repetition) -> Result<(), Fault> {
        let n = self.program.code.len() - from;
        let by = n as isize + 1;
        match (least, most) {
            (_, Some(0)) => self.program.code.truncate(from),
            (0, None) => {
                self.insert(from, Instruction::Split(1, by + 1))?;
                self.emit(Instruction::Jump(-by))?;
            }
            (0, Some(most)) => {
                self.insert(from, Instruction::Split(1, by))?;
                for _ in 1..most {
                    self.copy(from, n + 1)?;
                }
            }
            _ => {
                for _ in 1..least {
                    self.copy(from, n)?;
                }
                if most.is_none() {
                    self.emit(Instruction::Split(1 - by, 1))?;
                }
                for _ in least..most.unwrap_or(least) {
                    self.emit(Instruction::Split(1, by))?;
                    self.copy(from, n)?;
                }
            }
        }
        Ok(())
    }

    /// Compiles atoms and their repetitions up to a | or a ).
    fn sequence(&mut self) -> Result<(), Fault> {
        while !self.rest.is_empty() && !self.rest.starts_with('|') && !self.rest.starts_with(')') {
            let at = self.rest;
            if self.repetition().is_some() {
                return Err(Fault::new("missing argument to repetition operator", self.taken(at)));
            }
            let from = self.atom()?;
            let at = self.rest;
            let (least, most) = match self.repetition() {
                Some(r) => r,
                None => continue,
            };
            let from = from.ok_or_else(|| Fault::new("missing argument to repetition operator", self.taken(at)))?;
            self.skips("?"); // which of several matches is found does not matter
            if least > MAX_REPEAT || most.map_or(false, |most| most > MAX_REPEAT || most < least) {
                return Err(Fault::new("invalid repeat count", self.taken(at)));
            }
            let what = match self.rest.starts_with('+') {
                true => "possessive quantifiers are not supported (the syntax is RE2's)",
                false => "invalid nested repetition operator",
            };
            if self.repetition().is_some() {
                return Err(Fault::new(what, self.taken(at)));
            }
            self.repeat(from, (least, most))?;
        }
        Ok(())
    }

    /// Compiles what is separated by |.
    fn alternatives(&mut self) -> Result<(), Fault> {
        let mut ends = Vec::new(); // the jumps to the end
        loop {
            let from = self.program.code.len();
            self.sequence()?;
            if !self.skips("|") {
                break;
            }
            let n = self.program.code.len() - from;
            self.insert(from, Instruction::Split(1, n as isize + 2))?;
            ends.push(self.program.code.len());
            self.emit(Instruction::Jump(0))?;
        }
        let end = self.program.code.len();
        for at in ends {
            self.program.code[at] = Instruction::Jump((end - at) as isize);
        }
        Ok(())
    }
}
