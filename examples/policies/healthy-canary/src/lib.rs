//! A policy module for Pacer with an upgrade strategy: a tenth of the instances comes
//! first. While these are good it pauses, and when they have been so for a while it
//! goes on by itself; when they do not get good in time it goes back.

use pacer_policy::*;

policy! { name: "healthy-canary", version: "1.0.0", upgrade: HealthyCanary }

struct HealthyCanary;

impl Upgrade for HealthyCanary {
    fn strategies(&self) -> &[&str] {
        &["healthy-canary"]
    }

    /// Called once for each upgrade; settings are labels of the app.
    fn prepare(&self, spec: &UpgradeSpec) -> Result<Box<dyn PreparedUpgrade>, Error> {
        let number = |label: &str, without: u64, most: u64| match spec.app.label(label) {
            None => Ok(without),
            Some(text) => match text.parse() {
                Ok(n) if (1..=most).contains(&n) => Ok(n),
                _ => Err(Error::invalid(format!("{} must be a number from 1 to {}, not {:?}", label, most, text))),
            },
        };
        Ok(Box::new(Canary {
            percent: number("CANARY_PERCENT", 10, 100)?,
            bake: 1000 * number("CANARY_BAKE_SECONDS", 300, 604_800)?,
            patience: 1000 * number("CANARY_PATIENCE_SECONDS", 900, 604_800)?,
        }))
    }
}

/// One upgrade. Times are in milliseconds.
struct Canary {
    percent: u64,
    bake: u64,
    patience: u64,
}

impl PreparedUpgrade for Canary {
    /// Asked whenever something has changed. The answer depends on the state alone.
    fn next<'a>(&'a mut self, s: &UpgradeState<'a>) -> Result<UpgradeStep<'a>, Error> {
        let p = Progress::of(s);
        let share = (i64::from(s.instances) * self.percent as i64 + 99) / 100;
        if s.promotions > 0 || s.undoes || s.memory == b"passed" || share == 0 {
            return Ok(p.rolling());
        }
        let (start, kill) = p.first(share);
        let good = start == 0 && kill == 0 && p.new >= share && p.well == p.new;
        let mut seen = Seen::recall(s.memory, s.millis);
        seen.turn(good, s.millis);
        let lasted = s.millis - seen.since;
        if good && lasted >= self.bake {
            return Ok(p.rolling());
        }
        if good {
            return Ok(UpgradeStep {
                outcome: Outcome::Pause,
                ask_after_millis: self.bake - lasted,
                reason: format!("{} of {} are good, and have to stay so for {} s", p.new, s.instances, self.bake / 1000).into(),
                memory: seen.memory().into(),
                ..UpgradeStep::default()
            });
        }
        let lost = seen.lost + lasted;
        if lost >= self.patience {
            let reason = format!("the first {} were not all good for {} s: {} are", share, self.patience / 1000, p.well);
            return Ok(UpgradeStep { outcome: Outcome::RollBack, reason: reason.into(), ..UpgradeStep::default() });
        }
        let memory = seen.memory().into();
        Ok(UpgradeStep { ask_after_millis: self.patience - lost, memory, ..p.step(start, kill) })
    }
}

/// What a step leaves for the next: whether the first ones are good, since when, and for
/// how long they were not before that.
struct Seen {
    good: bool,
    since: u64,
    lost: u64,
}

impl Seen {
    /// The clock of another leader may be behind.
    fn recall(memory: &[u8], now: u64) -> Seen {
        let text = std::str::from_utf8(memory).unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let number = |i: usize| words.get(i).and_then(|word| word.parse().ok());
        Seen { good: words[0] == "good", since: number(1).unwrap_or(now).min(now), lost: number(2).unwrap_or(0) }
    }

    fn turn(&mut self, good: bool, now: u64) {
        if self.good == good {
            return;
        }
        if good {
            self.lost += now - self.since;
        }
        self.good = good;
        self.since = now;
    }

    fn memory(&self) -> Vec<u8> {
        format!("{} {} {}", if self.good { "good" } else { "bad" }, self.since, self.lost).into_bytes()
    }
}

/// The state in numbers that may go below 0.
struct Progress {
    wanted: i64,
    new: i64,
    ready: i64,
    /// Ready, and healthy now.
    well: i64,
    /// Old ones that are not being killed.
    living: i64,
    unhealthy: i64,
    dying: i64,
    /// Serving ones above those that must be.
    spare: i64,
    /// How many more may run.
    room: i64,
}

impl Progress {
    fn of(s: &UpgradeState) -> Progress {
        let well = i64::from(s.new_healthy.min(s.new_ready));
        let living = i64::from(s.old) - i64::from(s.old_dying);
        Progress {
            wanted: s.instances.into(),
            new: s.new.into(),
            ready: s.new_ready.into(),
            well,
            living,
            unhealthy: living - i64::from(s.old_healthy),
            dying: s.old_dying.into(),
            spare: i64::from(s.old_healthy) + well - i64::from(s.min_healthy),
            room: i64::from(s.max_total) - i64::from(s.old) - i64::from(s.new),
        }
    }

    /// Brings the first ones up beside the old ones; these go where there is no room,
    /// and where there are more instances than are wanted.
    fn first(&self, share: i64) -> (i64, i64) {
        let missing = (share - self.new).max(0);
        let start = missing.min(self.room.max(0));
        let in_the_way = missing - start - self.dying;
        // Is the share everything, the old ones stay until it has shown that it is good.
        let surplus = self.living - self.wanted + if share < self.wanted { self.ready } else { 0 };
        let may = self.living.min(self.unhealthy + self.spare.max(0));
        (start, in_the_way.max(surplus).clamp(0, may))
    }

    /// What the builtin strategy rolling does.
    fn rolling<'a>(&self) -> UpgradeStep<'a> {
        let start = (self.wanted - self.new).min(self.room).max(0);
        let mut kill = self.living.min(self.spare.max(self.living - self.wanted)).max(0);
        if start == 0 && kill == 0 && self.dying == 0 && self.ready == self.new && self.unhealthy > 0 {
            kill = 1; // or those that are not healthy would take the room for ever
        }
        UpgradeStep { memory: b"passed"[..].into(), ..self.step(start, kill) }
    }

    fn step<'a>(&self, start: i64, kill: i64) -> UpgradeStep<'a> {
        let reason = match (start, kill) {
            (0, 0) if self.ready < self.new => "waits for new instances to be healthy and ready",
            (0, 0) if self.dying + self.living > 0 => "waits for instances to end or to be healthy",
            _ => "",
        };
        UpgradeStep { start: start as u32, kill: kill as u32, reason: reason.into(), ..UpgradeStep::default() }
    }
}
