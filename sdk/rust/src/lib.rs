//! Policy modules for Pacer in Rust: an author implements the trait of a kind of
//! policy and names it in [`policy!`]. A whole module is
//!
//! ```
//! use pacer_policy::*;
//!
//! struct Even;
//!
//! impl Constraint for Even {
//!     fn operators(&self) -> &[&str] {
//!         &["EVEN"]
//!     }
//!     fn prepare(&self, spec: &ConstraintSpec) -> Result<Box<dyn PreparedConstraint>, Error> {
//!         match spec.value {
//!             None => Ok(Box::new(Even)),
//!             Some(_) => Err(Error::invalid("EVEN takes no value")),
//!         }
//!     }
//! }
//!
//! impl PreparedConstraint for Even {
//!     fn traits(&self) -> Traits {
//!         Traits::PurePerValue
//!     }
//!     fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error> {
//!         for (slot, value) in input.values.iter().enumerate().skip(1) {
//!             if value.len() % 2 == 0 {
//!                 quota[slot] = UNLIMITED;
//!             }
//!         }
//!         Ok(ConstraintAnswer::default())
//!     }
//! }
//!
//! policy! { name: "even", version: "1.0.0", constraint: Even }
//! # fn main() {}
//! ```
//!
//! built as a `cdylib` for `wasm32-unknown-unknown`, with `panic = "abort"`, `lto = true`
//! and a stack of 32 KiB; `examples/policies/attributes-rust` shows the files. The
//! policy is plain Rust and is tested natively, by `cargo test`.
//!
//! `sdk/policy.proto` says what each field means, `docs/policies.md` how a module is
//! called. A panic is a fault of the module, with the panic's message as its cause.

mod admission;
mod constraint;
mod fetch;
#[doc(hidden)]
pub mod guest;
mod health;
pub mod host;
pub mod json;
mod macros;
mod upgrade;
mod wire;

pub use admission::{Admission, AdmissionRequest, AdmissionReview, GroupUse, Subject, Verb};
pub use constraint::{
    Constraint, ConstraintAnswer, ConstraintInput, ConstraintSpec, Numbers, PreparedConstraint, Question, Traits,
    Values, ABSENT, EXCLUSIVE, REFILL, UNLIMITED, VOLATILE,
};
pub use fetch::{Fetch, FetchDecision, FetchLimits, FetchSpec, FetchUri, PreparedFetch};
pub use guest::Module;
pub use health::{Health, HealthCheck, HealthHistory, HealthSpec, HealthState, HealthVerdict, PreparedHealth};
pub use host::{log, log_enabled, Level};
pub use upgrade::{Outcome, PreparedUpgrade, Upgrade, UpgradeSpec, UpgradeState, UpgradeStep};

use wire::{Field, Malformed};

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The user, or the operator, has to change something: the text is shown to them.
    Invalid(String),
    /// The module could not do its work.
    Fault(String),
}

impl Error {
    /// An error of the user's, who is shown the reason.
    pub fn invalid(reason: impl Into<String>) -> Error {
        Error::Invalid(reason.into())
    }

    /// A fault of the module.
    pub fn fault(reason: impl Into<String>) -> Error {
        Error::Fault(reason.into())
    }
}

/// Errors of others are faults, so that `?` may be used on them.
impl<E: std::error::Error> From<E> for Error {
    fn from(e: E) -> Error {
        Error::Fault(e.to_string())
    }
}

/// What a policy may know of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppFacts<'a> {
    /// Absolute path; empty when there is no app.
    pub id: &'a str,
    /// RFC 3339 with milliseconds.
    pub version: &'a str,
    pub instances: u32,
    pub role: &'a str,
    pub labels: Vec<(&'a str, &'a str)>,
}

impl<'a> AppFacts<'a> {
    /// The value of a label; None if the app does not have it.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn read(field: &Field<'a>) -> Result<AppFacts<'a>, Malformed> {
        let mut app = AppFacts::default();
        field.message(|f| {
            match f.number {
                1 => app.id = f.text()?,
                2 => app.version = f.text()?,
                3 => app.instances = f.uint32()?,
                4 => app.role = f.text()?,
                5 => {
                    let mut label = ("", "");
                    f.message(|f| {
                        match f.number {
                            1 => label.0 = f.text()?,
                            2 => label.1 = f.text()?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    app.labels.push(label);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(app)
    }
}
