//! The small grammars of scalars. Each reader is used twice: to check the shape, and to take the value.

mod remote;
mod ways;

pub(super) use remote::{ARN, AWS_REGION, WEB_URL};
pub(super) use ways::{ADDRESS, PROXY, SOCKET};

use crate::baseline::BaselineMetric;
use crate::check::{Check, last_line, parse_json_path};
use crate::definition::model::Extractor;
use crate::definition::shape::{Grammar, Shape};
use crate::rate::{RATE, Rate};
use crate::syntax::{SyntaxError, quoted};
use crate::units::{BYTES, DURATION, RATIO, parse_bytes, parse_duration, parse_ratio};
use std::ops::Range;
use std::time::Duration;

/// The longest time that may be given: a load test of a month is a mistake.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// k6's `minDuration` (<https://github.com/grafana/k6/blob/v1.0.0/lib/executor/helpers.go>).
pub(in crate::definition) const SHORTEST_RUN: Duration = Duration::from_secs(1);
/// The most VUs, iterations a unit, and so on.
pub(in crate::definition) const MOST: u64 = crate::rate::MOST;

const DURATION_PATTERN: &str = r"^([0-9]*\.?[0-9]*(ns|us|µs|ms|s|m|h|d)?)+$";

/// Text, which YAML may read as a number.
const NUMBERS: &[&str] = &["string", "number"];

const fn grammar(check: fn(&str) -> Result<(), SyntaxError>, said: &'static str) -> Grammar {
    Grammar {
        check,
        said,
        types: &["string"],
        pattern: None,
        doubt: |_| None,
    }
}

fn between(text: &str, shortest: Duration) -> Result<(), SyntaxError> {
    let duration = parse_duration(text)?;
    if duration < shortest {
        let bare = is_bare(text) && duration > Duration::ZERO;
        let problem = match bare {
            true => format!("{text} is {text}ms, which is too short"),
            false => format!("{} is too short", quoted(text)),
        };
        let least = crate::units::format_duration(shortest);
        let error = SyntaxError::new(0, problem);
        return Err(match bare {
            true => error
                .allowed(format!(
                    "at least {least}; a bare number is milliseconds, as in k6"
                ))
                .hint(format!("\"{text}s\"")),
            false => error.allowed(format!("at least {least}")),
        });
    }
    if duration > LONGEST {
        return Err(
            SyntaxError::new(0, format!("{} is too long", quoted(text))).allowed("at most 31d")
        );
    }
    Ok(())
}

/// Whether a duration is a number alone, which is milliseconds.
fn is_bare(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// A few milliseconds without a unit: in other tools they are seconds.
fn few_milliseconds(text: &str) -> Option<String> {
    let few = is_bare(text) && text.parse().is_ok_and(|n: u32| (1..100).contains(&n));
    few.then(|| {
        format!(
            "{text} is {text}ms, since a bare number is milliseconds; write {text}s or {text}ms"
        )
    })
}

const fn duration(check: fn(&str) -> Result<(), SyntaxError>) -> Shape {
    Shape::Grammar(Grammar {
        check,
        said: DURATION,
        types: NUMBERS,
        pattern: Some(DURATION_PATTERN),
        doubt: few_milliseconds,
    })
}

/// Zero and more.
pub(super) static ANY_DURATION: Shape = duration(|text| between(text, Duration::ZERO));
/// More than zero.
pub(super) static SOME_DURATION: Shape = duration(|text| between(text, Duration::from_nanos(1)));
/// What an executor's `duration` and `maxDuration` may be.
pub(super) static RUN_DURATION: Shape = duration(|text| between(text, SHORTEST_RUN));

const fn rate(check: fn(&str) -> Result<(), SyntaxError>) -> Shape {
    Shape::Grammar(Grammar {
        check,
        said: RATE,
        types: NUMBERS,
        pattern: Some(r"^[0-9]*\.?[0-9]*(\s*(/|\sper\s)\s*[0-9a-zµ.]+)?$"),
        doubt: |_| None,
    })
}

/// Zero and more.
pub(super) static ANY_RATE: Shape = rate(|text| Rate::parse(text).map(drop));
/// More than zero.
pub(super) static SOME_RATE: Shape = rate(|text| {
    let problem = || format!("the rate {} never starts anything", quoted(text));
    match Rate::parse(text)?.is_zero() {
        true => Err(SyntaxError::new(0, problem()).allowed("more than 0")),
        false => Ok(()),
    }
});

/// The bounds of `maxBody`.
const MAX_BODY: u64 = 1 << 30;

pub(super) static BODY_SIZE: Shape = Shape::Grammar(Grammar {
    check: |text| match parse_bytes(text)? {
        0..=MAX_BODY => Ok(()),
        _ => {
            Err(SyntaxError::new(0, format!("{} is too large", quoted(text))).allowed("0 to 1GiB"))
        }
    },
    said: BYTES,
    types: NUMBERS,
    pattern: Some(r"^[0-9]*\.?[0-9]*\s*([KkMmGg][Ii]?)?[Bb]?$"),
    doubt: |_| None,
});

pub(super) static SHARE: Shape = Shape::Grammar(Grammar {
    check: |text| parse_ratio(text).map(drop),
    said: RATIO,
    types: NUMBERS,
    pattern: Some(r"^[0-9.eE+-]+\s*%?$"),
    doubt: |_| None,
});

/// A parameter's default.
pub(super) const PARAMETER: Grammar = Grammar {
    types: &["string", "number", "boolean"],
    ..grammar(|_| Ok(()), "text, a number, true or false")
};

pub(super) static TARGET: Shape = Shape::Grammar(Grammar {
    pattern: Some("^[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#]+[^\\s?#]*$"),
    ..grammar(
        |text| target(text).map(drop),
        "http://HOST[:PORT][/PATH] or https://…, without a query",
    )
});

/// A base URL without its trailing slash.
pub(in crate::definition) fn target(text: &str) -> Result<String, SyntaxError> {
    let fail = |at: Range<usize>, problem: String| {
        SyntaxError::new(at, problem)
            .allowed("http://HOST[:PORT][/PATH] or https://…, without a query")
    };
    let all = 0..text.len();
    let lower = text.to_ascii_lowercase();
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme));
    let Some(scheme) = scheme else {
        return Err(fail(
            all,
            format!("{} does not begin with http:// or https://", quoted(text)),
        ));
    };
    let odd = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\');
    if let Some((at, c)) = text.char_indices().find(|(_, c)| odd(c)) {
        let problem = format!("{} has {c:?} in it", quoted(text));
        return Err(fail(at..at + c.len_utf8(), problem));
    }
    let authority = text[scheme.len()..].split('/').next().unwrap_or("");
    let place = scheme.len()..scheme.len() + authority.len();
    if let Some(at) = authority.rfind('@') {
        let place = place.start..place.start + at + 1;
        return Err(fail(place, "credentials stand in the URL".to_owned())
            .hint("write them below http.auth, so that they are in no report"));
    }
    // A colon within [ ] belongs to an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(fail(place, format!("{} has no host", quoted(text))));
    }
    if port.is_some_and(|port| {
        port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err()
    }) {
        let port = place.start + host.len() + 1..place.end;
        return Err(fail(port, format!("{} has no valid port", quoted(text))));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub(super) static FILE: Shape = Shape::Grammar(FILE_GRAMMAR);
pub(super) const FILE_GRAMMAR: Grammar = grammar(
    file,
    "the relative path of a file in the definition's folder or below it",
);

fn file(text: &str) -> Result<(), SyntaxError> {
    let fail = |problem: &str| {
        Err(
            SyntaxError::new(0, format!("the path {} {problem}", quoted(text))).allowed(
                "a relative path in the definition's folder or below it, with / between its parts",
            ),
        )
    };
    if text.is_empty() || text.len() > 512 {
        return fail("is empty or too long");
    }
    if text.starts_with('/') || text.contains([':', '\\']) || text.chars().any(char::is_control) {
        return fail("is not relative, or has : or \\ in it");
    }
    // A folder's name may end with a slash.
    let path = text.strip_suffix('/').unwrap_or(text);
    if path.split('/').any(|part| matches!(part, ".." | "")) {
        // Everything that a definition names is stored beside it.
        return fail("leads out of the definition's folder");
    }
    Ok(())
}

const DELIMITERS: &str = "one character such as ; or |, or the word tab";

pub(super) static DELIMITER: Shape = Shape::Grammar(Grammar {
    pattern: Some("^([^A-Za-z0-9\"\\\\\r\n]|tab|\\\\t)$"),
    ..grammar(|text| delimiter(text).map(drop), DELIMITERS)
});

/// What stands between values: an ASCII character that is neither a letter, a digit, a quote nor a line end.
pub(in crate::definition) fn delimiter(text: &str) -> Result<u8, SyntaxError> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [b] if b.is_ascii() && !b.is_ascii_alphanumeric() && !b"\"\\\r\n\0".contains(b) => Ok(*b),
        _ => Err(
            SyntaxError::new(0, format!("{} is no delimiter", quoted(text))).allowed(DELIMITERS),
        ),
    }
}

pub(super) static CHECKS: Shape = Shape::List { of: &CHECK, min: 0 };
static CHECK: Shape = Shape::Grammar(grammar(
    |text| Check::parse(text).map(drop),
    "a check such as status == 200, duration < 800ms or body contains \"Welcome\"",
));

const EXTRACTORS: &str = "a JSONPath such as $.id, regex:…, header:Name or cookie:Name";

pub(super) static EXTRACTOR: Shape = Shape::Grammar(Grammar {
    pattern: Some("^(\\$|regex:|header:|cookie:)"),
    ..grammar(|text| extractor(text).map(drop), EXTRACTORS)
});

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
                        "{} is no regular expression: {}",
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
    ..grammar(|text| statuses(text).map(drop), STATUSES)
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
        _ => Err(SyntaxError::new(0, format!("{} is no status", quoted(text))).allowed(STATUSES)),
    }
}

const THINKING: &str = "a time such as 1s, or a range such as 1s..3s";

pub(super) static THINK_TIME: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    doubt: |text| {
        text.split("..")
            .find_map(|part| few_milliseconds(part.trim()))
    },
    ..grammar(|text| think(text).map(drop), THINKING)
});

/// A think time: fixed, or between two.
pub(in crate::definition) fn think(text: &str) -> Result<(Duration, Duration), SyntaxError> {
    let part = |range: Range<usize>| {
        let written = &text[range.clone()];
        let start = range.start + written.len() - written.trim_start().len();
        let time = written.trim();
        between(time, Duration::ZERO)
            .and_then(|()| parse_duration(time))
            .map_err(|error| error.within(start..start + time.len()).allowed(THINKING))
    };
    let (min, max) = match text.find("..") {
        Some(at) => (part(0..at)?, part(at + 2..text.len())?),
        None => {
            let time = part(0..text.len())?;
            (time, time)
        }
    };
    if min > max {
        return Err(SyntaxError::new(
            0,
            format!("the range {} ends before it starts", quoted(text)),
        )
        .allowed(THINKING));
    }
    Ok((min, max))
}

pub(super) static TASKS: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some("^(auto|[1-9][0-9]{0,3})$"),
    ..grammar(
        |text| tasks(text).map(drop),
        "auto, or a number from 1 to 1000",
    )
});

/// How many tasks; `None` is `auto`.
pub(in crate::definition) fn tasks(text: &str) -> Result<Option<u32>, SyntaxError> {
    match text.parse() {
        Ok(tasks @ 1..=1_000) => Ok(Some(tasks)),
        _ if text == "auto" => Ok(None),
        _ => Err(
            SyntaxError::new(0, format!("{} is no number of tasks", quoted(text)))
                .allowed("auto, or a number from 1 to 1000")
                .nearest(text, ["auto"]),
        ),
    }
}

pub(super) static HTTP_VERSION: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    pattern: Some("^(auto|1\\.1|2)$"),
    ..grammar(
        |text| match text {
            "auto" | "1.1" | "2" => Ok(()),
            _ => Err(SyntaxError::new(
                0,
                format!("{} is no version of HTTP that is spoken here", quoted(text)),
            )
            .allowed("auto, \"1.1\", \"2\"")
            .nearest(text, ["auto"])),
        },
        "auto, \"1.1\" or \"2\"",
    )
});

pub(super) static METHOD: Shape = Shape::Grammar(Grammar {
    pattern: Some("^[A-Za-z!#$%&'*+.^_`|~-]{1,32}$"),
    ..grammar(
        |text| {
            let token = (1..=32).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphabetic() || b"!#$%&'*+.^_`|~-".contains(&b));
            if token && !text.eq_ignore_ascii_case("connect") {
                Ok(())
            } else {
                Err(
                    SyntaxError::new(0, format!("{} is no method that can be sent", quoted(text)))
                        .allowed("a method such as GET or PURGE, except CONNECT"),
                )
            }
        },
        "a method such as GET or PURGE",
    )
});

pub(super) static COMPARE: Shape = Shape::Grammar(Grammar {
    pattern: Some("^(last-passed|[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26})$"),
    ..grammar(
        |text| {
            let ulid = text.len() == 26
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() && !b"ILOUilou".contains(&b));
            if ulid || text == "last-passed" {
                Ok(())
            } else {
                Err(
                    SyntaxError::new(0, format!("{} is no run to compare with", quoted(text)))
                        .allowed("last-passed, or an execution's id")
                        .nearest(text, ["last-passed"]),
                )
            }
        },
        "last-passed, or an execution's id",
    )
});

pub(super) static BASELINE_METRICS: Shape = Shape::List {
    of: &BASELINE_METRIC,
    min: 1,
};
static BASELINE_METRIC: Shape = Shape::Grammar(grammar(
    |text| BaselineMetric::parse(text).map(drop),
    "a metric and an aggregate, such as \"http_req_duration p(95)\"",
));

/// The longest expression of a threshold in bytes.
pub(in crate::definition) const MAX_EXPRESSION: usize = 1_024;

pub(super) static EXPRESSION: Shape = Shape::Grammar(EXPRESSION_GRAMMAR);
pub(super) const EXPRESSION_GRAMMAR: Grammar = grammar(
    |text| match text.trim().is_empty() || text.len() > MAX_EXPRESSION {
        true => Err(SyntaxError::new(0, "the threshold is empty or too long")
            .allowed("an expression such as p(95)<500")),
        false => Ok(()),
    },
    "an expression such as p(95)<500",
);
