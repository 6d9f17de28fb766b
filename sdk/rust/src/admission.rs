//! The kind "admission".

use crate::wire::{each, Field, Malformed, Writer};
use crate::Error;
use std::borrow::Cow;

/// A policy that says of apps and groups whether they may be created, changed or
/// deleted, before that is accepted, and may amend them.
pub trait Admission {
    /// The names that it answers for, in lower case.
    fn policies(&self) -> &[&str];
    /// Answers about one change, from the request alone.
    fn review<'a>(&'a self, request: &AdmissionRequest<'a>) -> Result<AdmissionReview<'a>, Error>;
}

/// What is to happen to the subject. Scaling and restarting are updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    #[default]
    Unspecified,
    Create,
    Update,
    Delete,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    #[default]
    Unspecified,
    App,
    Group,
}

/// One change that somebody wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdmissionRequest<'a> {
    pub policy: &'a str,
    /// What the operator chose it with; empty for none.
    pub settings: &'a str,
    pub verb: Verb,
    pub subject: Subject,
    /// Absolute path.
    pub id: &'a str,
    /// The app or group as the API shows it, JSON; empty for Create.
    pub old: &'a [u8],
    /// As it is to become, normalised, JSON; empty for Delete.
    pub new: &'a [u8],
    /// Who asks; empty when the API asks for no credentials.
    pub user: &'a str,
    pub force: bool,
    /// Since 1970.
    pub now_millis: u64,
    /// The groups above the subject, the root first, without what the subject has now.
    pub above: Vec<GroupUse<'a>>,
}

impl<'a> AdmissionRequest<'a> {
    pub(crate) fn read(message: &'a [u8]) -> Result<AdmissionRequest<'a>, Malformed> {
        let mut r = AdmissionRequest::default();
        each(message, |f| {
            match f.number {
                1 => r.policy = f.text()?,
                2 => r.settings = f.text()?,
                3 => {
                    r.verb = match f.uint32()? {
                        1 => Verb::Create,
                        2 => Verb::Update,
                        3 => Verb::Delete,
                        _ => Verb::Unspecified,
                    }
                }
                4 => {
                    r.subject = match f.uint32()? {
                        1 => Subject::App,
                        2 => Subject::Group,
                        _ => Subject::Unspecified,
                    }
                }
                5 => r.id = f.text()?,
                6 => r.old = f.bytes()?,
                7 => r.new = f.bytes()?,
                8 => r.user = f.text()?,
                9 => r.force = f.flag()?,
                10 => r.now_millis = f.uint64()?,
                11 => r.above.push(GroupUse::read(&f)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(r)
    }
}

/// What all apps of a group, and of the groups in it, ask for in all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupUse<'a> {
    pub id: &'a str,
    pub apps: u32,
    pub instances: u32,
    pub cpus: f64,
    /// MiB.
    pub mem: f64,
    /// MiB.
    pub disk: f64,
    pub gpus: u32,
}

impl<'a> GroupUse<'a> {
    fn read(field: &Field<'a>) -> Result<GroupUse<'a>, Malformed> {
        let mut g = GroupUse::default();
        field.message(|f| {
            match f.number {
                1 => g.id = f.text()?,
                2 => g.apps = f.uint32()?,
                3 => g.instances = f.uint32()?,
                4 => g.cpus = f.double()?,
                5 => g.mem = f.double()?,
                6 => g.disk = f.double()?,
                7 => g.gpus = f.uint32()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(g)
    }
}

/// What a policy makes of a change. The default lets it through as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdmissionReview<'a> {
    pub denied: bool,
    /// For the user: why it is denied.
    pub reason: Cow<'a, str>,
    /// Of the field that has to change, such as /cpus; may be empty.
    pub path: Cow<'a, str>,
    /// What new is to be instead, whole; None: as it is.
    pub amended: Option<Cow<'a, [u8]>>,
    /// For the user, beside the answer.
    pub warnings: Vec<Cow<'a, str>>,
}

impl<'a> AdmissionReview<'a> {
    /// The review that refuses a change.
    pub fn deny(path: impl Into<Cow<'a, str>>, reason: impl Into<Cow<'a, str>>) -> AdmissionReview<'a> {
        AdmissionReview { denied: true, path: path.into(), reason: reason.into(), ..AdmissionReview::default() }
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.flag(1, self.denied);
        w.text(2, &self.reason);
        w.text(3, &self.path);
        w.bytes(4, self.amended.as_deref().unwrap_or_default());
        for warning in &self.warnings {
            w.entry(5, warning.as_bytes());
        }
    }
}
