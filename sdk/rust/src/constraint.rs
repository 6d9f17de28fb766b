//! The kind "constraint".

use crate::wire::{each, Malformed, Writer};
use crate::{AppFacts, Error};
use std::borrow::Cow;

/// A quota of any number.
pub const UNLIMITED: u32 = u32::MAX;
/// The slot that stands for "the agent does not have the field".
pub const ABSENT: usize = 0;

/// A flag of an answer: any one value with a quota may be chosen, then only that one.
pub const EXCLUSIVE: u32 = 1;
/// A flag of an answer: the quotas hold for the next placement only.
pub const VOLATILE: u32 = 2;
/// A flag of an answer: ask again when all quotas are used up.
pub const REFILL: u32 = 4;

/// A policy that says, from the value that one field has on each agent, which of
/// them may host an instance.
pub trait Constraint {
    /// The operators that it answers for, in upper case.
    fn operators(&self) -> &[&str];
    /// Takes one constraint of an app version.
    fn prepare(&self, spec: &ConstraintSpec) -> Result<Box<dyn PreparedConstraint>, Error>;
}

/// What has taken one constraint. It is dropped when the host releases it.
pub trait PreparedConstraint {
    fn traits(&self) -> Traits;
    /// Sets the quota of each slot, how many more instances it takes. All are 0
    /// before. An error is a fault of the module, never a verdict.
    fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error>;
}

/// What the host may do with the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traits {
    #[default]
    None = 0,
    /// A quota depends on the constraint and the value alone, and is 0 or UNLIMITED.
    PurePerValue = 1,
    /// The answer depends on what is placed.
    Stateful = 2,
}

/// One constraint of one app version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConstraintSpec<'a> {
    /// As in the app, but @hostname for hostname.
    pub field: &'a str,
    pub operator: &'a str,
    /// Its meaning is the operator's; None for a constraint without one.
    pub value: Option<&'a str>,
    pub app: AppFacts<'a>,
}

impl<'a> ConstraintSpec<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<ConstraintSpec<'a>, Malformed> {
        let mut spec = ConstraintSpec::default();
        let (mut value, mut has_value) = ("", false);
        each(message, |f| {
            match f.number {
                1 => spec.field = f.text()?,
                2 => spec.operator = f.text()?,
                3 => value = f.text()?,
                4 => has_value = f.flag()?,
                5 => spec.app = AppFacts::read(&f)?,
                _ => {}
            }
            Ok(())
        })?;
        spec.value = has_value.then(|| value);
        Ok(spec)
    }
}

/// Numbers as they lie in a message, at any address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    pub fn len(&self) -> usize {
        self.0.len() / 4
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number of the list; 0 behind its end, as what is left out is 0.
    pub fn get(&self, i: usize) -> u32 {
        match self.0.get(4 * i..4 * i + 4) {
            Some(b) => u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            None => 0,
        }
    }

    fn read(bytes: &'a [u8]) -> Result<Numbers<'a>, Malformed> {
        match bytes.len() % 4 {
            0 => Ok(Numbers(bytes)),
            _ => Err(Malformed("packed numbers cut short")),
        }
    }
}

/// The values of a field, each one once. Slot 0 is empty and stands for absence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    data: &'a str,
    off: Numbers<'a>,
}

impl<'a> Values<'a> {
    /// How many slots there are, that of absence included.
    pub fn len(&self) -> usize {
        self.off.len().saturating_sub(1)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a slot, which must be less than len.
    pub fn get(&self, slot: usize) -> &'a str {
        &self.data[self.off.get(slot) as usize..self.off.get(slot + 1) as usize]
    }

    /// The values by slot, that of absence included.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |slot| self.get(slot))
    }
}

/// The state of one field. Its lists stay where the host put them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConstraintInput<'a> {
    pub values: Values<'a>,
    /// How many placed instances each value has; empty unless Stateful.
    pub placed: Numbers<'a>,
    /// The slot of the first placed instance.
    pub first: Option<usize>,
    /// How many the app wants in all.
    pub instances: u32,
}

impl<'a> ConstraintInput<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<ConstraintInput<'a>, Malformed> {
        let mut input = ConstraintInput::default();
        let mut first = 0;
        each(message, |f| {
            match f.number {
                1 => f.message(|f| {
                    match f.number {
                        2 => input.values.data = f.text()?,
                        3 => input.values.off = Numbers::read(f.bytes()?)?,
                        _ => {}
                    }
                    Ok(())
                })?,
                2 => input.placed = Numbers::read(f.bytes()?)?,
                3 => first = f.uint32()? as usize,
                4 => input.instances = f.uint32()?,
                _ => {}
            }
            Ok(())
        })?;
        input.first = first.checked_sub(1);
        input.check(first)?;
        Ok(input)
    }

    /// Sees to it that every slot can be read.
    fn check(&self, first: usize) -> Result<(), Malformed> {
        let n = self.values.len();
        if n == 0 || self.values.off.get(0) != 0 || self.values.off.get(1) != 0 {
            return Err(Malformed("the dictionary lacks the slot of absence"));
        }
        if first > n || !self.placed.is_empty() && self.placed.len() != n {
            return Err(Malformed("placed instances do not match the values"));
        }
        let mut at = 0;
        for i in 1..=n {
            let next = self.values.off.get(i) as usize;
            if next < at || !self.values.data.is_char_boundary(next) {
                return Err(Malformed("offset beyond the values"));
            }
            at = next;
        }
        Ok(())
    }
}

/// What is answered besides the quotas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConstraintAnswer<'a> {
    /// EXCLUSIVE, VOLATILE, REFILL or 0.
    pub flags: u32,
    /// For people, about the values with quota 0.
    pub reason: Cow<'a, str>,
}

impl ConstraintAnswer<'_> {
    pub(crate) fn write(&self, quota: &[u32], w: &mut Writer) {
        w.fixed32s(1, quota);
        w.number(2, self.flags.into());
        w.text(3, &self.reason);
    }
}

/// A question made by a test.
#[derive(Clone, Debug, Default)]
pub struct Question {
    data: String,
    off: Vec<u8>,
    placed: Vec<u8>,
    first: Option<usize>,
    instances: u32,
}

impl Question {
    /// A question about these values, behind the slot of absence.
    pub fn of(values: &[&str]) -> Question {
        let mut q = Question { off: vec![0; 8], ..Question::default() };
        for value in values {
            q.data.push_str(value);
            q.off.extend_from_slice(&(q.data.len() as u32).to_le_bytes());
        }
        q
    }

    /// With the number of placed instances of each slot, that of absence included.
    pub fn placed(mut self, counts: &[u32]) -> Question {
        self.placed = counts.iter().flat_map(|n| n.to_le_bytes()).collect();
        self
    }

    /// With the slot of the first placed instance.
    pub fn first(mut self, slot: usize) -> Question {
        self.first = Some(slot);
        self
    }

    /// With the number of instances that the app wants.
    pub fn instances(mut self, n: u32) -> Question {
        self.instances = n;
        self
    }

    /// The question as a policy is asked it.
    pub fn input(&self) -> ConstraintInput<'_> {
        ConstraintInput {
            values: Values { data: &self.data, off: Numbers(&self.off) },
            placed: Numbers(&self.placed),
            first: self.first,
            instances: self.instances,
        }
    }
}
