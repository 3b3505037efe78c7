//! Which names there may be.

use crate::definition::model::HostOverride;
use crate::definition::shape::Names;
use crate::template::is_name;

fn sized(text: &str, max: usize, valid: fn(u8) -> bool) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(valid)
}

/// Projects and tests: they are folders, keys and parts of host names.
pub(super) const SLUG: Names = Names {
    pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
    valid: |text| {
        !text.starts_with('-') && sized(text, 63, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    },
    said: "1 to 63 of a-z, 0-9 and -, not beginning with -",
    reserved: &[],
};

/// Scenarios, as in k6.
pub(super) const SCENARIO_NAME: Names = Names {
    pattern: "^[0-9A-Za-z_-]{1,64}$",
    valid: |text| {
        sized(text, 64, |b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
        })
    },
    said: "1 to 64 letters, digits, _ and -",
    reserved: &[],
};

/// Parameters; properties of JMeter and of the JVM have dots in their names.
pub(super) const PARAMETER: Names = Names {
    pattern: "^[A-Za-z_][0-9A-Za-z_.-]{0,63}$",
    valid: |text| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && sized(text, 64, |b| {
                b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
            })
    },
    said: "1 to 64 letters, digits, _, - and dots, beginning with a letter or _",
    reserved: &[],
};

const TAKEN: &str = "templates give it another meaning";

/// Variables of a flow, and data sources.
pub(super) const VARIABLE: Names = Names {
    pattern: "^[A-Za-z_][0-9A-Za-z_]{0,63}$",
    valid: |text| text.len() <= 64 && is_name(text),
    said: "1 to 64 letters, digits and _, not beginning with a digit",
    reserved: &[
        ("vu", TAKEN),
        ("iteration", TAKEN),
        ("scenario", TAKEN),
        ("task", TAKEN),
    ],
};

/// Tags: names that a threshold's key can hold.
pub(super) const TAG: Names = Names {
    pattern: "^[A-Za-z_][0-9A-Za-z_.-]{0,63}$",
    valid: |text| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && sized(text, 64, |b| {
                b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
            })
    },
    said: "1 to 64 letters, digits, _, - and ., beginning with a letter or _",
    reserved: &RESERVED_TAGS,
};

const SET_BY_US: &str = "every sample has this tag already, and it is set for you";

/// Tags that samples have in any case.
pub(in crate::definition) const RESERVED_TAGS: [(&str, &str); 11] = [
    ("scenario", SET_BY_US),
    ("group", "write a step with the keys group and steps"),
    ("name", "a request's name is the key name of its step"),
    ("method", SET_BY_US),
    ("status", SET_BY_US),
    ("error_code", SET_BY_US),
    (
        "expected_response",
        "which statuses are expected is the key expect of a step",
    ),
    ("check", SET_BY_US),
    ("region", SET_BY_US),
    ("task", SET_BY_US),
    ("corrected", "it marks response times that are estimated"),
];

/// Header fields (RFC 9110 §5.6.2), without those that frame the message.
pub(super) const HEADER: Names = Names {
    pattern: "^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,256}$",
    valid: |text| {
        sized(text, 256, |b| {
            b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b)
        })
    },
    said: "a header's name: letters, digits and !#$%&'*+.^_`|~-",
    reserved: &[],
};

/// Fields of a form and of a query: anything.
pub(super) const HOST: Names = Names {
    pattern: "^(\\*\\.)?[0-9A-Za-z._:\\[\\]-]{1,260}$",
    valid: |text| HostOverride::name(text).is_ok(),
    said: "HOST, HOST:PORT or *.HOST",
    reserved: &[],
};

pub(super) const FIELD: Names = Names {
    pattern: "^[^\\x00]{1,1024}$",
    valid: |text| (1..=1_024).contains(&text.chars().count()) && !text.contains('\0'),
    said: "1 to 1024 characters",
    reserved: &[],
};

/// Keys of thresholds, which the threshold's own grammar judges.
pub(in crate::definition) const METRIC: Names = Names {
    pattern: "^[A-Za-z_].*$",
    valid: |text| text.len() <= 1_024 && !text.contains(['\n', '\r']),
    said: "a metric, such as http_req_duration or http_req_duration{name:checkout}",
    reserved: &[],
};

/// Groups: k6 joins them with `::`.
pub(super) const GROUP: Names = Names {
    pattern: "^([^:]|:(?!:)){1,128}$",
    valid: |text| (1..=128).contains(&text.chars().count()) && !text.contains("::"),
    said: "1 to 128 characters without ::",
    reserved: &[],
};
