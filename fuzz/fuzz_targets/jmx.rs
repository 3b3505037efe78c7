//! Any bytes as a test plan of JMeter: inspected, and its copy for a task made.
#![no_main]

use floodgate_engines::jmeter::inspect;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(found) = inspect(bytes, "fuzz.jmx", &BTreeMap::new()) {
        assert!(found.details.is_object());
    }
});
