//! Tells whether a text is JSON.

use super::scan::{marks, space, word, HIGHS, ONES};
use super::{JsonError, MAX_DEPTH};

// What is wrong with a text. The SDKs of other languages say the same.
const CUT_SHORT: &str = "cut short";
const NO_VALUE: &str = "expected a value";
const NO_NAME: &str = "expected a name in quotes";
const NO_COLON: &str = "expected a colon";
const NO_END: &str = "expected a comma or the end of the array or object";
pub(super) const NO_MORE: &str = "expected nothing behind the value";
const NO_DIGIT: &str = "expected a digit";
const NO_LITERAL: &str = "expected true, false or null";
const BAD_ESCAPE: &str = "bad escape";
const BAD_CHARACTER: &str = "control character in a string";
const BAD_UTF8: &str = "not UTF-8";
const TOO_DEEP: &str = "nested deeper than 1024";

/// Where a piece of JSON ends, or which byte is wrong and why.
type Checked = Result<usize, (usize, &'static str)>;

/// Goes through a text once. Of what it is in it keeps one bit each: whether that is an
/// object.
struct Checker<'a> {
    s: &'a [u8],
    ill: bool, // what follows the text is no UTF-8
    depth: usize,
    objects: [u64; MAX_DEPTH / 64],
}

/// The error at the place, or that the text ends there.
pub(super) fn wrong(s: &[u8], offset: usize, cause: &'static str) -> JsonError {
    let cause = if offset >= s.len() { CUT_SHORT } else { cause };
    JsonError::Syntax { offset, cause }
}

/// Where the value in the text begins and ends. s is what is UTF-8 of the whole text.
pub(super) fn check(s: &[u8], whole: &[u8]) -> Result<(usize, usize), JsonError> {
    let mut c = Checker { s, ill: s.len() < whole.len(), depth: 0, objects: [0; MAX_DEPTH / 64] };
    let from = space(s, 0);
    let to = c.value(from).map_err(|(at, cause)| wrong(whole, at, cause))?;
    match space(s, to) {
        at if at < s.len() => Err(wrong(whole, at, NO_MORE)),
        _ => Ok((from, to)),
    }
}

impl Checker<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.s.get(at).copied()
    }

    /// Checks the value that begins there, with all that is in it.
    fn value(&mut self, mut at: usize) -> Checked {
        loop {
            at = match self.byte(at) {
                Some(b'"') => self.string(at)?,
                Some(open @ (b'{' | b'[')) => {
                    self.open(at, open == b'{')?;
                    let first = space(self.s, at + 1);
                    if self.byte(first) != Some(self.closing()) {
                        at = self.name(first)?;
                        continue;
                    }
                    self.depth -= 1;
                    first + 1
                }
                Some(b't') => self.literal(at, b"true")?,
                Some(b'f') => self.literal(at, b"false")?,
                Some(b'n') => self.literal(at, b"null")?,
                Some(_) => self.number(at)?,
                None => return Err((at, NO_VALUE)),
            };
            match self.behind(at)? {
                (next, true) => at = next,
                (next, false) => return Ok(next),
            }
        }
    }

    /// Checks what is behind a value: the result is where the next one begins, or with
    /// false where the outermost one ends.
    fn behind(&mut self, mut at: usize) -> Result<(usize, bool), (usize, &'static str)> {
        while self.depth > 0 {
            at = space(self.s, at);
            if self.byte(at) == Some(b',') {
                return self.name(space(self.s, at + 1)).map(|next| (next, true));
            }
            if self.byte(at) != Some(self.closing()) {
                return Err((at, NO_END));
            }
            self.depth -= 1;
            at += 1;
        }
        Ok((at, false))
    }

    fn open(&mut self, at: usize, object: bool) -> Result<(), (usize, &'static str)> {
        if self.depth == MAX_DEPTH {
            return Err((at, TOO_DEEP));
        }
        let (place, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if object {
            self.objects[place] |= bit;
        } else {
            self.objects[place] &= !bit;
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost one is.
    fn object(&self) -> bool {
        let i = self.depth - 1;
        self.objects[i / 64] >> (i % 64) & 1 != 0
    }

    fn closing(&self) -> u8 {
        if self.object() {
            b'}'
        } else {
            b']'
        }
    }

    /// Checks what has to be before a value: in an object its name and a colon.
    fn name(&self, at: usize) -> Checked {
        if !self.object() {
            return Ok(at);
        }
        if self.byte(at) != Some(b'"') {
            return Err((at, NO_NAME));
        }
        let at = space(self.s, self.string(at)?);
        if self.byte(at) != Some(b':') {
            return Err((at, NO_COLON));
        }
        Ok(space(self.s, at + 1))
    }

    fn literal(&self, at: usize, literal: &[u8]) -> Checked {
        for (i, byte) in literal.iter().enumerate() {
            if self.byte(at + i) != Some(*byte) {
                return Err((at + i, NO_LITERAL));
            }
        }
        Ok(at + literal.len())
    }

    /// Checks for digits, of which there has to be one.
    fn digits(&self, at: usize, cause: &'static str) -> Checked {
        let mut end = at;
        while matches!(self.byte(end), Some(b'0'..=b'9')) {
            end += 1;
        }
        if end == at {
            return Err((at, cause));
        }
        Ok(end)
    }

    fn number(&self, at: usize) -> Checked {
        let negative = self.byte(at) == Some(b'-');
        let first = at + usize::from(negative);
        let mut end = self.digits(first, if negative { NO_DIGIT } else { NO_VALUE })?;
        if self.byte(first) == Some(b'0') {
            end = first + 1; // what is behind it is no part of the number
        }
        if self.byte(end) == Some(b'.') {
            end = self.digits(end + 1, NO_DIGIT)?;
        }
        if matches!(self.byte(end), Some(b'e' | b'E')) {
            end += 1;
            if matches!(self.byte(end), Some(b'+' | b'-')) {
                end += 1;
            }
            end = self.digits(end, NO_DIGIT)?;
        }
        Ok(end)
    }

    /// Checks a string that begins there. That it is UTF-8 is known.
    fn string(&self, at: usize) -> Checked {
        let mut at = at + 1;
        loop {
            while let Some(w) = word(self.s, at) {
                let low = w.wrapping_sub(ONES * u64::from(b' ')) & !w;
                let found = (marks(w, b'"') & !w | marks(w, b'\\') & !w | low) & HIGHS;
                if found != 0 {
                    at += found.trailing_zeros() as usize / 8;
                    break;
                }
                at += 8;
            }
            at = match self.byte(at) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => self.escape(at + 1)?,
                Some(0..=0x1f) => return Err((at, BAD_CHARACTER)),
                Some(_) => at + 1,
                None if self.ill => return Err((at, BAD_UTF8)),
                None => return Err((at, NO_END)),
            };
        }
    }

    /// Checks what is behind a backslash.
    fn escape(&self, at: usize) -> Checked {
        match self.byte(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => match (at + 1..at + 5).find(|i| !self.byte(*i).map_or(false, |b| b.is_ascii_hexdigit())) {
                Some(bad) => Err((bad, BAD_ESCAPE)),
                None => Ok(at + 5),
            },
            _ => Err((at, BAD_ESCAPE)),
        }
    }
}
