use super::*;

#[test]
fn values() {
    let text = r#" {"a": [1, "x\n\ud83d\ude00", {"b": null}], "a\"b": -1.5e1, "t": true, "a2": {"c": 1, "c": 2}} "#;
    let v = parse(text).unwrap();
    let names: Vec<_> = v.members().map(|(name, value)| (name.into_owned(), value.kind())).collect();
    assert_eq!(
        names,
        [("a", Kind::Array), ("a\"b", Kind::Number), ("t", Kind::Bool), ("a2", Kind::Object)].map(|(n, k)| (n.to_owned(), k))
    );
    let elements: Vec<_> = v.get(&["a"]).elements().map(|e| e.raw()).collect();
    assert_eq!(elements, ["1", r#""x\n\ud83d\ude00""#, r#"{"b": null}"#]);
    assert_eq!(v.get(&["a"]).elements().nth(1).unwrap().text().as_deref(), Some("x\n😀"));
    assert_eq!(v.get(&["a\"b"]).float(), Some(-15.0));
    assert_eq!(v.get(&["a\"b"]).int(), None);
    assert_eq!(v.get(&["a2", "c"]).int(), Some(2));
    assert_eq!(v.get(&["t"]).bool(), Some(true));
    assert!(!v.get(&["t", "x"]).exists());
}

#[test]
fn absent() {
    let v = Value::default();
    assert_eq!((v.kind(), v.text(), v.bool(), v.int(), v.float()), (Kind::Absent, None, None, None, None));
    assert_eq!((v.members().count(), v.elements().count(), v.raw()), (0, 0, ""));
    assert_eq!(v.with(&["a"], "1").unwrap(), br#"{"a":1}"#);
}

#[test]
fn errors() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "not JSON: byte 0: cut short"),
        (b"[1,]", "not JSON: byte 3: expected a value"),
        (b"\"a\xff\"", "not JSON: byte 2: not UTF-8"),
        (b"\"a\" \xff", "not JSON: byte 4: expected nothing behind the value"),
        (b"{\"a\" 1, \"\xff\"", "not JSON: byte 5: expected a colon"),
        (b"[\xc3\xa4]", "not JSON: byte 1: expected a value"),
    ];
    for (text, want) in cases {
        assert_eq!(parse(text).unwrap_err().to_string(), want);
    }
    assert_eq!(parse("[1]").unwrap().with(&["a"], "1").unwrap_err().to_string(), "/ is no object");
}
