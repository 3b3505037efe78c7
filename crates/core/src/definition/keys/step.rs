//! The steps of a flow.

pub(in crate::definition) mod control;

use super::grammar::{
    CHECKS as CHECK_LIST, EXPECT as EXPECTED, EXTRACTOR, EXTRACTOR_GRAMMAR, METHOD as METHOD_NAME,
    RETRY_ON,
};
use super::http::{AUTH_SHAPE, REDIRECTS};
use super::names::{self, FIELD, OWN_METRIC, VARIABLE};
use super::places::{FILE as PATH, FILE_GRAMMAR};
use super::shared::{HEADERS as HEADER_MAP, ONE_OR_MORE, TAGS as TAG_MAP, TEMPLATE, TEXT, text};
use super::times::{SOME_DURATION, THINK_TIME};
use crate::definition::field::{Field, Parts, keys};
use crate::definition::model::OnMissing;
use crate::definition::shape::{Key, Shape, Table};
use crate::definition::tree::Node;
use control::{CHOOSE_TABLE, EACH_TABLE, IF_TABLE, REPEAT_TABLE, STOP_TABLE};
use floodgate_records::metric::MetricKind;
use std::time::Duration;

pub(super) static STEPS_SHAPE: Shape = Shape::List { of: &STEP, min: 1 };
static STEP: Shape = Shape::Leading(TABLES);
static TABLES: &[&Table] = &[
    &REQUEST_TABLE,
    &THINK_TABLE,
    &GROUP_TABLE,
    &SET_TABLE,
    &REPEAT_TABLE,
    &IF_TABLE,
    &CHOOSE_TABLE,
    &EACH_TABLE,
    &STOP_TABLE,
];
static FIELDS: Shape = Shape::Map {
    keys: FIELD,
    of: &ONE_OR_MORE,
    min: 0,
};
static FILE_BODY: Shape = Shape::Either(&[
    Shape::Grammar(FILE_GRAMMAR),
    Shape::Object(&BODY_FILE_TABLE),
]);
static GROUP_NAME: Shape = text(256, Some(names::GROUP));

/// The methods that have a key of their own.
pub(in crate::definition) const METHODS: [Field<Parts>; 7] =
    [GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS];

keys! { REQUEST_KEYS:
    GET: Parts = "get", TEMPLATE; "GET this URL, or path of the target.";
    POST: Parts = "post", TEMPLATE; "POST to this URL.";
    PUT: Parts = "put", TEMPLATE; "PUT to this URL.";
    PATCH: Parts = "patch", TEMPLATE; "PATCH this URL.";
    DELETE: Parts = "delete", TEMPLATE; "DELETE this URL.";
    HEAD: Parts = "head", TEMPLATE; "HEAD of this URL.";
    OPTIONS: Parts = "options", TEMPLATE; "OPTIONS of this URL.";
    REQUEST: Parts = "request", { Shape::Object(&LINE_TABLE) }; "Another method.";
    NAME: Parts = "name", TEXT; "The tag name; by default, the URL as written.";
    PARAMS: Parts = "params", FIELDS; "Query parameters, encoded when sent.";
    HEADERS: Parts = "headers", HEADER_MAP; "Headers on top of the scenario's.";
    BODY: Parts = "body", TEMPLATE; "The body as text.";
    JSON: Parts = "json", { Shape::Any }; "The body as JSON; templates may stand in its strings.";
    FORM: Parts = "form", FIELDS; "The body as application/x-www-form-urlencoded.";
    FILE: Parts = "file", FILE_BODY; "The body from a file.";
    MULTIPART: Parts = "multipart", { Shape::List { of: &Shape::Object(&PART_TABLE), min: 1 } }; "The body as multipart/form-data.";
    AUTH: Parts = "auth", AUTH_SHAPE; "Credentials instead of the scenario's.";
    TIMEOUT: Duration = "timeout", SOME_DURATION; "The timeout, instead of the scenario's.";
    MAX_REDIRECTS: u32 = "maxRedirects", REDIRECTS; "Redirects to follow instead of the scenario's.";
    EXPECT: Parts = "expect", EXPECTED; "Statuses that are not failures; 200..399 by default.";
    TAGS: Parts = "tags", TAG_MAP; "Further tags of the request's samples.";
    CHECKS: Parts = "checks", CHECK_LIST; "What must hold of the response.";
    EXTRACT: Parts = "extract", { Shape::Map { keys: VARIABLE, of: &EXTRACTOR, min: 0 } };
        "Variables to take out of the response, for later steps.";
    RETRY: Parts = "retry", { Shape::Object(&RETRY_TABLE) }; "When the request is made again.";
    RECORD: Parts = "record", { Shape::Map { keys: OWN_METRIC, of: &RECORDED, min: 1 } };
        "Metrics of the test's own: where their values come from.";
    ON_MISSING: OnMissing = "onMissing", { Shape::Choice(OnMissing::WORDS) }, default "\"end\"";
        "What happens if there is nothing to extract: the iteration ends, or goes on with an empty variable.";
}

keys! { RETRY_KEYS:
    ATTEMPTS: u32 = "attempts", { Shape::Integer { min: 2, max: 10 } }, required;
        "How often the request is made at most, the first time included.";
    RETRY_WHEN: Parts = "on", RETRY_ON, default "\"failed\"";
        "After which outcomes: failed, statuses, error codes.";
    BACKOFF: Parts = "backoff", THINK_TIME, default "\"0s\"";
        "The pause before another attempt; of a range, from its first time, twice as long each time, up to its second.";
}

/// `retry:`.
static RETRY_TABLE: Table = Table::new("retry", "Further attempts of a request.", &[RETRY_KEYS])
    .foreign(&[
        ("times", "write attempts, the first included"),
        ("max", "write attempts, the first included"),
        ("delay", "write backoff"),
    ]);

static RECORDED: Shape = Shape::Either(&[
    Shape::Grammar(EXTRACTOR_GRAMMAR),
    Shape::Object(&RECORD_TABLE),
]);

keys! { RECORD_KEYS:
    VALUE: Parts = "value", EXTRACTOR, required; "Where the value comes from.";
    KIND: MetricKind = "type", { Shape::Choice(&["trend", "counter", "gauge", "rate"]) }, default "\"trend\"";
        "The metric's type.";
}

/// `record.NAME:` as a map.
static RECORD_TABLE: Table = Table::new("record", "A metric of the test's own.", &[RECORD_KEYS])
    .foreign(&[("from", "write value")]);

/// A request.
pub(in crate::definition) static REQUEST_TABLE: Table = Table::new("request", "An HTTP request.", &[REQUEST_KEYS])
    .one_of(&[
        "get", "post", "put", "patch", "delete", "head", "options", "request",
    ])
    .at_most_one(&["body", "json", "form", "file", "multipart"])
    .foreign(&[(
            "url",
            "the URL stands behind the method, as in get: /path; for other methods write request: {method, url}",
        ),
        (
            "method",
            "write the method as the key, as in get: /path; for other methods request: {method, url}",
        ),
        ("query", "write params"),
        ("assert", "write checks"),
        ("think", "a think time is a step of its own"),
        ("sleep", "a think time is a step of its own: think: 1s"),
        ("pause", "a think time is a step of its own: think: 1s"),
        ("wait", "a think time is a step of its own: think: 1s"),
        ("capture", "write extract"),
        ("validate", "write checks"),
        ("loop", "write repeat: N with steps"),
        ("while", "write repeat: {while: CONDITION, max: N} with steps"),
        ("foreach", "write each: $.items[*] with steps"),
        ("switch", "write if: CONDITION with steps and else"),
        ("random", "write choose: with weights and steps"),
        (
            "function",
            "there are no functions to call; a script of k6, JMeter or Gatling has them",
        ),
        ("log", "a flow writes no logs"),
    ]);

keys! { LINE_KEYS:
    METHOD: String = "method", METHOD_NAME, required; "The method.";
    URL: Parts = "url", TEMPLATE, required; "The URL, or a path of the target.";
}

/// `request:`.
static LINE_TABLE: Table = Table::new("request-line", "A method and a URL.", &[LINE_KEYS]);

keys! { BODY_FILE_KEYS:
    BODY_PATH: Parts = "path", PATH, required; "The file.";
    BODY_TYPE: String = "contentType", TEXT, default "\"application/octet-stream\""; "The Content-Type.";
}

/// `file:` as a map.
static BODY_FILE_TABLE: Table = Table::new("body-file", "A file as a body.", &[BODY_FILE_KEYS]);

keys! { PART_KEYS:
    PART_NAME: String = "name", TEXT, required; "The field.";
    PART_VALUE: Parts = "value", TEMPLATE; "Its value.";
    PART_FILE: Parts = "file", PATH; "Its file.";
    PART_FILE_NAME: String = "fileName", TEXT; "The name that is sent; by default, the file's own.";
    PART_TYPE: String = "contentType", TEXT; "The part's Content-Type.";
}

/// `multipart[n]`.
static PART_TABLE: Table = Table::new(
    "part",
    "A part of a multipart body: a value or a file.",
    &[PART_KEYS],
)
.one_of(&["value", "file"])
.at_most_one(&["value", "fileName"]);

keys! { THINK_KEYS:
    THINK: Parts = "think", THINK_TIME; "How long.";
}

/// `think:`.
static THINK_TABLE: Table = Table::new(
    "think",
    "A pause, fixed or evenly distributed between two times.",
    &[THINK_KEYS],
)
.one_of(&["think"]);

pub(in crate::definition) const GROUP: Field<Parts> = Field::new(
    "group",
    &GROUP_NAME,
    "The group's name; nested ones join with ::.",
);
/// A static, since steps hold groups: the value of a constant would hold itself.
pub(in crate::definition) static STEPS: Field<Parts> =
    Field::new("steps", &STEPS_SHAPE, "Its steps.").required();

/// `group:`.
static GROUP_TABLE: Table = Table::new(
    "group",
    "Steps under the tag group.",
    &[&[GROUP.key, STEPS.key]],
)
.one_of(&["group"])
.foreign(&[("flow", "write steps")]);

keys! { SET_KEYS:
    SET: Parts = "set", { Shape::Map { keys: VARIABLE, of: &TEMPLATE, min: 1 } }; "Variables and their values.";
}

/// `set:`.
static SET_TABLE: Table =
    Table::new("set", "Variables of the iteration.", &[SET_KEYS]).one_of(&["set"]);

/// Whether a step may name variables that cannot be told, since it is faulty: it is none that is known, or what would name them does
/// not have the shape for it.
pub(in crate::definition) fn hides_names(step: &Node) -> bool {
    let is_led = |table: &&&Table| table.one_of.iter().any(|key| step.get(key).is_some());
    let Some(table) = TABLES.iter().find(is_led) else {
        return true;
    };
    let hides = |key: &str, has_parts: fn(&Node) -> bool| {
        table.means(step, key) && !step.get(key).is_some_and(has_parts)
    };
    let is_map = |value: &Node| !value.entries().is_empty();
    hides(EXTRACT.key.name, is_map)
        || hides(SET.key.name, is_map)
        || hides(STEPS.key.name, |value| !value.items().is_empty())
}
