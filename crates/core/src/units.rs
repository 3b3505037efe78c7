//! Durations, sizes and shares as people write them.
//!
//! Durations are Go's (<https://pkg.go.dev/time#ParseDuration>) as k6 extends them: `d` is a day, and a bare number is
//! milliseconds (<https://grafana.com/docs/k6/latest/using-k6/k6-options/reference/>).

use crate::syntax::{Span, SyntaxError};
use floodgate_records::printable::quoted;
use std::time::Duration;

/// What [`parse_duration`] takes, for messages.
pub const DURATION: &str = "a duration such as 500ms, 30s or 1m30s (a bare number is milliseconds)";
/// What [`parse_bytes`] takes, for messages.
pub const BYTES: &str = "a size such as 512, 64KiB or 10MB";
/// What [`parse_ratio`] takes, for messages.
pub const RATIO: &str = "a share such as 10% or 0.1";

const TIME_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Units as people spell them out.
const SPELT_UNITS: [(&str, &str); 17] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("μs", "us"),
];

/// A duration: `1m30s`, `1.5h`, `500ms`, `2d`; a bare number is milliseconds. Units stand in any order, as in Go.
///
/// # Errors
/// An empty text, a sign, an unknown unit, or a time past `u64` nanoseconds (584 years).
pub fn parse_duration(text: &str) -> Result<Duration, SyntaxError> {
    let fail = |at: Span, problem: &str| {
        SyntaxError::new(at, format!("{} {problem}", quoted(text))).allowed(DURATION)
    };
    if text.is_empty() {
        return Err(SyntaxError::new(0, "the duration is empty").allowed(DURATION));
    }
    if text.starts_with('-') {
        return Err(fail(0.into(), "is negative"));
    }
    let mut total = 0_u128;
    let mut at = 0;
    while at < text.len() {
        let (number, rest) =
            decimal(&text[at..]).ok_or_else(|| fail(at.into(), "has no number here"))?;
        let unit_at = text.len() - rest.len();
        let unit_len = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = &rest[..unit_len];
        let end = unit_at + unit_len;
        let scale = match TIME_UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, scale)) => *scale,
            None if unit.is_empty() && at == 0 && rest.is_empty() => 1_000_000,
            None if text.contains(char::is_whitespace) => {
                let error = fail((unit_at..end).into(), "has a space in it");
                return Err(match without_spaces(text) {
                    Some(meant) => error.hint(format!("\"{meant}\"")),
                    None => error,
                });
            }
            None => {
                let spelt = SPELT_UNITS.iter().find(|(spelt, _)| *spelt == unit);
                let meant = spelt.map_or(unit, |(_, short)| short);
                let problem = format!("has the unknown unit {}", quoted(unit));
                return Err(fail((unit_at..end).into(), &problem)
                    .nearest(meant, TIME_UNITS.map(|(name, _)| name)));
            }
        };
        total = number
            .times(scale)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= u128::from(u64::MAX))
            .ok_or_else(|| fail((at..end).into(), "is too long"))?;
        at = end;
    }
    Ok(Duration::from_nanos(
        u64::try_from(total).unwrap_or(u64::MAX),
    ))
}

/// The duration that one with spaces in it was meant to be.
fn without_spaces(text: &str) -> Option<String> {
    let dense: String = text.split_whitespace().collect();
    match parse_duration(&dense) {
        Ok(_) => Some(dense),
        Err(error) => {
            let unit = error.hint?;
            Some(format!(
                "{}{}",
                &dense[..error.at.start],
                unit.trim_matches('"')
            ))
        }
    }
}

/// A duration in the shortest form that [`parse_duration`] reads back as the same one: `1m30s`, `500ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, scale) in TIME_UNITS
        .iter()
        .rev()
        .filter(|(unit, _)| !matches!(*unit, "d" | "µs"))
    {
        let scale = u128::from(*scale);
        if nanos >= scale {
            text.push_str(&format!("{}{unit}", nanos / scale));
            nanos %= scale;
        }
    }
    text
}

/// A number of bytes: `512`, `64KiB`, `1.5 MB`. Units are exact about binary and decimal; their case does not matter.
///
/// # Errors
/// An empty text, an unknown unit, or more than `u64` bytes.
pub fn parse_bytes(text: &str) -> Result<u64, SyntaxError> {
    let fail = |at: usize, problem: String| SyntaxError::new(at, problem).allowed(BYTES);
    let (number, rest) =
        decimal(text).ok_or_else(|| fail(0, format!("{} is not a size", quoted(text))))?;
    let unit = rest.trim();
    let scale = if unit.is_empty() {
        1
    } else {
        SIZE_UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map(|(_, scale)| *scale)
            .ok_or_else(|| {
                fail(
                    text.len() - rest.len(),
                    format!("{} has the unknown unit {}", quoted(text), quoted(unit)),
                )
                .nearest(unit, SIZE_UNITS.map(|(name, _)| name))
            })?
    };
    number
        .times(scale)
        .and_then(|bytes| u64::try_from(bytes).ok())
        .ok_or_else(|| fail(0, format!("{} is too large", quoted(text))))
}

/// A share in [0, 1]: `10%` or `0.1`.
///
/// # Errors
/// No number, or a share outside of [0, 1].
pub fn parse_ratio(text: &str) -> Result<f64, SyntaxError> {
    let fail = |problem: String| {
        SyntaxError::new(0, problem).allowed(format!("{RATIO}, from 0 to 1 (100%)"))
    };
    let ratio = share(text).ok_or_else(|| fail(format!("{} is not a share", quoted(text))))?;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err(fail(format!("{} is out of range", quoted(text))))
    }
}

/// The most that [`parse_factor`] takes.
const MOST_FACTOR: f64 = 100.0;

/// A factor: `10%`, `0.1`, `200%`.
///
/// # Errors
/// What is no such number, or not above 0 and at most 100 (10000%).
pub fn parse_factor(text: &str) -> Result<f64, SyntaxError> {
    let fail = |problem: String| {
        SyntaxError::new(0, problem).allowed("a factor such as 10% or 0.1, above 0, at most 100")
    };
    let factor = share(text).ok_or_else(|| fail(format!("{} is not a factor", quoted(text))))?;
    match factor > 0.0 && factor <= MOST_FACTOR {
        true => Ok(factor),
        false => Err(fail(format!("{} is out of range", quoted(text)))),
    }
}

/// A number, or one of hundredths.
fn share(text: &str) -> Option<f64> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let plain = !number.is_empty()
        && number
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    number
        .parse::<f64>()
        .ok()
        .filter(|_| plain)
        .map(|number| number / scale)
}

/// A decimal without a sign as an exact fraction `digits / 10^places`.
struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    /// The product, rounded down; `None` past `u128`.
    fn times(&self, scale: u64) -> Option<u128> {
        Some(self.digits.checked_mul(u128::from(scale))? / 10_u128.checked_pow(self.places)?)
    }
}

/// The decimal at the start, and what follows it. Digits past the 18th decimal place are read and ignored.
fn decimal(text: &str) -> Option<(Decimal, &str)> {
    const PLACES: u32 = 18;
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') || whole.len() > 20 {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(PLACES as usize)];
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((
        Decimal {
            digits,
            places: fraction.len() as u32,
        },
        rest,
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_durations_as_k6_does() {
        let cases = [
            ("1m30s", 90_000_000_000),
            ("500ms", 500_000_000),
            ("250", 250_000_000),
            ("0.5", 500_000),
            ("1.5h", 5_400_000_000_000),
            ("1h15m30.918s", 4_530_918_000_000),
            ("2d", 172_800_000_000_000),
            ("30s1m", 90_000_000_000),
            ("1µs", 1_000),
            (".5s", 500_000_000),
            ("0", 0),
        ];
        for (text, nanos) in cases {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_nanos(nanos),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for (text, at, part) in [
            ("", 0, "empty"),
            ("-1s", 0, "negative"),
            ("1 s", 1, "has a space in it"),
            ("1sec", 1, "\"sec\""),
            ("1m30", 4, "unknown unit"),
            ("s", 0, "no number"),
            ("1..5s", 0, "no number"),
            ("999999999999h", 0, "too long"),
            ("9999999999999999999999s", 0, "no number"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.at.start, at, "{text}: {error}");
            assert!(error.problem.contains(part), "{text}: {error}");
        }
        assert_eq!(
            parse_duration("3M").unwrap_err().hint.as_deref(),
            Some("\"m\"")
        );
        for (text, hint) in [
            ("10 s", "\"10s\""),
            ("1m 30 s", "\"1m30s\""),
            ("10 minutes", "\"10m\""),
            ("10sec", "\"s\""),
            ("5minutes", "\"m\""),
            ("100msec", "\"ms\""),
        ] {
            assert_eq!(
                parse_duration(text).unwrap_err().hint.as_deref(),
                Some(hint),
                "{text}"
            );
        }
        assert_eq!(
            parse_duration("3mss").unwrap_err().hint.as_deref(),
            Some("\"ms\"")
        );
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("512", 512),
            ("64MiB", 64 << 20),
            ("1.5 kb", 1_500),
            ("2GiB", 2 << 30),
            ("0B", 0),
        ] {
            assert_eq!(parse_bytes(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "MiB", "-1", "5 parsecs", "99999999999GiB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_shares() {
        for (text, ratio) in [
            ("10%", 0.1),
            ("0.1", 0.1),
            ("100%", 1.0),
            ("0", 0.0),
            ("1e-3", 0.001),
            ("2.5 %", 0.025),
        ] {
            assert_eq!(parse_ratio(text).unwrap(), ratio, "{text}");
        }
        for text in ["", "%", "101%", "-0.1", "NaN", "inf", "ten"] {
            assert!(parse_ratio(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_duration_reads_back(nanos in any::<u64>()) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}") {
            let _ = (parse_duration(&text), parse_bytes(&text), parse_ratio(&text));
        }
    }
}
