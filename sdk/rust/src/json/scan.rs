//! Walks texts that are valid.

use super::text::unescaped;
use std::borrow::Cow;

pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGHS: u64 = 0x80 * ONES;

/// Marks with their highest bits the bytes of a word that are this one. The lowest that is
/// marked is never a mistake. None of those with their highest bit set must be asked about.
pub(super) fn marks(word: u64, byte: u8) -> u64 {
    (word ^ (ONES * u64::from(byte))).wrapping_sub(ONES)
}

/// The eight bytes from there on, if there are as many.
pub(super) fn word(s: &[u8], at: usize) -> Option<u64> {
    let eight = s.get(at..at + 8)?;
    Some(u64::from_le_bytes(eight.try_into().ok()?))
}

/// The first place from there on where no white space is.
pub(super) fn space(s: &[u8], mut at: usize) -> usize {
    while matches!(s.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// The place behind a string that begins there, and whether it has escapes.
fn quoted(s: &[u8], at: usize) -> (usize, bool) {
    let (mut at, mut escapes) = (at + 1, false);
    loop {
        while let Some(w) = word(s, at) {
            let found = (marks(w, b'"') | marks(w, b'\\')) & !w & HIGHS;
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match s[at] {
            b'"' => return (at + 1, escapes),
            b'\\' => {
                escapes = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// The place behind the value that begins there.
fn end(s: &[u8], mut at: usize) -> usize {
    match s[at] {
        b'"' => quoted(s, at).0,
        b'{' | b'[' => closed(s, at),
        _ => {
            while at < s.len() && s[at] > b' ' && s[at] != b',' && s[at] | 0x20 != b'}' {
                at += 1;
            }
            at
        }
    }
}

/// The place behind the object or array that begins there.
fn closed(s: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    loop {
        match s[at] {
            b'"' => {
                at = quoted(s, at).0;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The next value of an array, behind a place in it.
pub(super) fn element_behind(s: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut from = space(s, at);
    if s.get(from) == Some(&b',') {
        from = space(s, from + 1);
    }
    if from >= s.len() || s[from] == b']' {
        return None;
    }
    Some((from, end(s, from)))
}

/// A member of an object: where its name is, in quotes, and its value.
pub(super) struct Member {
    key: usize,
    key_end: usize,
    escapes: bool,
    pub(super) from: usize,
    pub(super) to: usize,
}

pub(super) fn member_at(s: &[u8], key: usize) -> Member {
    let (key_end, escapes) = quoted(s, key);
    let from = space(s, space(s, key_end) + 1); // behind the colon
    Member { key, key_end, escapes, from, to: end(s, from) }
}

impl Member {
    pub(super) fn name<'a>(&self, s: &'a str) -> Cow<'a, str> {
        let raw = &s[self.key + 1..self.key_end - 1];
        if self.escapes {
            unescaped(raw)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// Tells whether it has this name.
    pub(super) fn is(&self, s: &str, name: &str) -> bool {
        self.name(s) == name
    }
}
