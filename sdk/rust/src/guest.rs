//! The module's side of the ABI. The functions that `policy!` exports call it.

use crate::wire::{each, Writer};
use crate::*;

/// The minor version of the ABI that is spoken here.
const MINOR: u64 = 1;

/// The bit of a result's length that says: an Error message.
#[cfg(target_arch = "wasm32")]
const FAILED: u64 = 1 << 31;

/// What a module consists of; `policy!` makes it.
#[derive(Default)]
pub struct Module {
    pub name: &'static str,
    pub version: &'static str,
    pub constraint: Option<Box<dyn Constraint>>,
    pub fetch: Option<Box<dyn Fetch>>,
    pub upgrade: Option<Box<dyn Upgrade>>,
    pub health: Option<Box<dyn Health>>,
    pub admission: Option<Box<dyn Admission>>,
    /// Gets the operator's settings, JSON, empty for none, before any policy is asked.
    /// Its error is why the module is not loaded. Without it, any settings are an error.
    pub configure: Option<fn(&str) -> Result<(), Error>>,
}

/// What was prepared, by handle.
struct Handles<T: ?Sized>(Vec<Option<Box<T>>>);

impl<T: ?Sized> Default for Handles<T> {
    fn default() -> Self {
        Handles(Vec::new())
    }
}

impl<T: ?Sized> Handles<T> {
    fn keep(&mut self, prepared: Box<T>) -> u64 {
        let free = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
            self.0.push(None);
            self.0.len() - 1
        });
        self.0[free] = Some(prepared);
        free as u64 + 1
    }

    fn find(&mut self, handle: u32) -> Result<&mut T, Error> {
        match self.0.get_mut((handle as usize).wrapping_sub(1)) {
            Some(Some(prepared)) => Ok(prepared),
            _ => Err(Error::fault("no such handle")),
        }
    }

    fn release(&mut self, handle: u32) {
        if let Some(place) = self.0.get_mut((handle as usize).wrapping_sub(1)) {
            *place = None;
        }
    }
}

/// One instance of a module. The host writes to input and reads output.
pub struct Guest {
    module: Module,
    input: Vec<u8>,
    output: Vec<u8>,
    quota: Vec<u32>,
    constraints: Handles<dyn PreparedConstraint>,
    fetches: Handles<dyn PreparedFetch>,
    upgrades: Handles<dyn PreparedUpgrade>,
    healths: Handles<dyn PreparedHealth>,
}

/// Whether the output is what was asked for; otherwise it is an Error message.
type Answered = bool;

fn offered<T: ?Sized>(policy: &Option<Box<T>>) -> Result<&T, Error> {
    policy.as_deref().ok_or_else(|| Error::fault("this kind of policy is not offered"))
}

fn put_names(w: &mut Writer, field: u32, names: &[&str]) {
    for name in names {
        w.entry(field, name.as_bytes());
    }
}

fn put_handle(output: &mut Vec<u8>, handle: u64) {
    Writer(output).number(1, handle);
}

impl Guest {
    pub fn new(module: Module) -> Guest {
        Guest {
            module,
            input: Vec::new(),
            output: Vec::new(),
            quota: Vec::new(),
            constraints: Handles::default(),
            fetches: Handles::default(),
            upgrades: Handles::default(),
            healths: Handles::default(),
        }
    }

    /// Where the host writes so many bytes.
    pub fn buffer(&mut self, size: usize) -> *mut u8 {
        if size >= self.input.len() {
            self.input = vec![0; (2 * size).max(4096)];
        }
        self.input.as_mut_ptr()
    }

    /// The answer as the ABI has it: pointer << 32 | length.
    #[cfg(target_arch = "wasm32")]
    pub fn result(&self, answered: Answered) -> u64 {
        let failed = if answered { 0 } else { FAILED };
        (self.output.as_ptr() as u64) << 32 | self.output.len() as u64 | failed
    }

    /// Runs one call on the input, and turns its error into the answer.
    fn call(&mut self, size: u32, work: impl FnOnce(&mut Guest, &[u8]) -> Result<(), Error>) -> Answered {
        let input = std::mem::take(&mut self.input); // lent, so that the work may have the rest
        self.output.clear();
        let done = work(self, &input[..size as usize]);
        self.input = input;
        let (code, reason) = match done {
            Ok(()) => return true,
            Err(Error::Invalid(reason)) => (1, reason),
            Err(Error::Fault(reason)) => (2, reason),
        };
        self.output.clear();
        let mut w = Writer(&mut self.output);
        w.number(1, code);
        w.text(2, &reason);
        false
    }

    pub fn describe(&mut self) -> Answered {
        self.call(0, |g, _| {
            let (m, mut w) = (&g.module, Writer(&mut g.output));
            w.number(1, MINOR);
            w.text(2, m.name);
            w.text(3, m.version);
            put_names(&mut w, 4, m.constraint.as_ref().map_or(&[], |p| p.operators()));
            put_names(&mut w, 5, m.fetch.as_ref().map_or(&[], |p| p.policies()));
            put_names(&mut w, 6, m.upgrade.as_ref().map_or(&[], |p| p.strategies()));
            put_names(&mut w, 7, m.health.as_ref().map_or(&[], |p| p.rules()));
            put_names(&mut w, 8, m.admission.as_ref().map_or(&[], |p| p.policies()));
            Ok(())
        })
    }

    pub fn configure(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let mut settings = "";
            each(input, |f| {
                if f.number == 2 {
                    settings = f.text()?;
                }
                Ok(())
            })?;
            match g.module.configure {
                Some(configure) => configure(settings),
                None if settings.is_empty() => Ok(()),
                None => Err(Error::invalid("the module takes no settings")),
            }
        })
    }

    pub fn constraint_prepare(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let prepared = offered(&g.module.constraint)?.prepare(&ConstraintSpec::read(input)?)?;
            let traits = prepared.traits();
            put_handle(&mut g.output, g.constraints.keep(prepared));
            Writer(&mut g.output).number(2, traits as u64);
            Ok(())
        })
    }

    pub fn constraint_evaluate(&mut self, handle: u32, size: u32) -> Answered {
        self.call(size, |g, input| {
            let input = ConstraintInput::read(input)?;
            g.quota.clear();
            g.quota.resize(input.values.len(), 0);
            let answer = g.constraints.find(handle)?.evaluate(&input, &mut g.quota)?;
            answer.write(&g.quota, &mut Writer(&mut g.output));
            Ok(())
        })
    }

    pub fn constraint_release(&mut self, handle: u32) {
        self.constraints.release(handle);
    }

    pub fn fetch_prepare(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let prepared = offered(&g.module.fetch)?.prepare(&FetchSpec::read(input)?)?;
            put_handle(&mut g.output, g.fetches.keep(prepared));
            Ok(())
        })
    }

    pub fn fetch_decide(&mut self, handle: u32, size: u32) -> Answered {
        self.call(size, |g, input| {
            let mut uris = Vec::new();
            each(input, |f| {
                if f.number == 1 {
                    uris.push(FetchUri::read(&f)?);
                }
                Ok(())
            })?;
            let policy = g.fetches.find(handle)?;
            for uri in &uris {
                let decision = policy.decide(uri)?;
                Writer(&mut g.output).message(1, |w| decision.write(w));
            }
            Ok(())
        })
    }

    pub fn fetch_release(&mut self, handle: u32) {
        self.fetches.release(handle);
    }

    pub fn upgrade_prepare(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let prepared = offered(&g.module.upgrade)?.prepare(&UpgradeSpec::read(input)?)?;
            put_handle(&mut g.output, g.upgrades.keep(prepared));
            Ok(())
        })
    }

    pub fn upgrade_next(&mut self, handle: u32, size: u32) -> Answered {
        self.call(size, |g, input| {
            let state = UpgradeState::read(input)?;
            let step = g.upgrades.find(handle)?.next(&state)?;
            step.write(&mut Writer(&mut g.output));
            Ok(())
        })
    }

    pub fn upgrade_release(&mut self, handle: u32) {
        self.upgrades.release(handle);
    }

    pub fn health_prepare(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let prepared = offered(&g.module.health)?.prepare(&HealthSpec::read(input)?)?;
            put_handle(&mut g.output, g.healths.keep(prepared));
            Ok(())
        })
    }

    pub fn health_judge(&mut self, handle: u32, size: u32) -> Answered {
        self.call(size, |g, input| {
            let mut histories = Vec::new();
            each(input, |f| {
                if f.number == 1 {
                    histories.push(HealthHistory::read(&f)?);
                }
                Ok(())
            })?;
            let rule = g.healths.find(handle)?;
            for history in &histories {
                let verdict = rule.judge(history)?;
                Writer(&mut g.output).message(1, |w| verdict.write(w));
            }
            Ok(())
        })
    }

    pub fn health_release(&mut self, handle: u32) {
        self.healths.release(handle);
    }

    pub fn admission_review(&mut self, size: u32) -> Answered {
        self.call(size, |g, input| {
            let request = AdmissionRequest::read(input)?;
            let review = offered(&g.module.admission)?.review(&request)?;
            review.write(&mut Writer(&mut g.output));
            Ok(())
        })
    }
}

/// Gives the instance to the function; the first time, it makes it. The exports of
/// the ABI are plain functions, so their state has to live in a variable.
#[cfg(target_arch = "wasm32")]
pub fn with<R>(make: fn() -> Module, work: impl FnOnce(&mut Guest) -> R) -> R {
    use std::cell::RefCell;
    thread_local! {
        static GUEST: RefCell<Option<Guest>> = RefCell::new(None);
    }
    GUEST.with(|guest| {
        work(guest.borrow_mut().get_or_insert_with(|| {
            host::print_panics();
            Guest::new(make())
        }))
    })
}

/// As with, for a call that has an answer.
#[cfg(target_arch = "wasm32")]
pub fn answer(make: fn() -> Module, work: impl FnOnce(&mut Guest) -> Answered) -> u64 {
    with(make, |guest| {
        let answered = work(guest);
        guest.result(answered)
    })
}

#[cfg(test)]
mod tests;
