//! A policy module for Pacer in Rust. Its operators answer as those that are built in:
//!
//!     RUST_LIKE expression    as LIKE: the whole value matches a regular expression
//!     RUST_UNLIKE expression  as UNLIKE: it does not; agents without the field fit
//!     RUST_MAX_PER n          as MAX_PER: at most n instances on each value

mod automaton;
mod classes;
mod compile;
mod machine;

use pacer_policy::*;

policy! { name: "attributes-rust", version: "1.0.0", constraint: Attributes }

struct Attributes;

impl Constraint for Attributes {
    fn operators(&self) -> &[&str] {
        &["RUST_LIKE", "RUST_UNLIKE", "RUST_MAX_PER"]
    }

    fn prepare(&self, spec: &ConstraintSpec) -> Result<Box<dyn PreparedConstraint>, Error> {
        let value = spec.value.unwrap_or_default();
        match spec.operator {
            "RUST_MAX_PER" => Ok(Box::new(MaxPer::new(value)?)),
            operator => Ok(Box::new(Like::new(value, operator == "RUST_UNLIKE")?)),
        }
    }
}

struct Like {
    machine: machine::Machine,
    unlike: bool,
    reason: String,
}

impl Like {
    fn new(value: &str, unlike: bool) -> Result<Like, Error> {
        if value.is_empty() {
            return Err(Error::invalid("LIKE and UNLIKE require a non-empty, regular expression value"));
        }
        let program = compile::compile(value)
            .map_err(|cause| Error::Invalid(["\"", value, "\" is not a valid regular expression: ", &cause].concat()))?;
        let verb = if unlike { "matches \"" } else { "does not match \"" };
        Ok(Like { machine: machine::Machine::new(program), unlike, reason: [verb, value, "\""].concat() })
    }
}

impl PreparedConstraint for Like {
    fn traits(&self) -> Traits {
        Traits::PurePerValue
    }

    fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error> {
        for (slot, value) in input.values.iter().enumerate() {
            let fits = if slot == ABSENT { self.unlike } else { self.machine.matches(value) != self.unlike };
            if fits {
                quota[slot] = UNLIMITED;
            }
        }
        Ok(ConstraintAnswer { flags: 0, reason: self.reason.as_str().into() })
    }
}

struct MaxPer {
    limit: u32,
    reason: String,
}

impl MaxPer {
    /// The first instance of a value always fits, even when the number is 0 or negative.
    fn new(value: &str) -> Result<MaxPer, Error> {
        let n: i32 = value.parse().map_err(|_| Error::invalid("MAX_PER requires an integer value"))?;
        let limit = n.max(1) as u32;
        Ok(MaxPer { limit, reason: ["each value takes ", &limit.to_string(), " at most"].concat() })
    }
}

impl PreparedConstraint for MaxPer {
    fn traits(&self) -> Traits {
        Traits::Stateful
    }

    fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error> {
        for (slot, quota) in quota.iter_mut().enumerate().skip(ABSENT + 1) {
            *quota = self.limit.saturating_sub(input.placed.get(slot));
        }
        Ok(ConstraintAnswer { flags: 0, reason: self.reason.as_str().into() })
    }
}

#[cfg(test)]
mod tests;
