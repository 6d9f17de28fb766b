use super::*;
use crate::wire::{each, Malformed};

/// Answers as many instances as the value has bytes, and one placed.
struct Echo;

impl Constraint for Echo {
    fn operators(&self) -> &[&str] {
        &["ECHO", "ECHO_TOO"]
    }
    fn prepare(&self, spec: &ConstraintSpec) -> Result<Box<dyn PreparedConstraint>, Error> {
        match (spec.value, spec.app.label("team")) {
            (Some("invalid"), _) => Err(Error::invalid("change it")),
            (Some("fault"), _) => Err(Error::fault("broken")),
            (None, Some("red")) => Ok(Box::new(Echo)),
            other => Err(Error::invalid(format!("{:?}", other))),
        }
    }
}

impl PreparedConstraint for Echo {
    fn traits(&self) -> Traits {
        Traits::Stateful
    }
    fn evaluate(&mut self, input: &ConstraintInput, quota: &mut [u32]) -> Result<ConstraintAnswer, Error> {
        for (slot, value) in input.values.iter().enumerate() {
            quota[slot] = value.len() as u32 + input.placed.get(slot);
        }
        Ok(ConstraintAnswer { flags: VOLATILE, reason: "so it is".into() })
    }
}

fn guest() -> Guest {
    Guest::new(Module {
        name: "echo",
        version: "1.2.3",
        constraint: Some(Box::new(Echo)),
        ..Module::default()
    })
}

/// Does what the host does: asks for the buffer and fills it.
fn send(g: &mut Guest, message: &[u8]) -> u32 {
    g.buffer(message.len());
    g.input[..message.len()].copy_from_slice(message);
    message.len() as u32
}

fn spec(value: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut w = Writer(&mut bytes);
    w.text(2, "ECHO");
    w.text(3, value.unwrap_or_default());
    w.flag(4, value.is_some());
    w.message(5, |w| {
        for (key, content) in [("a", "b"), ("team", "red")] {
            w.message(5, |w| {
                w.text(1, key);
                w.text(2, content);
            });
        }
    });
    bytes
}

fn input(data: &str, off: &[u32], placed: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut w = Writer(&mut bytes);
    w.message(1, |w| {
        w.text(2, data);
        w.fixed32s(3, off);
    });
    w.fixed32s(2, placed);
    w.number(99, 1); // a field of a later version
    bytes
}

fn error(g: &Guest) -> (u32, String) {
    let mut e = (0, String::new());
    each(&g.output, |f| {
        match f.number {
            1 => e.0 = f.uint32()?,
            _ => e.1 = f.text()?.to_owned(),
        }
        Ok::<(), Malformed>(())
    })
    .unwrap();
    e
}

#[test]
fn calls() {
    let mut g = guest();
    assert!(g.describe());
    assert_eq!(g.output, b"\x08\x01\x12\x04echo\x1a\x051.2.3\x22\x04ECHO\x22\x08ECHO_TOO");
    let size = send(&mut g, &[8, 1]);
    assert!(g.configure(size));
    assert!(g.output.is_empty());
    for _ in 0..2 {
        // A handle that was released is given again.
        let size = send(&mut g, &spec(None));
        assert!(g.constraint_prepare(size));
        assert_eq!(g.output, [8, 1, 16, 2]);
        let size = send(&mut g, &input("aüb", &[0, 0, 3, 4], &[1, 2, 3]));
        assert!(g.constraint_evaluate(1, size));
        assert_eq!(g.output, b"\x0a\x0c\x01\0\0\0\x05\0\0\0\x04\0\0\0\x10\x02\x1a\x08so it is");
        g.constraint_release(1);
        g.constraint_release(1);
    }
}

#[test]
fn errors() {
    let mut g = guest();
    let cases: Vec<(Vec<u8>, (u32, &str))> = vec![
        (spec(Some("invalid")), (1, "change it")),
        (spec(Some("fault")), (2, "broken")),
        (vec![1], (2, "malformed message: cut short")),
        (vec![0x12, 1, 0xff], (2, "malformed message: text is not UTF-8")),
        (vec![0x10, 1], (2, "malformed message: bytes expected")),
    ];
    for (message, want) in cases {
        let size = send(&mut g, &message);
        assert!(!g.constraint_prepare(size));
        assert_eq!(error(&g), (want.0, want.1.to_owned()));
    }
    let size = send(&mut g, &[0x12, 2, b'{', b'}']);
    assert!(!g.configure(size));
    assert_eq!(error(&g), (1, "the module takes no settings".to_owned()));
    assert!(!g.fetch_prepare(0));
    assert_eq!(error(&g), (2, "this kind of policy is not offered".to_owned()));
    for handle in [0, 1, u32::MAX] {
        let size = send(&mut g, &input("", &[0, 0], &[]));
        assert!(!g.constraint_evaluate(handle, size));
        assert_eq!(error(&g), (2, "no such handle".to_owned()));
    }
}

#[test]
fn inputs_that_cannot_be() {
    let read = |bytes: &[u8]| ConstraintInput::read(bytes).map(|_| ());
    assert_eq!(read(&input("a", &[0, 0, 1], &[])), Ok(()));
    for bad in [
        input("", &[], &[]),
        input("", &[0], &[]),
        input("a", &[0, 1], &[]),
        input("ab", &[0, 0, 2, 1], &[]),
        input("a", &[0, 0, 2], &[]),
        input("ü", &[0, 0, 1], &[]),
        input("a", &[0, 0, 1], &[1]),
    ] {
        assert!(read(&bad).is_err(), "{:?}", bad);
    }
}

#[test]
fn failures_among_the_latest() {
    let h = HealthHistory { recent: 0b1011, results: 4, ..HealthHistory::default() };
    assert_eq!([0, 1, 2, 3, 4, 99].map(|n| h.failures(n)), [0, 0, 0, 1, 1, 1]);
    let h = HealthHistory { results: 64, ..HealthHistory::default() };
    assert_eq!(h.failures(64), 64);
}
