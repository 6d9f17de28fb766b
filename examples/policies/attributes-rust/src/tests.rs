use super::*;

fn prepare(operator: &str, value: Option<&str>) -> Result<Box<dyn PreparedConstraint>, Error> {
    Attributes.prepare(&ConstraintSpec { field: "rack", operator, value, ..ConstraintSpec::default() })
}

fn quotas(operator: &str, value: &str, question: Question) -> Vec<u32> {
    let input = question.input();
    let mut quota = vec![0; input.values.len()];
    prepare(operator, Some(value)).unwrap().evaluate(&input, &mut quota).unwrap();
    quota
}

#[test]
fn like_and_unlike() {
    let values = || Question::of(&["rack-1", "rack-9", "räck-1", ""]);
    assert_eq!(quotas("RUST_LIKE", "r.ck-[1-3]", values()), [0, UNLIMITED, 0, UNLIMITED, 0]);
    assert_eq!(quotas("RUST_UNLIKE", "r.ck-[1-3]", values()), [UNLIMITED, 0, UNLIMITED, 0, UNLIMITED]);
}

#[test]
fn max_per() {
    let question = Question::of(&["a", "b", "c"]).placed(&[7, 1, 2, 3]).first(1);
    assert_eq!(quotas("RUST_MAX_PER", "2", question), [0, 1, 0, 0]);
}

#[test]
fn mistakes_are_the_users() {
    for (operator, value, want) in [
        ("RUST_LIKE", Some("a**"), "\"a**\" is not a valid regular expression: invalid nested repetition operator: **"),
        ("RUST_LIKE", None, "LIKE and UNLIKE require a non-empty, regular expression value"),
        ("RUST_MAX_PER", Some("1.5"), "MAX_PER requires an integer value"),
    ] {
        assert_eq!(prepare(operator, value).err(), Some(Error::invalid(want)));
    }
}
