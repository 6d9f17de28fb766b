//! Sets of runes: \d, [:alpha:], and what is between brackets.

use crate::compile::{Compiler, Fault};
use crate::machine::Instruction;

/// Sets by name, as ranges in the order of their runes.
type Set = (&'static str, &'static [(char, char)]);

const PERL: &[Set] = &[
    ("d", &[('0', '9')]),
    ("s", &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')]),
    ("w", &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
];

const POSIX: &[Set] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", &[('0', '9')]),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

/// The rune before one that is not the first.
fn before(c: char) -> char {
    char::from_u32(c as u32 - 1).unwrap_or('\u{d7ff}')
}

fn behind(c: char) -> char {
    char::from_u32(c as u32 + 1).unwrap_or('\u{e000}')
}

impl Compiler<'_> {
    fn add_range(&mut self, low: char, high: char) {
        if low <= high {
            self.program.ranges.push((low, high));
        }
    }

    /// Adds the range, and its letters in the other case where case is nothing.
    pub fn add_folded(&mut self, low: char, high: char) {
        self.add_range(low, high);
        if self.fold() {
            let (first, last) = (low.max('A'), high.min('Z'));
            if first <= last {
                self.add_range(first.to_ascii_lowercase(), last.to_ascii_lowercase());
            }
            let (first, last) = (low.max('a'), high.min('z'));
            if first <= last {
                self.add_range(first.to_ascii_uppercase(), last.to_ascii_uppercase());
            }
        }
    }

    fn add_set(&mut self, set: &[(char, char)], negated: bool) {
        let mut from = '\0';
        for &(low, high) in set {
            if !negated {
                self.add_folded(low, high);
            } else if low > '\0' {
                self.add_range(from, before(low));
            }
            from = behind(high);
        }
        if negated {
            self.add_range(from, char::MAX);
        }
    }

    pub fn class_since(&mut self, first: usize, negated: bool) -> Result<(), Fault> {
        let end = self.program.ranges.len();
        self.emit(Instruction::Class { first, end, negated })
    }

    /// Takes \d, \S and the like.
    pub fn perl_set(&mut self) -> bool {
        let mut runes = self.rest.chars();
        let letter = match (runes.next(), runes.next()) {
            (Some('\\'), Some(letter)) => letter,
            _ => return false,
        };
        for (name, set) in PERL {
            if name.chars().next() == Some(letter.to_ascii_lowercase()) {
                self.rest = &self.rest[2..];
                self.add_set(set, letter.is_ascii_uppercase());
                return true;
            }
        }
        false
    }

    /// Takes [:alpha:], [:^space:] and the like, inside of a class.
    fn posix_set(&mut self) -> Result<bool, Fault> {
        let end = match (self.rest.starts_with("[:"), self.rest.get(2..).and_then(|rest| rest.find(":]"))) {
            (true, Some(end)) => end + 2,
            _ => return Ok(false), // it is a [ like any other
        };
        let (whole, name) = (&self.rest[..end + 2], &self.rest[2..end]);
        self.rest = &self.rest[end + 2..];
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        match POSIX.iter().find(|set| set.0 == name) {
            Some((_, set)) => self.add_set(set, negated),
            None => return Err(Fault::new("invalid character class range", whole)),
        }
        Ok(true)
    }

    fn class_rune(&mut self) -> Result<char, Fault> {
        if self.skips("\\") {
            return self.escaped();
        }
        self.cut().ok_or_else(|| Fault::new("missing closing ]", ""))
    }

    /// Compiles what follows a [.
    pub fn class(&mut self, whole: &str) -> Result<(), Fault> {
        let negated = self.skips("^");
        let first = self.program.ranges.len();
        let mut begin = true;
        while begin || !self.rest.starts_with(']') {
            begin = false;
            if self.rest.is_empty() {
                return Err(Fault::new("missing closing ]", whole));
            }
            if self.posix_set()? || self.perl_set() {
                continue;
            }
            let from = self.rest;
            let low = self.class_rune()?;
            let mut high = low;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.skips("-");
                high = self.class_rune()?;
            }
            if low > high {
                return Err(Fault::new("invalid character class range", self.taken(from)));
            }
            self.add_folded(low, high);
        }
        self.skips("]");
        self.class_since(first, negated)
    }
}
