//! Reads JSON, and amends it: the app that an admission policy reviews, and the settings
//! of any module. [`parse`] checks a text once and builds nothing of it; a [`Value`] is
//! the piece of the text that it stands for, and is looked into where it is.
//!
//! ```
//! use pacer_policy::json;
//!
//! let app = json::parse(br#"{"container": {"docker": {"image": "redis:7"}}, "cpus": 0.5}"#).unwrap();
//! assert_eq!(app.get(&["container", "docker", "image"]).text().as_deref(), Some("redis:7"));
//! assert_eq!(app.get(&["cpus"]).float(), Some(0.5));
//! assert!(!app.get(&["labels", "team"]).exists());
//! let amended = app.with(&["cpus"], "1").unwrap();
//! assert_eq!(amended, br#"{"container": {"docker": {"image": "redis:7"}}, "cpus": 1}"#);
//! ```

mod check;
mod scan;
#[cfg(test)]
mod tests;
mod text;

use scan::{element_behind, member_at, space, Member};
use std::borrow::Cow;
use std::fmt;

pub use text::{push_quoted, quote};

/// How deep arrays and objects may be in each other.
pub const MAX_DEPTH: usize = 1024;

/// Why something is no JSON, or cannot be amended. With `?` in a policy it is a fault of
/// the module; `Error::invalid(e.to_string())` shows it to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The byte at the offset is wrong; at the length of the text more is expected.
    Syntax { offset: usize, cause: &'static str },
    /// What is at this path, such as /labels, is no object.
    Path(String),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            JsonError::Syntax { offset, cause } => write!(f, "not JSON: byte {}: {}", offset, cause),
            JsonError::Path(path) => write!(f, "{} is no object", path),
        }
    }
}

impl std::error::Error for JsonError {}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Absent,
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A value of a text that was parsed. The default is absent: what `get` returns where
/// there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Value<'a> {
    text: &'a str,
}

/// Checks that the text is one value of JSON, as RFC 8259 has it, with nothing but white
/// space around it, in UTF-8 and nested no deeper than [`MAX_DEPTH`].
pub fn parse<'a, T: AsRef<[u8]> + ?Sized>(text: &'a T) -> Result<Value<'a>, JsonError> {
    let bytes = text.as_ref();
    let (text, ill) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        // What is before it is checked first: the first mistake is the one that is told.
        Err(e) => (std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""), true),
    };
    match check::check(text.as_bytes(), bytes) {
        Ok((from, to)) if !ill => Ok(Value { text: &text[from..to] }),
        Ok(_) => Err(check::wrong(bytes, text.len(), check::NO_MORE)),
        Err(e) => Err(e),
    }
}

impl<'a> Value<'a> {
    pub fn kind(&self) -> Kind {
        match self.text.as_bytes().first() {
            None => Kind::Absent,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Tells whether there is a value; null is one.
    pub fn exists(&self) -> bool {
        !self.text.is_empty()
    }

    /// The text of the value as it was written, empty when it is absent.
    pub fn raw(&self) -> &'a str {
        self.text
    }

    /// What is in the member of this name, and so on along the path; absent when there is
    /// no such member, or no object to look into. Of members with the same name the last
    /// one counts. Names are compared exactly.
    pub fn get(&self, path: &[&str]) -> Value<'a> {
        let (from, to, depth) = self.find(path);
        if depth < path.len() {
            return Value::default();
        }
        Value { text: &self.text[from..to] }
    }

    /// Where the value at the path is, as far as there is one, and how many names it took.
    fn find(&self, path: &[&str]) -> (usize, usize, usize) {
        let (mut from, mut to) = (0, self.text.len());
        for (depth, name) in path.iter().enumerate() {
            let inside = Value { text: &self.text[from..to] };
            let mut last = None;
            for m in inside.raw_members() {
                if m.is(inside.text, name) {
                    last = Some((from + m.from, from + m.to));
                }
            }
            match last {
                Some(place) => (from, to) = place,
                None => return (from, to, depth),
            }
        }
        (from, to, path.len())
    }

    fn raw_members(&self) -> RawMembers<'a> {
        let object = self.kind() == Kind::Object;
        RawMembers { text: self.text.as_bytes(), at: if object { 1 } else { self.text.len() } }
    }

    /// The names and values in an object, in the order of the text, with all that have the
    /// same name; none of any other value.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let text = self.text;
        self.raw_members().map(move |m| (m.name(text), Value { text: &text[m.from..m.to] }))
    }

    /// The values in an array; none of any other value.
    pub fn elements(&self) -> impl Iterator<Item = Value<'a>> {
        let text = self.text;
        let mut at = if self.kind() == Kind::Array { 1 } else { text.len() };
        std::iter::from_fn(move || {
            let (from, to) = element_behind(text.as_bytes(), at)?;
            at = to;
            Some(Value { text: &text[from..to] })
        })
    }

    /// The content of a string; None for any other value. Half of a pair of surrogates is
    /// U+FFFD.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::String => Some(text::unescaped(&self.text[1..self.text.len() - 1])),
            _ => None,
        }
    }

    /// true or false; None for any other value.
    pub fn bool(&self) -> Option<bool> {
        match self.kind() {
            Kind::Bool => Some(self.text == "true"),
            _ => None,
        }
    }

    /// A number without a fraction and an exponent; None for any other value, and for
    /// numbers that an i64 cannot hold.
    pub fn int(&self) -> Option<i64> {
        match self.kind() {
            Kind::Number => self.text.parse().ok(),
            _ => None,
        }
    }

    /// A number, rounded to the nearest f64; None for any other value, and for numbers that
    /// are larger than any f64.
    pub fn float(&self) -> Option<f64> {
        match self.kind() {
            Kind::Number => self.text.parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// The text of the value with another value, JSON, at the path. Objects on the way that
    /// are not there, or null, are made. All else stays as it was written.
    pub fn with(&self, path: &[&str], raw: &str) -> Result<Vec<u8>, JsonError> {
        check::check(raw.as_bytes(), raw.as_bytes())?;
        let (from, mut to, depth) = self.find(path);
        let (there, rest) = (Value { text: &self.text[from..to] }, &path[depth..]);
        let mut text = String::with_capacity(self.text.len() + raw.len() + 64);
        text.push_str(&self.text[..from]);
        match there.kind() {
            _ if rest.is_empty() => text.push_str(raw),
            Kind::Object => {
                to -= 1; // the member comes last, before the bracket
                text.push_str(&self.text[from..to]);
                if there.raw_members().next().is_some() {
                    text.push(',');
                }
                push_member(&mut text, rest, raw);
            }
            Kind::Null | Kind::Absent => {
                text.push('{');
                push_member(&mut text, rest, raw);
                text.push('}');
            }
            _ => return Err(JsonError::Path(format!("/{}", path[..depth].join("/")))),
        }
        text.push_str(&self.text[to..]);
        Ok(text.into_bytes())
    }
}

/// Appends a member with the name that the path begins with; the others are objects in it,
/// each with one member.
fn push_member(text: &mut String, path: &[&str], raw: &str) {
    for (i, name) in path.iter().enumerate() {
        if i > 0 {
            text.push('{');
        }
        push_quoted(text, name);
        text.push(':');
    }
    text.push_str(raw);
    for _ in 1..path.len() {
        text.push('}');
    }
}

/// Goes through the members of an object.
struct RawMembers<'a> {
    text: &'a [u8],
    at: usize, // behind the last one
}

impl Iterator for RawMembers<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        let mut at = space(self.text, self.at);
        if self.text.get(at) == Some(&b',') {
            at = space(self.text, at + 1);
        }
        if at >= self.text.len() || self.text[at] == b'}' {
            return None;
        }
        let m = member_at(self.text, at);
        self.at = m.to;
        Some(m)
    }
}
