//! The compiler of regular expressions. The syntax is that of RE2, and of the LIKE
//! that is built in. Unicode's classes (\pL) are refused, and so are runes beyond ASCII
//! where case is nothing. A repetition is made by copying what it repeats.

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
    /// How often what was compiled last repeats the innermost thing in it, by counts.
    copies: u32,
}

/// Makes a program of an expression, or says why it is none.
pub fn compile(expression: &str) -> Result<Program, String> {
    let mut c = Compiler {
        whole: expression,
        rest: expression,
        program: Program::default(),
        flags: Flags::default(),
        depth: 0,
        copies: 1,
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

    pub fn too_large(&self) -> Fault {
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

    /// Emits a rune that is written from a place on.
    fn emit_rune(&mut self, rune: u32, from: &'a str) -> Result<(), Fault> {
        let letter = char::from_u32(rune).map_or(false, |c| c.is_ascii_alphabetic());
        if self.flags.fold && (letter || rune >= 0x80) {
            let first = self.program.ranges.len();
            self.add_folded(rune, rune, from)?;
            return self.class_since(first, false);
        }
        self.emit(Instruction::Rune(rune))
    }

    /// The rune that follows \x.
    fn hexadecimal(&mut self) -> Option<u32> {
        if !self.skips("{") {
            let (first, second) = (self.cut(), self.cut());
            return Some(16 * first?.to_digit(16)? + second?.to_digit(16)?);
        }
        let (mut value, mut some) = (0, false);
        while !self.skips("}") {
            value = 16 * value + self.cut()?.to_digit(16)?;
            if value > char::MAX as u32 {
                return None;
            }
            some = true;
        }
        some.then(|| value)
    }

    /// The rune of a digit, and of up to two more that follow.
    fn octal(&mut self, first: char) -> Option<u32> {
        let mut value = first.to_digit(8)?;
        for _ in 0..2 {
            match self.rest.chars().next().and_then(|c| c.to_digit(8)) {
                Some(digit) => value = 8 * value + digit,
                None => break,
            }
            self.cut();
        }
        Some(value)
    }

    /// The rune that is written with a backslash, which was taken.
    pub fn escaped(&mut self) -> Result<u32, Fault> {
        let from = self.rest;
        let rune = self.cut().ok_or_else(|| Fault::new("trailing backslash at end of expression", ""))?;
        let octal = rune.is_digit(8) && (rune == '0' || self.rest.starts_with(|c: char| c.is_digit(8)));
        let known = match rune {
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            'x' => self.hexadecimal(),
            _ if octal => self.octal(rune),
            _ if rune.is_ascii() && !rune.is_ascii_alphanumeric() => Some(rune as u32),
            _ => None,
        };
        let what = match rune {
            '1'..='9' | 'k' => "back-references are not supported (the syntax is RE2's)",
            'p' | 'P' => "classes of Unicode are not supported here",
            'x' if known.is_some() => "surrogates are not supported here",
            _ => "invalid escape sequence",
        };
        known.filter(|&rune| char::from_u32(rune).is_some()).ok_or_else(|| Fault::new(what, &["\\", self.taken(from)].concat()))
    }

    /// Why what follows a ( is no group. It names what other engines have and RE2 lacks, so
    /// that a user of those is not told that a good expression is malformed.
    fn not_group(&self, what: &'static str, from: &'a str) -> Fault {
        let part = self.taken(from);
        if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|around| part.starts_with(around)) {
            return Fault::new("look-around is not supported (the syntax is RE2's)", part);
        }
        if part.starts_with("(?>") {
            return Fault::new("atomic groups are not supported (the syntax is RE2's)", part);
        }
        Fault::new(what, part)
    }

    /// Moves behind the name of a group, which means nothing to a match. It returns false
    /// when there is none.
    fn group_name(&mut self, from: &'a str) -> Result<bool, Fault> {
        let begin = ["?P<", "?<"].into_iter().find(|begin| self.rest.len() > begin.len() && self.rest.starts_with(begin));
        let name = match begin {
            Some(begin) => &self.rest[begin.len()..],
            None => return Ok(false),
        };
        let end = name.find('>');
        self.rest = &name[end.unwrap_or(name.len())..];
        let good = end > Some(0) && self.taken(name).chars().all(is_word);
        self.skips(">");
        if !good {
            return Err(self.not_group("invalid named capture", from));
        }
        Ok(true)
    }

    /// Reads the flags of (?i) and (?i:…), behind the ?. It returns true when a group
    /// follows.
    fn group_flags(&mut self, from: &'a str) -> Result<bool, Fault> {
        let (mut flags, mut on, mut some) = (self.flags, true, true); // some: there is one behind a -
        loop {
            match self.cut() {
                Some('i') => flags.fold = on,
                Some('s') => flags.dot_newline = on,
                Some('m') => flags.lines = on,
                Some('U') => {} // which of several matches is found does not matter
                Some('-') if on => {
                    on = false;
                    some = false;
                    continue;
                }
                Some(end @ (')' | ':')) if some => {
                    self.flags = flags;
                    return Ok(end == ':');
                }
                _ => return Err(self.not_group("invalid or unsupported Perl syntax", from)),
            }
            some = true;
        }
    }

    /// Compiles what follows a (. It returns false for one that only sets flags.
    fn group(&mut self, from: &'a str) -> Result<bool, Fault> {
        let flags = self.flags;
        if !self.group_name(from)? && self.skips("?") && !self.group_flags(from)? {
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

    /// Compiles \Q…\E. It returns where the last rune of it begins, which is what a
    /// repetition repeats.
    fn literal_text(&mut self) -> Result<Option<usize>, Fault> {
        let mut last = None;
        while !self.rest.is_empty() && !self.skips("\\E") {
            let from = self.rest;
            last = Some(self.program.code.len());
            let rune = self.cut().unwrap_or_default();
            self.emit_rune(rune as u32, from)?;
        }
        Ok(last)
    }

    /// Compiles what a repetition can follow. It returns where that begins, None for
    /// what is passed over.
    fn atom(&mut self) -> Result<Option<usize>, Fault> {
        let (from, first, whole) = (self.program.code.len(), self.program.ranges.len(), self.rest);
        if let Some(a) = self.assertion() {
            self.emit(Instruction::Assert(a))?;
        } else if self.skips("(") {
            return Ok(self.group(whole)?.then(|| from));
        } else if self.skips("\\Q") {
            return self.literal_text();
        } else if self.perl_set()? {
            self.class_since(first, false)?;
        } else if self.skips("[") {
            self.class(whole)?;
        } else if !self.skips(".") {
            let rune = self.one_rune()?;
            self.emit_rune(rune, whole)?;
        } else if self.flags.dot_newline {
            self.emit(Instruction::Any)?;
        } else {
            self.add_folded('\n' as u32, '\n' as u32, whole)?;
            self.class_since(first, true)?;
        }
        Ok(Some(from))
    }

    /// Reads a count; a large one is just larger than all that are allowed. 01 is none.
    fn count(&mut self) -> Option<u32> {
        let size = self.rest.chars().take_while(char::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(size);
        if size == 0 || (size > 1 && digits.starts_with('0')) {
            return None;
        }
        self.rest = rest;
        Some(digits.parse().unwrap_or(u32::MAX).min(MAX_REPEAT + 1))
    }

    /// Reads {2}, {2,} or {2,3}; anything else is text.
    fn counted(&mut self) -> Option<Repetition> {
        if !self.skips("{") {
            return None;
        }
        let least = self.count()?;
        let most = match self.skips(",") {
            false => Some(least),
            true if self.rest.starts_with('}') => None,
            true => Some(self.count()?),
        };
        self.skips("}").then(|| (least, most))
    }

    fn repetition(&mut self) -> Result<Option<Repetition>, Fault> {
        for (text, r) in [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))] {
            if self.skips(text) {
                return Ok(Some(r));
            }
        }
        let before = self.rest;
        let counted = self.counted();
        match counted {
            None => self.rest = before,
            Some((least, most)) if least > MAX_REPEAT || most.map_or(false, |most| most > MAX_REPEAT || most < least) => {
                return Err(Fault::new("invalid repeat count", self.taken(before)));
            }
            Some(_) => {}
        }
        Ok(counted)
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

    /// Applies a repetition, written from a place on, to what was compiled from last on;
    /// repeated is where a repetition begins that it follows.
    fn repeat_last(&mut self, r: Repetition, last: Option<usize>, at: &'a str, repeated: Option<&'a str>) -> Result<(), Fault> {
        self.skips("?"); // which of several matches is found does not matter
        if let Some(both) = repeated.map(|since| self.taken(since)) {
            return Err(match both.ends_with('+') {
                true => Fault::new("possessive quantifiers are not supported (the syntax is RE2's)", both),
                false => Fault::new("invalid nested repetition operator", both),
            });
        }
        let last = last.ok_or_else(|| Fault::new("missing argument to repetition operator", self.taken(at)))?;
        let most = r.1.unwrap_or(r.0);
        self.copies = if r.1 == Some(0) { 1 } else { self.copies * most.max(1) };
        if self.copies > MAX_REPEAT && most > 1 {
            return Err(Fault::new("invalid repeat count", self.taken(at)));
        }
        self.repeat(last, r)
    }

    /// Compiles atoms and their repetitions up to a | or a ).
    fn sequence(&mut self) -> Result<(), Fault> {
        let (mut last, mut repeated, mut copies) = (None, None, 1);
        self.copies = 1;
        while !self.rest.is_empty() && !self.rest.starts_with('|') && !self.rest.starts_with(')') {
            let at = self.rest;
            if let Some(r) = self.repetition()? {
                self.repeat_last(r, last, at, repeated)?;
                repeated = Some(at);
                continue;
            }
            repeated = None;
            let before = std::mem::replace(&mut self.copies, 1);
            match self.atom()? {
                None => self.copies = before, // flags are passed over: a(?i)* is a*
                from => {
                    last = from;
                    copies = before.max(copies);
                }
            }
        }
        self.copies = self.copies.max(copies);
        Ok(())
    }

    /// Compiles what is separated by |.
    fn alternatives(&mut self) -> Result<(), Fault> {
        let (mut ends, mut copies) = (Vec::new(), 1); // ends: the jumps to the end
        loop {
            let from = self.program.code.len();
            self.sequence()?;
            copies = self.copies.max(copies);
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
        self.copies = copies;
        Ok(())
    }
}
