//! The kind "health".

use crate::wire::{each, Field, Malformed, Writer};
use crate::{AppFacts, Error};
use std::borrow::Cow;

/// A policy that says from the results of checks whether an instance is well.
pub trait Health {
    /// The rules that it answers for, in lower case.
    fn rules(&self) -> &[&str];
    /// Takes one app version.
    fn prepare(&self, spec: &HealthSpec) -> Result<Box<dyn PreparedHealth>, Error>;
}

/// What has taken one app version. It is dropped when the host releases it.
pub trait PreparedHealth {
    /// Answers for what one check found on one instance, from that alone.
    fn judge<'a>(&'a mut self, history: &HealthHistory<'a>) -> Result<HealthVerdict<'a>, Error>;
}

/// The rule, the app version and its checks. Settings are labels of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthSpec<'a> {
    pub rule: &'a str,
    pub app: AppFacts<'a>,
    pub checks: Vec<HealthCheck<'a>>,
}

impl<'a> HealthSpec<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<HealthSpec<'a>, Malformed> {
        let mut spec = HealthSpec::default();
        each(message, |f| {
            match f.number {
                1 => spec.rule = f.text()?,
                2 => spec.app = AppFacts::read(&f)?,
                3 => spec.checks.push(HealthCheck::read(&f)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(spec)
    }
}

/// What a rule may know of one health check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheck<'a> {
    /// As in the API: HTTP, TCP, COMMAND, MESOS_HTTP …
    pub protocol: &'a str,
    pub interval_millis: u64,
    pub timeout_millis: u64,
    /// Failures before the first success that do not count.
    pub grace_millis: u64,
    /// 0: no instance is ever replaced for this check.
    pub max_consecutive_failures: u32,
    /// Made by Mesos, which ends the task by its own rule.
    pub by_mesos: bool,
}

impl<'a> HealthCheck<'a> {
    fn read(field: &Field<'a>) -> Result<HealthCheck<'a>, Malformed> {
        let mut check = HealthCheck::default();
        field.message(|f| {
            match f.number {
                1 => check.protocol = f.text()?,
                2 => check.interval_millis = f.uint64()?,
                3 => check.timeout_millis = f.uint64()?,
                4 => check.grace_millis = f.uint64()?,
                5 => check.max_consecutive_failures = f.uint32()?,
                6 => check.by_mesos = f.flag()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(check)
    }
}

/// What one check found on one instance. Times are milliseconds since 1970; 0 means
/// never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthHistory<'a> {
    /// Index into the checks of the spec.
    pub check: u32,
    /// Since the instance runs.
    pub age_millis: u64,
    pub first_success: u64,
    pub last_success: u64,
    pub last_failure: u64,
    pub last_failure_cause: &'a str,
    pub consecutive_failures: u32,
    /// The latest results, the newest in bit 0: 1 for a success.
    pub recent: u64,
    /// How many bits of recent count, at most 64.
    pub results: u32,
}

impl<'a> HealthHistory<'a> {
    /// How many of the latest n results are failures, as far as they are known.
    pub fn failures(&self, n: u32) -> u32 {
        match n.min(self.results).min(64) {
            0 => 0,
            n => (!self.recent << (64 - n)).count_ones(),
        }
    }

    pub(crate) fn read(field: &Field<'a>) -> Result<HealthHistory<'a>, Malformed> {
        let mut h = HealthHistory::default();
        field.message(|f| {
            match f.number {
                1 => h.check = f.uint32()?,
                2 => h.age_millis = f.uint64()?,
                3 => h.first_success = f.uint64()?,
                4 => h.last_success = f.uint64()?,
                5 => h.last_failure = f.uint64()?,
                6 => h.last_failure_cause = f.text()?,
                7 => h.consecutive_failures = f.uint32()?,
                8 => h.recent = f.fixed64()?,
                9 => h.results = f.uint32()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(h)
    }
}

/// Whether an instance is well, by one check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthState {
    #[default]
    Unknown = 0,
    Healthy = 1,
    Unhealthy = 2,
}

/// What a rule makes of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthVerdict<'a> {
    pub state: HealthState,
    /// End the instance and start another; only with Unhealthy.
    pub replace: bool,
    /// For people: why it is not healthy.
    pub reason: Cow<'a, str>,
}

impl HealthVerdict<'_> {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.number(1, self.state as u64);
        w.flag(2, self.replace);
        w.text(3, &self.reason);
    }
}
