//! Any bytes as the head of a response, whole and as it grows.
#![no_main]

use floodgate_generator::http::head::{Framing, MAX_HEAD_BYTES, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for to_head in [false, true] {
        let mut headers = 0;
        let whole = parse(data, to_head, |_, name, _| {
            assert!(!name.is_empty());
            headers += 1;
        });
        let Ok(Some(head)) = whole else { continue };
        assert!((100..=999).contains(&head.status));
        assert!(head.len <= data.len() && head.len <= MAX_HEAD_BYTES);
        if to_head {
            assert_eq!(head.framing, Framing::Length(0));
        }
        assert_eq!(
            parse(&data[..head.len], to_head, |_, _, _| ()),
            Ok(Some(head)),
            "what follows does not matter"
        );
        for cut in [1, head.len / 2, head.len - 1] {
            let part = parse(&data[..head.len - cut], to_head, |_, _, _| ());
            assert!(
                !matches!(part, Ok(Some(_))),
                "a head ends in one place only"
            );
        }
    }
});
