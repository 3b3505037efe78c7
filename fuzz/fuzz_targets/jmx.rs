//! Any bytes as a test plan of JMeter: inspected, and its copies for two tasks made, which are plans like it.
#![no_main]

use floodgate_engines::jmeter::{divided, inspect};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let none = BTreeMap::new();
    let inspected = inspect(bytes, "fuzz.jmx", &none, &|_| true);
    for place in 0..2 {
        // Its files are not there.
        let copy = divided(bytes, &none, &[2, 1], place, Path::new("/nonexistent"));
        match (&inspected, copy) {
            (Ok(found), Ok(copy)) => {
                assert!(found.details.is_object());
                let again = inspect(&copy, "copy.jmx", &none, &|_| true).expect("a copy is a plan");
                // A group may be turned off in it, and is then no scenario.
                assert!(again.scenarios.len() <= found.scenarios.len());
            }
            (Err(_), Ok(_)) => panic!("an invalid plan was split"),
            (_, Err(why)) => assert!(!why.is_empty()),
        }
    }
});
