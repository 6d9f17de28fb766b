//! A module in Rust with policies of all kinds, whose answers tell all that they were
//! asked. kinds_test.go has the same policies in Go.

use pacer_policy::*;
use std::sync::Mutex;

policy! {
    name: "kinds",
    version: "1.2.3",
    constraint: Every,
    fetch: Every,
    upgrade: Every,
    health: Every,
    admission: Every,
    configure: configure,
}

static CONFIGURED: Mutex<String> = Mutex::new(String::new());

fn configure(settings: &str) -> Result<(), Error> {
    if settings == r#"{"bad":1}"# {
        return Err(Error::invalid("these settings are bad"));
    }
    *CONFIGURED.lock()? = settings.to_owned();
    Ok(())
}

struct Every;

fn about(app: &AppFacts) -> String {
    let team = app.label("team").unwrap_or("none");
    format!("{} {} {} {} {}", app.id, app.version, app.instances, app.role, team)
}

/// The state of all kinds.
struct Prepared {
    about: String,
    name: String,
    settings: String,
    instances: u32,
    enforced: bool,
    checks: Vec<String>,
    by_mesos: Vec<bool>,
}

fn prepare(name: &str, settings: &str, app: &AppFacts) -> Result<Box<Prepared>, Error> {
    match settings {
        "invalid" => return Err(Error::invalid(format!("change {}", name))),
        "fault" => return Err(Error::fault("broken")),
        "panic" => panic!("at the {} place", "prepared"),
        "memory" => drop(Vec::<u8>::with_capacity(1 << 26)),
        _ => {}
    }
    Ok(Box::new(Prepared {
        about: about(app),
        name: name.to_owned(),
        settings: settings.to_owned(),
        instances: app.instances,
        enforced: false,
        checks: Vec::new(),
        by_mesos: Vec::new(),
    }))
}

impl Constraint for Every {
    fn operators(&self) -> &[&str] {
        &["EVERY", "EVERY_TOO", "HOST"]
    }

    fn prepare(&self, spec: &ConstraintSpec) -> Result<Box<dyn PreparedConstraint>, Error> {
        let mut p = prepare(spec.operator, spec.value.unwrap_or_default(), &spec.app)?;
        let mark = if spec.value.is_some() { "=" } else { "!" };
        p.about = [spec.field, mark, &p.about].concat();
        Ok(p)
    }
}

/// Asks the host for something.
fn host_order(order: &str) -> String {
    let yes = |that| if that { "yes" } else { "no" };
    let text = |key| String::from_utf8_lossy(&host::kv_get(key)).into_owned();
    match order {
        "now" => host::now_millis().to_string(),
        "rand" => format!("{} {}", host::rand(), host::rand()),
        "put" => format!("{} {}", yes(host::kv_put("a", b"1")), yes(host::kv_put("b", &[b'y'; 1000]))),
        "remove" => yes(host::kv_put("a", b"")).to_owned(),
        "get" => format!("{} {} {}", text("a"), text("b").len(), text("c")),
        "metrics" => {
            host::metric_add(1, 2.0);
            host::metric_observe(2, -3.5);
            order.to_owned()
        }
        _ => {
            if order == "log" && log_enabled(Level::Error) {
                log(Level::Warning, "a line");
            }
            order.to_owned()
        }
    }
}

impl PreparedConstraint for Prepared {
    fn traits(&self) -> Traits {
        Traits::Stateful
    }

    fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error> {
        if self.name == "HOST" {
            return Ok(ConstraintAnswer { flags: 0, reason: host_order(&self.settings).into() });
        }
        for (slot, value) in input.values.iter().enumerate() {
            quota[slot] = 256 * value.len() as u32
                + u32::from(value.bytes().last().unwrap_or_default())
                + 100_000 * input.placed.get(slot)
                + u32::from(input.first == Some(slot))
                + input.instances;
        }
        let configured = CONFIGURED.lock()?;
        let reason = format!("{} {} {} {}", self.name, self.settings, self.about, configured);
        Ok(ConstraintAnswer { flags: self.instances % 8, reason: reason.into() })
    }
}

impl Fetch for Every {
    fn policies(&self) -> &[&str] {
        &["every"]
    }

    fn prepare(&self, spec: &FetchSpec) -> Result<Box<dyn PreparedFetch>, Error> {
        let mut p = prepare(spec.policy, spec.settings, &spec.app)?;
        p.enforced = spec.enforced;
        Ok(p)
    }
}

impl PreparedFetch for Prepared {
    fn decide<'a>(&'a mut self, uri: &FetchUri<'a>) -> Result<FetchDecision<'a>, Error> {
        if uri.uri.starts_with("http:") {
            let enforced = if self.enforced { "enforced" } else { "not enforced" };
            return Ok(FetchDecision::deny(format!("{} {} {}", enforced, self.about, uri.uri)));
        }
        let uri = FetchUri {
            uri: (self.settings.clone() + &uri.uri).into(),
            extract: uri.executable,
            executable: uri.cache,
            cache: uri.extract,
            dest_path: format!("{}/{}", uri.dest_path, self.name).into(),
        };
        if !self.enforced {
            return Ok(FetchDecision::allow(uri));
        }
        let limits = FetchLimits { bytes: (1 << 40) + u64::from(self.instances), entries: 1, depth: 2, ratio: 300 };
        Ok(FetchDecision::Fetch { uri, sha256: "abcd".into(), limits })
    }
}

impl Upgrade for Every {
    fn strategies(&self) -> &[&str] {
        &["every"]
    }

    fn prepare(&self, spec: &UpgradeSpec) -> Result<Box<dyn PreparedUpgrade>, Error> {
        Ok(prepare(spec.strategy, "", &spec.app)?)
    }
}

impl PreparedUpgrade for Prepared {
    fn next<'a>(&'a mut self, s: &UpgradeState<'a>) -> Result<UpgradeStep<'a>, Error> {
        let (least, over) = (1000.0 * s.minimum_health_capacity, 1000.0 * s.maximum_over_capacity);
        Ok(UpgradeStep {
            start: s.old
                + 10 * s.old_dying
                + 100 * s.old_healthy
                + 1000 * s.new
                + 10_000 * s.new_healthy
                + 100_000 * s.new_ready,
            kill: s.instances + 100 * s.min_healthy + 10_000 * s.max_total,
            ask_after_millis: s.millis + s.now_millis,
            outcome: [Outcome::Proceed, Outcome::Pause, Outcome::RollBack][s.promotions as usize % 3],
            reason: format!("{} {} {} {}", self.name, self.about, least as u64, over as u64).into(),
            memory: [s.memory, b"\0more"].concat().into(),
        })
    }
}

impl Health for Every {
    fn rules(&self) -> &[&str] {
        &["every"]
    }

    fn prepare(&self, spec: &HealthSpec) -> Result<Box<dyn PreparedHealth>, Error> {
        let mut p = prepare(spec.rule, "", &spec.app)?;
        for c in &spec.checks {
            p.checks.push(format!(
                "{} {} {} {} {}",
                c.protocol, c.interval_millis, c.timeout_millis, c.grace_millis, c.max_consecutive_failures
            ));
            p.by_mesos.push(c.by_mesos);
        }
        Ok(p)
    }
}

impl PreparedHealth for Prepared {
    fn judge<'a>(&'a mut self, h: &HealthHistory<'a>) -> Result<HealthVerdict<'a>, Error> {
        let state = [HealthState::Unknown, HealthState::Healthy, HealthState::Unhealthy][h.results as usize % 3];
        let reason = format!(
            "{} {} {} {} {} {} {} {} {} {} {}",
            self.about,
            self.checks[h.check as usize],
            h.age_millis,
            h.first_success,
            h.last_success,
            h.last_failure,
            h.last_failure_cause,
            h.consecutive_failures,
            h.recent,
            h.failures(10),
            h.failures(64)
        );
        let replace = state == HealthState::Unhealthy && !self.by_mesos[h.check as usize];
        Ok(HealthVerdict { state, replace, reason: reason.into() })
    }
}

fn json(bytes: &[u8]) -> &[u8] {
    if bytes.is_empty() {
        b"null"
    } else {
        bytes
    }
}

impl Admission for Every {
    fn policies(&self) -> &[&str] {
        &["every"]
    }

    fn review<'a>(&'a self, r: &AdmissionRequest<'a>) -> Result<AdmissionReview<'a>, Error> {
        if r.settings == "invalid" {
            return Err(Error::invalid(format!("change {}", r.policy)));
        }
        if r.user == "mallory" {
            return Ok(AdmissionReview::deny("/cpus", format!("{} {} {}", r.user, r.verb as u32, r.subject as u32)));
        }
        let mut warnings = vec![format!("{} {} {} {}", r.policy, r.id, r.now_millis, r.settings).into()];
        for g in &r.above {
            let [cpus, mem, disk] = [g.cpus, g.mem, g.disk].map(|n| (1000.0 * n) as u64);
            warnings.push(format!("{} {} {} {} {} {} {}", g.id, g.apps, g.instances, cpus, mem, disk, g.gpus).into());
        }
        let amended = if r.force { None } else { Some([b"[", json(r.old), b",", json(r.new), b"]"].concat().into()) };
        Ok(AdmissionReview { amended, warnings, ..AdmissionReview::default() })
    }
}
