//! A policy module for Pacer with an upgrade strategy that works in business hours only,
//! and then as rolling does. The hours are the operator's setting, or a label of the app:
//! Mon-Fri 09:00-17:00 +01:00.

mod hours;

use hours::Hours;
use pacer_policy::*;
use std::cell::RefCell;

policy! { name: "business-hours", version: "1.0.0", upgrade: BusinessHours, configure: configure }

thread_local! {
    /// Those of apps that have no label.
    static HOURS: RefCell<Option<Hours>> = RefCell::new(None);
}

/// The settings are {"hours":"…"}, or none.
fn configure(settings: &str) -> Result<(), Error> {
    let settings = if settings.is_empty() { "{}" } else { settings };
    let given = json::parse(settings)?.get(&["hours"]).text();
    let hours = given.map(|text| Hours::parse(&text)).transpose().map_err(Error::Invalid)?;
    HOURS.with(|h| *h.borrow_mut() = hours);
    Ok(())
}

struct BusinessHours;

impl Upgrade for BusinessHours {
    fn strategies(&self) -> &[&str] {
        &["business-hours"]
    }

    /// Called once for each upgrade.
    fn prepare(&self, spec: &UpgradeSpec) -> Result<Box<dyn PreparedUpgrade>, Error> {
        let hours = match spec.app.label("BUSINESS_HOURS") {
            Some(text) => Hours::parse(text).map_err(|e| Error::Invalid(format!("BUSINESS_HOURS: {}", e)))?,
            None => HOURS.with(|h| h.borrow().clone()).ok_or_else(|| Error::invalid("BUSINESS_HOURS is missing"))?,
        };
        Ok(Box::new(hours))
    }
}

impl PreparedUpgrade for Hours {
    /// Asked whenever something has changed. The answer depends on the state alone: the
    /// time is that of the state, too.
    fn next<'a>(&'a mut self, s: &UpgradeState<'a>) -> Result<UpgradeStep<'a>, Error> {
        let wait = match s.now_millis {
            0 => 60_000, // nobody knows what time it is: closed
            now => self.opens_in(now),
        };
        if wait == 0 || s.undoes {
            return Ok(rolling(s)); // and what was well before may come back at any time
        }
        // Nothing is done but what keeps the app alive: when instances have been lost, and
        // too few are left, new ones take their place.
        let there = s.old - s.old_dying + s.new;
        let room = s.max_total.saturating_sub(s.old + s.new);
        Ok(UpgradeStep {
            start: s.min_healthy.saturating_sub(there).min(room),
            ask_after_millis: wait,
            reason: self.text.as_str().into(),
            ..UpgradeStep::default()
        })
    }
}

/// What the builtin strategy rolling does.
fn rolling<'a>(s: &UpgradeState) -> UpgradeStep<'a> {
    let n = |count: u32| i64::from(count);
    let living = n(s.old) - n(s.old_dying);
    let spare = n(s.old_healthy) + n(s.new_healthy.min(s.new_ready)) - n(s.min_healthy);
    let room = n(s.max_total) - n(s.old) - n(s.new);
    let start = (n(s.instances) - n(s.new)).min(room).max(0);
    let mut kill = living.min(spare.max(living - n(s.instances))).max(0);
    if start == 0 && kill == 0 && s.old_dying == 0 && s.new_ready == s.new && living > n(s.old_healthy) {
        kill = 1; // or those that are not healthy would take the room for ever
    }
    let reason = if start == 0 && kill == 0 && s.old > 0 { "waits for instances to end or to be healthy" } else { "" };
    UpgradeStep { start: start as u32, kill: kill as u32, reason: reason.into(), ..UpgradeStep::default() }
}
