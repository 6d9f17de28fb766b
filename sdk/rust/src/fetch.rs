//! The kind "fetch".

use crate::wire::{each, Field, Malformed, Writer};
use crate::{AppFacts, Error};
use std::borrow::Cow;

/// A policy that says of every URI of an app whether it is fetched, from where, and
/// what becomes of it.
pub trait Fetch {
    /// The names that it answers for, in lower case.
    fn policies(&self) -> &[&str];
    /// Takes an app version, or just the settings of the operator, to check them.
    fn prepare(&self, spec: &FetchSpec) -> Result<Box<dyn PreparedFetch>, Error>;
}

/// What has taken one app version. It is dropped when the host releases it.
pub trait PreparedFetch {
    /// Answers for one URI, from the settings, the app and that URI alone.
    fn decide<'a>(&'a mut self, uri: &FetchUri<'a>) -> Result<FetchDecision<'a>, Error>;
}

/// The policy, its settings, and the app version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchSpec<'a> {
    pub policy: &'a str,
    /// What the operator chose it with; empty for none.
    pub settings: &'a str,
    /// Without an id when only the settings are to be checked.
    pub app: AppFacts<'a>,
    /// The agents check digests and limits.
    pub enforced: bool,
}

impl<'a> FetchSpec<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<FetchSpec<'a>, Malformed> {
        let mut spec = FetchSpec::default();
        each(message, |f| {
            match f.number {
                1 => spec.policy = f.text()?,
                2 => spec.settings = f.text()?,
                3 => spec.app = AppFacts::read(&f)?,
                4 => spec.enforced = f.flag()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(spec)
    }
}

/// Something to be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchUri<'a> {
    pub uri: Cow<'a, str>,
    /// Unpack it, if its name ends as that of an archive.
    pub extract: bool,
    pub executable: bool,
    /// Keep it in the agent's cache.
    pub cache: bool,
    /// Below the sandbox; empty: the last part of the URI.
    pub dest_path: Cow<'a, str>,
}

impl<'a> FetchUri<'a> {
    pub(crate) fn read(field: &Field<'a>) -> Result<FetchUri<'a>, Malformed> {
        let mut uri = FetchUri::default();
        field.message(|f| {
            match f.number {
                1 => uri.uri = f.text()?.into(),
                2 => uri.extract = f.flag()?,
                3 => uri.executable = f.flag()?,
                4 => uri.cache = f.flag()?,
                5 => uri.dest_path = f.text()?.into(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(uri)
    }

    fn write(&self, w: &mut Writer) {
        w.text(1, &self.uri);
        w.flag(2, self.extract);
        w.flag(3, self.executable);
        w.flag(4, self.cache);
        w.text(5, &self.dest_path);
    }
}

/// Bounds on what one URI may become; 0 is the agent's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchLimits {
    /// Fetched, and again all that is unpacked of it.
    pub bytes: u64,
    /// Of an archive.
    pub entries: u32,
    /// Of folders in an archive.
    pub depth: u32,
    /// Of bytes unpacked to bytes fetched.
    pub ratio: u32,
}

/// What becomes of one URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchDecision<'a> {
    /// It is fetched so.
    Fetch {
        uri: FetchUri<'a>,
        /// In lower-case hexadecimal; empty for any.
        sha256: Cow<'a, str>,
        limits: FetchLimits,
    },
    /// It is not, for a reason that people are told, and so the app is not launched.
    Deny(Cow<'a, str>),
}

impl<'a> FetchDecision<'a> {
    /// The decision to fetch it so, whatever it holds.
    pub fn allow(uri: FetchUri<'a>) -> FetchDecision<'a> {
        FetchDecision::Fetch { uri, sha256: "".into(), limits: FetchLimits::default() }
    }

    /// The decision not to fetch it.
    pub fn deny(reason: impl Into<Cow<'a, str>>) -> FetchDecision<'a> {
        FetchDecision::Deny(reason.into())
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            FetchDecision::Deny(reason) => {
                w.flag(2, true);
                w.text(3, reason);
            }
            FetchDecision::Fetch { uri, sha256, limits } => {
                w.message(1, |w| uri.write(w));
                w.text(4, sha256);
                w.message(5, |w| {
                    w.number(1, limits.bytes);
                    w.number(2, limits.entries.into());
                    w.number(3, limits.depth.into());
                    w.number(4, limits.ratio.into());
                });
            }
        }
    }
}
