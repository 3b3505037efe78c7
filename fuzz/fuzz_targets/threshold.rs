//! The first line as a key, the second as an expression.
#![no_main]

use floodgate_core::threshold::{check, parse_expression, parse_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (key, expression) = input.split_once('\n').unwrap_or(("http_reqs", input));
    let parsed_key = parse_key(key);
    let parsed = parse_expression(expression);
    // Values with quotes, commas or blanks at their ends cannot always be written in k6's grammar.
    let plain = |text: &str| text.trim() == text && !text.contains(['"', '\'', ',', ':', '{', '}']);
    if let Ok(key) = &parsed_key
        && key
            .tags
            .0
            .iter()
            .all(|(name, value)| plain(name) && plain(value))
    {
        assert_eq!(
            parse_key(&key.to_string()).as_ref(),
            Ok(key),
            "a key is read as it is shown"
        );
    }
    if let Ok(parsed) = &parsed {
        assert!(parsed.target.is_finite());
        assert_eq!(parse_expression(&parsed.to_string()).as_ref(), Ok(parsed));
    }
    if let Err(error) = check(key, expression) {
        assert!(!error.to_string().is_empty());
    } else {
        assert!(
            parsed_key.is_ok() && parsed.is_ok(),
            "what passes is well-formed"
        );
    }
});
