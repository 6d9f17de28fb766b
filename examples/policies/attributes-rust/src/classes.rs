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

/// Runes beyond ASCII that are an s and a K in another case.
const LONG_S: u32 = 0x17f;
const KELVIN: u32 = 0x212a;
/// The last rune of all that has a case.
const LAST_WITH_CASE: u32 = 0x1e943;
const MAX_RANGES: usize = 2000;
const MAX_RUNE: u32 = char::MAX as u32;

/// Whether a small letter or its capital is in the range.
fn has_letter(low: u32, high: u32, letter: char) -> bool {
    let capital = letter.to_ascii_uppercase() as u32;
    (low..=high).contains(&(letter as u32)) || (low..=high).contains(&capital)
}

impl<'a> Compiler<'a> {
    fn add_range(&mut self, low: u32, high: u32) -> Result<(), Fault> {
        if low <= high {
            if self.program.ranges.len() == MAX_RANGES {
                return Err(self.too_large());
            }
            self.program.ranges.push((low, high));
        }
        Ok(())
    }

    /// Adds the range that is written from a place on, and its letters in the other case
    /// where case is nothing.
    pub fn add_folded(&mut self, low: u32, high: u32, from: &'a str) -> Result<(), Fault> {
        self.add_range(low, high)?;
        if !self.fold() || (low <= 'A' as u32 && high >= LAST_WITH_CASE) {
            return Ok(());
        }
        if high >= 0x80 && low <= LAST_WITH_CASE {
            return Err(Fault::new("(?i) is supported for ASCII only here", self.taken(from)));
        }
        self.add_range(low.max('A' as u32) + 32, high.min('Z' as u32) + 32)?;
        self.add_range(low.max('a' as u32) - 32, high.min('z' as u32).saturating_sub(32))?;
        for (letter, other) in [('s', LONG_S), ('k', KELVIN)] {
            if has_letter(low, high, letter) {
                self.add_range(other, other)?;
            }
        }
        Ok(())
    }

    /// Adds the set, or all runes that are not in it. Where case is nothing, a set with
    /// letters has all of them, but for xdigit's, which has both cases.
    fn add_set(&mut self, set: &[(char, char)], negated: bool) -> Result<(), Fault> {
        let mut set: Vec<(u32, u32)> = set.iter().map(|&(low, high)| (low as u32, high as u32)).collect();
        if self.fold() && set.iter().any(|&(low, high)| has_letter(low, high, 'k')) {
            if let [(low, _)] = set[..] {
                if low == 'a' as u32 || low == 'A' as u32 {
                    set = vec![('A' as u32, 'Z' as u32), ('a' as u32, 'z' as u32)];
                }
            }
            set.extend([(LONG_S, LONG_S), (KELVIN, KELVIN)]);
        }
        let mut from = 0;
        for (low, high) in set {
            if !negated {
                self.add_range(low, high)?;
            } else if low > 0 {
                self.add_range(from, low - 1)?;
            }
            from = high + 1;
        }
        if negated {
            self.add_range(from, MAX_RUNE)?;
        }
        Ok(())
    }

    pub fn class_since(&mut self, first: usize, negated: bool) -> Result<(), Fault> {
        let end = self.program.ranges.len();
        self.emit(Instruction::Class { first, end, negated })
    }

    /// Takes \d, \S and the like.
    pub fn perl_set(&mut self) -> Result<bool, Fault> {
        let mut runes = self.rest.chars();
        let letter = match (runes.next(), runes.next()) {
            (Some('\\'), Some(letter)) => letter,
            _ => return Ok(false),
        };
        for (name, set) in PERL {
            if name.chars().next() == Some(letter.to_ascii_lowercase()) {
                self.rest = &self.rest[2..];
                self.add_set(set, letter.is_ascii_uppercase())?;
                return Ok(true);
            }
        }
        Ok(false)
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
            Some((_, set)) => self.add_set(set, negated)?,
            None => return Err(Fault::new("invalid character class range", whole)),
        }
        Ok(true)
    }

    /// Takes a rune that stands for itself or is written with a backslash.
    pub fn one_rune(&mut self) -> Result<u32, Fault> {
        if self.skips("\\") {
            return self.escaped();
        }
        Ok(self.cut().unwrap_or_default() as u32) // callers know that there is one
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
            if self.posix_set()? || self.perl_set()? {
                continue;
            }
            let from = self.rest;
            let low = self.one_rune()?;
            let mut high = low;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.skips("-");
                high = self.one_rune()?;
            }
            if low > high {
                return Err(Fault::new("invalid character class range", self.taken(from)));
            }
            self.add_folded(low, high, from)?;
        }
        self.skips("]");
        self.class_since(first, negated)
    }
}
