//! The small grammars of scalars. Each reader is used twice: to check the shape, and to take the value.

use crate::baseline::BaselineMetric;
use crate::check::{Check, last_line, parse_json_path};
use crate::compare::{CONFIDENCE_SAID, MIN_EFFECT_SAID, confidence, min_effect};
use crate::definition::model::{Extractor, HttpVersion, RETRIED_ERRORS, RetryOn};
use crate::definition::shape::pattern::matches;
use crate::definition::shape::{Grammar, Shape};
use crate::syntax::SyntaxError;
use crate::units::{BYTES, RATIO, parse_bytes, parse_factor, parse_ratio};
use floodgate_records::plan::MAX_TASKS;
use floodgate_records::printable::quoted;
use floodgate_records::word::Words;
use std::ops::Range;

/// Text, which YAML may read as a number.
pub(super) const NUMBERS: &[&str] = &["string", "number"];

/// The bounds of `maxBody`.
const MAX_BODY: u64 = 1 << 30;

pub(super) static BODY_SIZE: Shape = Shape::Grammar(Grammar {
    check: |text| match parse_bytes(text)? {
        0..=MAX_BODY => Ok(()),
        _ => Err(SyntaxError::whole(text, "is too large").allowed("0 to 1GiB")),
    },
    said: BYTES,
    types: NUMBERS,
    pattern: Some(r"^[0-9]*\.?[0-9]*\s*([KkMmGg][Ii]?)?[Bb]?$"),
    doubt: |_| None,
});

const SHARE_PATTERN: &str = r"^[0-9.eE+-]+\s*%?$";

pub(super) static SHARE: Shape = Shape::Grammar(Grammar {
    check: |text| parse_ratio(text).map(drop),
    said: RATIO,
    types: NUMBERS,
    pattern: Some(SHARE_PATTERN),
    doubt: |_| None,
});

pub(super) static LOAD_FACTOR: Shape = Shape::Grammar(Grammar {
    check: |text| parse_factor(text).map(drop),
    said: "a factor such as 10% or 0.1",
    types: NUMBERS,
    pattern: Some(SHARE_PATTERN),
    doubt: |_| None,
});

/// A parameter's default.
pub(super) const PARAMETER: Grammar = Grammar {
    types: &["string", "number", "boolean"],
    ..Grammar::new(|_| Ok(()), "text, a number, true or false")
};

const DELIMITERS: &str = "one character such as ; or |, or the word tab";

pub(super) static DELIMITER: Shape = Shape::Grammar(Grammar {
    pattern: Some("^([^A-Za-z0-9\"\\\\\r\n]|tab|\\\\t)$"),
    ..Grammar::new(|text| delimiter(text).map(drop), DELIMITERS)
});

/// What stands between values: an ASCII character that is neither a letter, a digit, a quote nor a line end.
pub(in crate::definition) fn delimiter(text: &str) -> Result<u8, SyntaxError> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [b] if b.is_ascii() && !b.is_ascii_alphanumeric() && !b"\"\\\r\n\0".contains(b) => Ok(*b),
        _ => Err(SyntaxError::whole(text, "is not a valid delimiter").allowed(DELIMITERS)),
    }
}

pub(super) static CHECKS: Shape = Shape::List { of: &CHECK, min: 0 };
static CHECK: Shape = Shape::Grammar(Grammar::new(
    |text| Check::parse(text).map(drop),
    "a check such as status == 200, duration < 800ms or body contains \"Welcome\"",
));

const EXTRACTORS: &str = "a JSONPath such as $.id, regex:…, header:Name or cookie:Name";

pub(super) static EXTRACTOR: Shape = Shape::Grammar(EXTRACTOR_GRAMMAR);
pub(super) const EXTRACTOR_GRAMMAR: Grammar = Grammar {
    pattern: Some("^(\\$|regex:|header:|cookie:)"),
    ..Grammar::new(|text| extractor(text).map(drop), EXTRACTORS)
};

/// Where a variable comes from.
pub(in crate::definition) fn extractor(text: &str) -> Result<Extractor, SyntaxError> {
    if text.starts_with('$') {
        return parse_json_path(text).map(Extractor::JsonPath);
    }
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let fail =
        |at: Range<usize>, problem: String| SyntaxError::new(at, problem).allowed(EXTRACTORS);
    match kind {
        "regex" => regex::RegexBuilder::new(rest)
            .size_limit(1 << 20)
            .build()
            .map(Extractor::Regex)
            .map_err(|error| {
                fail(
                    text.len() - rest.len()..text.len(),
                    format!(
                        "{} is not a valid regular expression: {}",
                        quoted(rest),
                        last_line(&error.to_string())
                    ),
                )
            }),
        "header" | "cookie" if rest.is_empty() => Err(fail(
            0..text.len(),
            format!("{} lacks the name", quoted(text)),
        )),
        "header" => Ok(Extractor::Header(rest.to_owned())),
        "cookie" => Ok(Extractor::Cookie(rest.to_owned())),
        other => Err(
            fail(0..other.len(), format!("unknown source {}", quoted(other)))
                .nearest(other, ["regex", "header", "cookie"]),
        ),
    }
}

const STATUSES: &str = "a status such as 200, or a range such as 200..299";

pub(super) static EXPECT: Shape = Shape::Either(&[
    STATUS,
    Shape::List {
        of: &STATUS_ITEM,
        min: 1,
    },
]);
static STATUS_ITEM: Shape = STATUS;
const STATUS: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some(r"^[1-9][0-9]{2}\s*(\.\.\s*[1-9][0-9]{2})?$"),
    ..Grammar::new(|text| statuses(text).map(drop), STATUSES)
});

/// A status or a range of them, both ends included.
pub(in crate::definition) fn statuses(text: &str) -> Result<(u16, u16), SyntaxError> {
    let status = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|status| (100..=999).contains(status))
    };
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    match (status(low), status(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        (Some(_), Some(_)) => Err(SyntaxError::new(
            0,
            format!("the range {} ends before it starts", quoted(text)),
        )
        .allowed(STATUSES)),
        _ => Err(SyntaxError::whole(text, "is not a valid status").allowed(STATUSES)),
    }
}

const OUTCOMES: &str = "failed, a status such as 503 or 500..599, or an error such as timeout";

pub(super) static RETRY_ON: Shape = Shape::Either(&[
    OUTCOME,
    Shape::List {
        of: &OUTCOME_ITEM,
        min: 1,
    },
]);
static OUTCOME_ITEM: Shape = OUTCOME;
const OUTCOME: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some(r"^([a-z_]+|[1-9][0-9]{2}\s*(\.\.\s*[1-9][0-9]{2})?)$"),
    ..Grammar::new(|text| outcome(text).map(drop), OUTCOMES)
});

/// After which outcome a request is made again.
pub(in crate::definition) fn outcome(text: &str) -> Result<RetryOn, SyntaxError> {
    if text == "failed" {
        return Ok(RetryOn::Failed);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return statuses(text).map(|(low, high)| RetryOn::Status(low, high));
    }
    let known = RETRIED_ERRORS.into_iter().find(|error| *error == text);
    known.map(RetryOn::Error).ok_or_else(|| {
        SyntaxError::whole(text, "is not an outcome of a request")
            .allowed(OUTCOMES)
            .nearest(text, RETRIED_ERRORS.into_iter().chain(["failed"]))
    })
}

pub(super) static TASKS: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some("^(auto|[1-9][0-9]{0,3})$"),
    ..Grammar::new(
        |text| tasks(text).map(drop),
        "auto, or a number from 1 to 1000",
    )
});

/// How many tasks; `None` is `auto`.
pub(in crate::definition) fn tasks(text: &str) -> Result<Option<u32>, SyntaxError> {
    match text.parse() {
        Ok(tasks @ 1..=MAX_TASKS) => Ok(Some(tasks)),
        _ if text == "auto" => Ok(None),
        _ => Err(SyntaxError::whole(text, "is not a valid number of tasks")
            .allowed("auto, or a number from 1 to 1000")
            .nearest(text, ["auto"])),
    }
}

pub(super) static HTTP_VERSION: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some("^(auto|1\\.1|2)$"),
    ..Grammar::new(
        |text| match HttpVersion::parse(text) {
            Some(_) => Ok(()),
            None => Err(SyntaxError::whole(text, "is not a supported HTTP version")
                .allowed("auto, \"1.1\", \"2\"")
                .nearest(text, ["auto"])),
        },
        "auto, \"1.1\" or \"2\"",
    )
});

const TOKEN: &str = "^[A-Za-z!#$%&'*+.^_`|~-]{1,32}$";

pub(super) static METHOD: Shape = Shape::Grammar(Grammar {
    pattern: Some(TOKEN),
    ..Grammar::new(
        |text| match matches(TOKEN, text) && !text.eq_ignore_ascii_case("connect") {
            true => Ok(()),
            false => Err(SyntaxError::whole(text, "is not a supported method")
                .allowed("a method such as GET or PURGE, except CONNECT")),
        },
        "a method such as GET or PURGE",
    )
});

const RUN: &str = "^(last-passed|pinned|[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26})$";

const RUNS: &str = "last-passed, pinned, an execution's id, or a map such as {rolling: 10}";

pub(super) const COMPARE: Grammar = Grammar {
    pattern: Some(RUN),
    ..Grammar::new(
        |text| match matches(RUN, text) {
            true => Ok(()),
            false => Err(
                SyntaxError::whole(text, "does not name a run to compare with")
                    .allowed(RUNS)
                    .nearest(text, ["last-passed", "pinned"]),
            ),
        },
        RUNS,
    )
};

pub(super) static MIN_EFFECT: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some(SHARE_PATTERN),
    ..Grammar::new(|text| min_effect(text).map(drop), MIN_EFFECT_SAID)
});

pub(super) static CONFIDENCE: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some(SHARE_PATTERN),
    ..Grammar::new(|text| confidence(text).map(drop), CONFIDENCE_SAID)
});

pub(super) static BASELINE_METRICS: Shape = Shape::List {
    of: &BASELINE_METRIC,
    min: 1,
};
static BASELINE_METRIC: Shape = Shape::Grammar(Grammar::new(
    |text| BaselineMetric::parse(text).map(drop),
    "a metric and an aggregate, such as \"http_req_duration p(95)\"",
));

/// The longest expression of a threshold in bytes.
pub(in crate::definition) const MAX_EXPRESSION: usize = 1_024;

pub(super) static EXPRESSION: Shape = Shape::Grammar(EXPRESSION_GRAMMAR);
pub(super) const EXPRESSION_GRAMMAR: Grammar = Grammar::new(
    |text| match text.trim().is_empty() || text.len() > MAX_EXPRESSION {
        true => Err(SyntaxError::new(0, "the threshold is empty or too long")
            .allowed("an expression such as p(95)<500")),
        false => Ok(()),
    },
    "an expression such as p(95)<500",
);
