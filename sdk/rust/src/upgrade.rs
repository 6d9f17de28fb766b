//! The kind "upgrade".

use crate::wire::{each, Malformed, Writer};
use crate::{AppFacts, Error};
use std::borrow::Cow;

/// A policy that says how an app goes from one version to the next.
pub trait Upgrade {
    /// The strategies that it answers for, in lower case.
    fn strategies(&self) -> &[&str];
    /// Takes one upgrade.
    fn prepare(&self, spec: &UpgradeSpec) -> Result<Box<dyn PreparedUpgrade>, Error>;
}

/// What has taken one upgrade. It is dropped when the host releases it.
pub trait PreparedUpgrade {
    /// Says what to do now, from the state alone.
    fn next<'a>(&'a mut self, state: &UpgradeState<'a>) -> Result<UpgradeStep<'a>, Error>;
}

/// The strategy, and the version that is to come. Settings are labels of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpgradeSpec<'a> {
    pub strategy: &'a str,
    pub app: AppFacts<'a>,
}

impl<'a> UpgradeSpec<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<UpgradeSpec<'a>, Malformed> {
        let mut spec = UpgradeSpec::default();
        each(message, |f| {
            match f.number {
                1 => spec.strategy = f.text()?,
                2 => spec.app = AppFacts::read(&f)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(spec)
    }
}

/// Where an upgrade stands, in instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpgradeState<'a> {
    /// Wanted in the end.
    pub instances: u32,
    pub minimum_health_capacity: f64,
    pub maximum_over_capacity: f64,
    /// The envelope: no step goes beyond it.
    pub min_healthy: u32,
    pub max_total: u32,
    /// Not known to be dead, those being killed included.
    pub old: u32,
    pub old_dying: u32,
    /// Healthy and not being killed.
    pub old_healthy: u32,
    /// On their way or running.
    pub new: u32,
    pub new_healthy: u32,
    /// Have been healthy and ready since they were started.
    pub new_ready: u32,
    /// Since the upgrade began.
    pub millis: u64,
    /// What the last step left; empty at the start.
    pub memory: &'a [u8],
    /// How often somebody told a paused upgrade to go on.
    pub promotions: u32,
    /// Since 1970; 0 when that is not known.
    pub now_millis: u64,
    /// It undoes another upgrade: what is to come was there before.
    pub undoes: bool,
}

impl<'a> UpgradeState<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<UpgradeState<'a>, Malformed> {
        let mut s = UpgradeState::default();
        each(message, |f| {
            match f.number {
                1 => s.instances = f.uint32()?,
                2 => s.minimum_health_capacity = f.double()?,
                3 => s.maximum_over_capacity = f.double()?,
                4 => s.min_healthy = f.uint32()?,
                5 => s.max_total = f.uint32()?,
                6 => s.old = f.uint32()?,
                7 => s.old_dying = f.uint32()?,
                8 => s.old_healthy = f.uint32()?,
                9 => s.new = f.uint32()?,
                10 => s.new_healthy = f.uint32()?,
                11 => s.new_ready = f.uint32()?,
                12 => s.millis = f.uint64()?,
                13 => s.memory = f.bytes()?,
                14 => s.promotions = f.uint32()?,
                15 => s.now_millis = f.uint64()?,
                16 => s.undoes = f.flag()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(s)
    }
}

/// Whether an upgrade goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    Proceed = 0,
    /// Wait until somebody lets it go on.
    Pause = 1,
    /// Give up and go back to the version before.
    RollBack = 2,
}

/// What to do next. Both numbers are cut to the envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpgradeStep<'a> {
    /// New instances.
    pub start: u32,
    /// Old ones.
    pub kill: u32,
    /// Ask again after that time although nothing may have changed.
    pub ask_after_millis: u64,
    /// Nothing is started or killed unless Proceed.
    pub outcome: Outcome,
    /// For people: why it waits or stops.
    pub reason: Cow<'a, str>,
    /// For the next step; at most 16,384 bytes.
    pub memory: Cow<'a, [u8]>,
}

impl UpgradeStep<'_> {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.number(1, self.start.into());
        w.number(2, self.kill.into());
        w.number(3, self.ask_after_millis);
        w.number(4, self.outcome as u64);
        w.text(5, &self.reason);
        w.bytes(6, &self.memory);
    }
}
