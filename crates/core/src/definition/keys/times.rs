//! Times and rates. Each reader is used twice: to check the shape, and to take the value.

use super::grammar::NUMBERS;
use crate::definition::shape::{Grammar, Shape};
use crate::rate::{RATE, Rate};
use crate::syntax::SyntaxError;
use crate::units::{DURATION, parse_duration};
use floodgate_records::printable::quoted;
use std::ops::Range;
use std::time::Duration;

/// The longest time that may be given: a load test of a month is a mistake.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// k6's `minDuration` (<https://github.com/grafana/k6/blob/v1.0.0/lib/executor/helpers.go>).
pub(in crate::definition) const SHORTEST_RUN: Duration = Duration::from_secs(1);
/// The most VUs, iterations a unit, and so on.
pub(in crate::definition) const MOST: u64 = crate::rate::MOST;

const DURATION_PATTERN: &str = r"^([0-9]*\.?[0-9]*(ns|us|µs|ms|s|m|h|d)?)+$";

fn between(text: &str, shortest: Duration) -> Result<(), SyntaxError> {
    let duration = parse_duration(text)?;
    if duration < shortest {
        let bare = is_bare(text) && duration > Duration::ZERO;
        let problem = match bare {
            true => format!("{text} is {text}ms, which is too short"),
            false => format!("{} is too short", quoted(text)),
        };
        // The least that is more than nothing helps nobody.
        let least = match shortest <= Duration::from_nanos(1) {
            true => "more than 0, such as 500ms or 30s".to_owned(),
            false => format!("at least {}", crate::units::format_duration(shortest)),
        };
        let error = SyntaxError::new(0, problem);
        return Err(match bare {
            true => error
                .allowed(format!("{least}; a bare number is milliseconds, as in k6"))
                .hint(format!("\"{text}s\"")),
            false => error.allowed(least),
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

const THINKING: &str = "a time such as 1s, or a range such as 1s..3s";

pub(super) static THINK_TIME: Shape = Shape::Grammar(Grammar {
    types: NUMBERS,
    doubt: |text| {
        text.split("..")
            .find_map(|part| few_milliseconds(part.trim()))
    },
    ..Grammar::new(|text| think(text).map(drop), THINKING)
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
