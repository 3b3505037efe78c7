//! Which names there may be.

use crate::definition::model::HostOverride;
use crate::definition::shape::NameRule;

/// Projects and tests: they are folders, keys and parts of host names.
pub(super) const SLUG: NameRule = NameRule::new(
    "^[a-z0-9][a-z0-9-]{0,62}$",
    "1 to 63 of a-z, 0-9 and -, not beginning with -",
);

/// Scenarios, as in k6.
pub(super) const SCENARIO_NAME: NameRule =
    NameRule::new("^[0-9A-Za-z_-]{1,64}$", "1 to 64 letters, digits, _ and -");

/// A scenario, or one of its stages, counted from 1.
pub(super) const STAGE: NameRule = NameRule::new(
    "^[0-9A-Za-z_-]{1,64}(\\.[0-9]{1,4})?$",
    "a scenario, such as soak, or one of its stages, such as soak.2",
);

/// Parameters; properties of JMeter and of the JVM have dots in their names.
pub(super) const PARAMETER: NameRule = NameRule::new(
    "^[A-Za-z_][0-9A-Za-z_.-]{0,63}$",
    "1 to 64 letters, digits, _, - and dots, beginning with a letter or _",
);

/// Paths of values, as `--set` takes them.
pub(super) const SET_PATH: NameRule = NameRule::new(
    "^[^\\s=]{1,200}$",
    "the path of a value, such as scenarios.browse.rate, or the name of a parameter",
);

const TAKEN: &str = "templates give it another meaning";

/// Variables of a flow, and data sources.
pub(super) const VARIABLE: NameRule = NameRule {
    reserved: &[
        ("vu", TAKEN),
        ("iteration", TAKEN),
        ("scenario", TAKEN),
        ("task", TAKEN),
    ],
    ..NameRule::new(
        "^[A-Za-z_][0-9A-Za-z_]{0,63}$",
        "1 to 64 letters, digits and _, not beginning with a digit",
    )
};

/// Tags: names that a threshold's key can hold.
pub(super) const TAG: NameRule = NameRule {
    reserved: &RESERVED_TAGS,
    ..NameRule::new(
        "^[A-Za-z_][0-9A-Za-z_.-]{0,63}$",
        "1 to 64 letters, digits, _, - and ., beginning with a letter or _",
    )
};

const SET_BY_US: &str = "every sample has this tag already, and it is set for you";

/// Tags that samples have in any case.
const RESERVED_TAGS: [(&str, &str); 11] = [
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

/// Header fields (RFC 9110 §5.6.2).
pub(super) const HEADER: NameRule = NameRule::new(
    "^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,256}$",
    "a header's name: letters, digits and !#$%&'*+.^_`|~-",
);

/// Hosts whose address is given.
pub(super) const HOST: NameRule = NameRule {
    valid: Some(|text| HostOverride::name(text).is_ok()),
    ..NameRule::new(
        "^(\\*\\.)?[0-9A-Za-z._:\\[\\]-]{1,260}$",
        "HOST, HOST:PORT or *.HOST",
    )
};

/// Fields of a form and of a query: anything.
pub(super) const FIELD: NameRule = NameRule {
    valid: Some(|text| (1..=1_024).contains(&text.chars().count()) && !text.contains('\0')),
    ..NameRule::new("^[^\\x00]{1,1024}$", "1 to 1024 characters")
};

/// Keys of thresholds, which the threshold's own grammar judges.
pub(in crate::definition) const METRIC: NameRule = NameRule {
    valid: Some(|text| text.len() <= 1_024 && !text.contains(['\n', '\r'])),
    ..NameRule::new(
        "^[A-Za-z_].*$",
        "a metric, such as http_req_duration or http_req_duration{name:checkout}",
    )
};

/// Metrics of the test's own, as k6 names them; built-in ones are refused where the definition is built.
pub(super) const OWN_METRIC: NameRule = NameRule::new(
    "^[A-Za-z_][0-9A-Za-z_]{0,127}$",
    "1 to 128 letters, digits and _, not beginning with a digit",
);

/// Groups: k6 joins them with `::`.
pub(super) const GROUP: NameRule = NameRule {
    valid: Some(|text| (1..=128).contains(&text.chars().count()) && !text.contains("::")),
    ..NameRule::new("^([^:]|:(?!:)){1,128}$", "1 to 128 characters without ::")
};
