//! Checks that are read, and those that are refused with a place.

use super::*;
use proptest::prelude::*;

fn check(text: &str) -> (Subject, Test) {
    let check = Check::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(check.name, text);
    (check.subject, check.test)
}

#[test]
fn reads_numbers_in_the_subjects_unit() {
    use Comparison::*;
    assert_eq!(
        check("status == 200"),
        (Subject::Status, Test::Number(Eq, 200.0))
    );
    assert_eq!(
        check("status===200"),
        (Subject::Status, Test::Number(Eq, 200.0))
    );
    assert_eq!(
        check("status in 200..299"),
        (Subject::Status, Test::InRange(200.0, 299.0))
    );
    assert_eq!(
        check("duration < 800ms"),
        (Subject::Duration, Test::Number(Lt, 800_000.0))
    );
    assert_eq!(
        check("duration<800"),
        (Subject::Duration, Test::Number(Lt, 800_000.0)),
        "bare numbers are ms"
    );
    assert_eq!(
        check("response_time <= 1.5s"),
        (Subject::ResponseTime, Test::Number(Le, 1_500_000.0))
    );
    assert_eq!(
        check("duration in 1ms .. 2ms"),
        (Subject::Duration, Test::InRange(1_000.0, 2_000.0))
    );
    assert_eq!(
        check("size > 4KiB"),
        (Subject::Size, Test::Number(Gt, 4_096.0))
    );
    let (subject, test) = check("$.items[?@.id == 1].price >= -2.5");
    assert!(matches!(subject, Subject::JsonPath(_)));
    assert_eq!(
        test,
        Test::Decimal(Ge, crate::decimal::Decimal::parse("-2.5").unwrap())
    );
}

#[test]
fn reads_texts() {
    let text = |equal, value: &str| Test::Text {
        equal,
        value: value.to_owned(),
    };
    let contains = |negated, value: &str| Test::Contains {
        negated,
        value: value.to_owned(),
    };
    assert_eq!(
        check("body contains \"Welcome\""),
        (Subject::Body, contains(false, "Welcome"))
    );
    assert_eq!(
        check("body not contains 'a\\'b\\n'"),
        (Subject::Body, contains(true, "a'b\n"))
    );
    assert_eq!(
        check("header:Content-Type == \"x y\"").0,
        Subject::Header("Content-Type".into())
    );
    assert_eq!(
        check("cookie:sid exists"),
        (
            Subject::Cookie("sid".into()),
            Test::Exists { negated: false }
        )
    );
    assert_eq!(
        check("header:X not exists").1,
        Test::Exists { negated: true }
    );
    assert_eq!(check("protocol != \"HTTP/2\"").1, text(false, "HTTP/2"));
    assert_eq!(check("$.state == \"open\"").1, text(true, "open"));
    assert_eq!(
        check("$['a b'].c == null").1,
        Test::Json {
            equal: true,
            value: serde_json::Value::Null
        }
    );
    assert_eq!(
        check("$.ok != true").1,
        Test::Json {
            equal: false,
            value: true.into()
        }
    );
    let (_, Test::Matches { negated, regex }) = check("body not matches /A\\/b+/i") else {
        panic!()
    };
    assert!(negated && regex.is_match(b"xa/BBB"));
}

#[test]
fn refuses_with_a_place() {
    for (text, at, part) in [
        ("", 0, "empty"),
        ("  ", 2, "empty"),
        ("sttus == 200", 0, "unknown subject \"sttus\""),
        ("header Content-Type exists", 0, "lacks the name"),
        ("status", 6, "operator is missing"),
        ("status = 200", 7, "\"=\" is not a valid operator"),
        ("status contains \"2\"", 7, "does not fit"),
        ("status == abc", 10, "\"abc\" is not a valid number"),
        ("status == ", 10, "value is missing"),
        ("status == 200 and body", 14, "after the end"),
        ("status in 200", 13, "lacks its .."),
        ("status in 299..200", 10, "ends before"),
        ("duration < 5 parsecs", 13, "after the end"),
        ("duration < 5parsecs", 12, "unknown unit"),
        ("body contains Welcome", 14, "without quotes"),
        ("body contains \"Wel", 14, "no closing quote"),
        ("body contains \"\\q\"", 15, "unknown escape"),
        ("body matches /(/", 13, "unclosed group"),
        ("body matches (", 13, "not a valid regular expression"),
        ("body matches /a", 13, "no closing /"),
        ("$.a[ == 1", 5, "not a valid JSONPath"),
        ("$.state == open", 11, "not a valid number"),
        ("body exists", 5, "does not fit"),
        ("status not == 2", 7, "does not fit"),
    ] {
        let error = Check::parse(text).unwrap_err();
        assert!(error.problem.contains(part), "{text}: {error}");
        if !text.starts_with("$.a[") {
            assert_eq!(error.at.start, at, "{text}: {error}");
        }
    }
    assert_eq!(
        Check::parse("sttus == 1").unwrap_err().hint.as_deref(),
        Some("\"status\"")
    );
    for (text, hint) in [
        ("status is 200", "\"==\""),
        ("status = 200", "\"==\""),
        ("status equals 200", "\"==\""),
        ("status <> 200", "\"!=\""),
        ("body =~ /x/", "\"matches\""),
        ("body has 'x'", "\"contains\""),
        ("status between 200..299", "\"in\""),
    ] {
        let error = Check::parse(text).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some(hint), "{text}: {error}");
    }
    assert_eq!(
        Check::parse("body contain \"x\"")
            .unwrap_err()
            .hint
            .as_deref(),
        Some("\"contains\"")
    );
}

#[test]
fn numbers_that_a_filter_would_round_are_refused() {
    for (text, at) in [
        ("$.a[?@.id == 9007199254740993].b", 13),
        ("$[?@.id == 0.12345678901234567]", 11),
        ("$[?@.x=='\\'9' && @.id>-1234567890.1234567]", 23),
    ] {
        let error = parse_json_path(text).unwrap_err();
        assert!(error.problem.contains("more digits"), "{text}: {error}");
        assert_eq!(error.at.start, at, "{text}");
    }
    for text in [
        "$.a12345678901234567[?@.b12345678901234567 == 123456789012345]",
        "$['12345678901234567'][?@ == \"12345678901234567\"]",
        "$[?@.x == 0.000000000000000000001]",
    ] {
        parse_json_path(text).unwrap();
    }
}

#[test]
fn hostile_texts_are_bounded() {
    let deep = format!("$[?{}@.a{}] == 1", "(".repeat(300), ")".repeat(300));
    assert!(
        Check::parse(&deep)
            .unwrap_err()
            .problem
            .contains("too deep")
    );
    assert!(
        Check::parse(&"x".repeat(MAX_CHECK + 1))
            .unwrap_err()
            .problem
            .contains("too long")
    );
    assert!(
        Check::parse("body matches /(a{1000}){1000}/")
            .unwrap_err()
            .problem
            .contains("regular expression")
    );
}

proptest! {
    #[test]
    fn nothing_panics(text in "(status|duration|body|\\$|header:)?[a-z$.\\[\\]()?@ <>=!\"'/\\\\0-9é]{0,30}") {
        if let Err(error) = Check::parse(&text) {
            prop_assert!(text.is_char_boundary(error.at.start), "{} in {:?}", error, text);
        }
    }
}
