//! Any bytes as a definition: a definition or faults, never a panic; and what was read is the same when it is read again
//! from its normalised form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Some(parsed) = floodgate_fuzz::definition(text) else {
        return;
    };
    let normalised = serde_json::to_vec(&parsed.normalised).expect("JSON");
    let again = floodgate_fuzz::definition(&normalised).expect("the normalised form is valid");
    assert_eq!(again.normalised, parsed.normalised);
    assert_eq!(again.files, parsed.files);
});
