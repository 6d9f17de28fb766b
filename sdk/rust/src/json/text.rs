//! The content of strings.

use std::borrow::Cow;

/// The content of a string; without escapes it is the same piece of text.
pub(super) fn unescaped(raw: &str) -> Cow<str> {
    let mut at = match find(raw) {
        Some(at) => at,
        None => return Cow::Borrowed(raw),
    };
    let (mut rest, mut text) = (raw, String::with_capacity(raw.len()));
    loop {
        text.push_str(&rest[..at]);
        let size = match rest.as_bytes()[at + 1] {
            b'u' => {
                let (c, size) = escaped(&rest.as_bytes()[at..]);
                text.push(c);
                size
            }
            other => {
                text.push(match other {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    same => same as char,
                });
                2
            }
        };
        rest = &rest[at + size..];
        match find(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn find(raw: &str) -> Option<usize> {
    raw.bytes().position(|b| b == b'\\')
}

/// The character of an escape with digits, and how many bytes it takes: two escapes, if
/// they are a pair of surrogates. Half of a pair is U+FFFD.
fn escaped(raw: &[u8]) -> (char, usize) {
    let first = unit(raw);
    if let Some(c) = char::from_u32(first) {
        return (c, 6);
    }
    if first < 0xdc00 && raw.len() >= 12 && raw[6] == b'\\' && raw[7] == b'u' {
        let second = unit(&raw[6..]);
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
        }
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

/// What the four digits of an escape stand for.
fn unit(raw: &[u8]) -> u32 {
    raw[2..6].iter().fold(0, |n, digit| n << 4 | (*digit as char).to_digit(16).unwrap_or(0))
}

/// The text as a string of JSON, in quotes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    quoted
}

/// Appends a text as a string of JSON, in quotes.
pub fn push_quoted(to: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    to.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        to.push_str(&text[from..at]);
        from = at + 1;
        to.push('\\');
        match byte {
            b'\n' => to.push('n'),
            b'\t' => to.push('t'),
            b'\r' => to.push('r'),
            b'"' | b'\\' => to.push(byte as char),
            _ => {
                to.push_str("u00");
                to.push(DIGITS[usize::from(byte >> 4)] as char);
                to.push(DIGITS[usize::from(byte & 15)] as char);
            }
        }
    }
    to.push_str(&text[from..]);
    to.push('"');
}
