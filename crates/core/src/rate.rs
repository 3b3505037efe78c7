//! Arrival rates as people write them: `50`, `0.5`, `10/s`, `1/3s`, `1 per 3s`; exact fractions, never rounded.

use crate::syntax::SyntaxError;
use crate::units::parse_duration;
use floodgate_records::printable::quoted;
use std::time::Duration;

/// What [`Rate::parse`] takes, for messages.
pub const RATE: &str = "a rate such as 50, 0.5, 10/s or 1 per 3s";
/// The most iterations each unit.
pub const MOST: u64 = 100_000_000;

/// Decimal places that a rate may have.
const PLACES: usize = 6;
/// The longest common unit of several rates: starts are reckoned in nanoseconds of 63 bits.
const LONGEST_UNIT_NS: u128 = 100 * 365 * 86_400 * 1_000_000_000;
/// Words for a unit that stands alone.
const WORDS: [(&str, &str); 9] = [
    ("sec", "1s"),
    ("second", "1s"),
    ("minute", "1m"),
    ("min", "1m"),
    ("hour", "1h"),
    ("day", "1d"),
    ("s", "1s"),
    ("m", "1m"),
    ("h", "1h"),
];

/// `numerator / denominator` iterations each unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    numerator: u64,
    denominator: u64,
    /// Its own unit, where it names one.
    per: Option<Duration>,
}

impl From<u64> for Rate {
    fn from(rate: u64) -> Self {
        Self {
            numerator: rate,
            denominator: 1,
            per: None,
        }
    }
}

impl Rate {
    /// One iteration each unit.
    pub const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
        per: None,
    };

    /// Reads a rate: a decimal, and `/` or `per` and a time (`s`, `3s`, `minute`), or `/` and a number (`1/3`: a third).
    ///
    /// # Errors
    /// No number, more than [`MOST`], more than six decimal places, or no time behind the bar.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let fail = |problem: String| SyntaxError::new(0, problem).allowed(RATE);
        let (number, unit) = match text.split_once('/').or_else(|| text.split_once(" per ")) {
            Some((number, unit)) => (number.trim(), Some(unit.trim())),
            None => (text.trim(), None),
        };
        let (numerator, denominator) = decimal(number).ok_or_else(|| {
            let error = fail(format!("{} is not a valid rate", quoted(text)));
            let bare = number.trim_end_matches(|c: char| !c.is_ascii_digit());
            let near = unit.is_none() && decimal(bare).is_some();
            match near {
                true => error.hint(format!("\"{bare}/s\"")),
                false => error,
            }
        })?;
        if u128::from(numerator) > u128::from(MOST) * u128::from(denominator) {
            return Err(
                fail(format!("{} is too much", quoted(text))).allowed(format!("at most {MOST}"))
            );
        }
        let rate = Self {
            numerator,
            denominator,
            per: None,
        };
        let Some(unit) = unit else { return Ok(rate) };
        if let Some(divisor) = unit
            .parse()
            .ok()
            .filter(|divisor| (1..=MOST).contains(divisor))
        {
            let denominator = denominator * divisor;
            return Ok(Self {
                denominator,
                ..rate
            });
        }
        let word = WORDS.iter().find(|(word, _)| *word == unit);
        let per = parse_duration(word.map_or(unit, |(_, time)| time))
            .ok()
            .filter(|per| !per.is_zero() && per.as_secs() <= 31 * 86_400)
            .ok_or_else(|| fail(format!("{} has no time behind its /", quoted(text))))?;
        Ok(Self {
            per: Some(per),
            ..rate
        })
    }

    /// Whether nothing ever starts.
    pub const fn is_zero(&self) -> bool {
        self.numerator == 0
    }

    /// The unit it names itself.
    pub const fn per(&self) -> Option<Duration> {
        self.per
    }

    /// So many times the rate, as it is written: to six decimal places, and never nothing. `None` if that is the same.
    pub(crate) fn times(&self, factor: f64) -> Option<String> {
        const LEAST: f64 = 1e-6;
        if self.is_zero() || factor == 1.0 {
            return None;
        }
        let rate = self.numerator as f64 / self.denominator as f64 * factor;
        let number = format!("{:.*}", PLACES, rate.max(LEAST));
        let number = number.trim_end_matches('0').trim_end_matches('.');
        Some(match self.per {
            Some(per) => format!("{number}/{}", crate::units::format_duration(per)),
            None => number.to_owned(),
        })
    }

    /// Iterations a second, where the unit is `time_unit` unless it names its own: for sizing, not for schedules.
    pub fn per_second(&self, time_unit: Duration) -> f64 {
        self.numerator as f64
            / self.denominator as f64
            / self.per.unwrap_or(time_unit).as_secs_f64()
    }
}

/// Whole numbers of iterations, each a common unit, that are exactly these rates. `None` if the unit would be longer than a
/// century.
pub fn in_common_unit(rates: &[Rate], time_unit: Duration) -> Option<(Vec<u64>, Duration)> {
    let unit_ns = |rate: &Rate| rate.per.unwrap_or(time_unit).as_nanos().max(1);
    let mut common = 1;
    for rate in rates {
        common = least_common_multiple(common, u128::from(rate.denominator) * unit_ns(rate))?;
    }
    let scaled = rates.iter().map(|rate| {
        let by = common / (u128::from(rate.denominator) * unit_ns(rate));
        u64::try_from(u128::from(rate.numerator).checked_mul(by)?).ok()
    });
    let scaled = scaled.collect::<Option<Vec<_>>>()?;
    Some((scaled, Duration::from_nanos(u64::try_from(common).ok()?)))
}

fn least_common_multiple(a: u128, b: u128) -> Option<u128> {
    let multiple = a.checked_mul(b / greatest_common_divisor(a, b))?;
    (multiple <= LONGEST_UNIT_NS).then_some(multiple)
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Numerator and denominator in lowest terms.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if !digits(whole)
        || !digits(fraction)
        || !text.contains(|c: char| c.is_ascii_digit())
        || whole.len() > 12
        || fraction.len() > PLACES
    {
        return None;
    }
    let numerator: u64 = format!("0{whole}{fraction}").parse().ok()?;
    let denominator = 10_u64.pow(fraction.len() as u32);
    let divisor = greatest_common_divisor(u128::from(denominator), u128::from(numerator)) as u64;
    Some((numerator / divisor, denominator / divisor))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn alone(text: &str) -> (u64, Duration) {
        let rate = Rate::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let (rates, unit) = in_common_unit(&[rate], SECOND).unwrap();
        (rates[0], unit)
    }

    #[test]
    fn rates_are_exact_fractions() {
        for (text, rate, unit_ms) in [
            ("50", 50, 1_000),
            ("0", 0, 1_000),
            ("050", 50, 1_000),
            ("0.5", 1, 2_000),
            (".5", 1, 2_000),
            ("2.50", 5, 2_000),
            ("5.", 5, 1_000),
            ("0.000001", 1, 1_000_000_000),
            ("10/s", 10, 1_000),
            ("10 / 1s", 10, 1_000),
            ("90/m", 90, 60_000),
            ("90 per minute", 90, 60_000),
            ("1/3s", 1, 3_000),
            ("1 per 3s", 1, 3_000),
            ("1/3", 1, 3_000),
            ("2/3", 2, 3_000),
            ("1.5/1m30s", 3, 180_000),
            ("5/250ms", 5, 250),
        ] {
            assert_eq!(
                alone(text),
                (rate, Duration::from_millis(unit_ms)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_rate_is_told_how_to_say_it() {
        for text in [
            "",
            "-1",
            "x",
            "1e3",
            "0.0000001",
            "1/0",
            "1/",
            "1/0s",
            "1 per",
            "1/parsec",
            "/s",
            ".",
            "1/40d",
        ] {
            let error = Rate::parse(text).unwrap_err();
            assert!(
                error.to_string().contains("10/s or 1 per 3s"),
                "{text}: {error}"
            );
        }
        assert!(
            Rate::parse("100000001")
                .unwrap_err()
                .problem
                .contains("too much")
        );
        assert_eq!(
            Rate::parse("10rps").unwrap_err().hint.as_deref(),
            Some("\"10/s\"")
        );
    }

    #[test]
    fn several_rates_share_a_unit() {
        let rates = ["0.5", "2.5", "1/3s", "10"].map(|text| Rate::parse(text).unwrap());
        assert_eq!(
            in_common_unit(&rates, SECOND).unwrap(),
            (vec![3, 15, 2, 60], 6 * SECOND)
        );
        let minute = 60 * SECOND;
        let rates = ["90", "2/s"].map(|text| Rate::parse(text).unwrap());
        assert_eq!(
            in_common_unit(&rates, minute).unwrap(),
            (vec![90, 120], minute)
        );
        // Seven primes of a unit each are a common unit of centuries.
        let rates = ["1/999983", "1/999979", "1/999961"].map(|text| Rate::parse(text).unwrap());
        assert_eq!(in_common_unit(&rates, SECOND), None);
    }

    proptest! {
        #[test]
        fn a_common_unit_changes_no_rate(
            rates in proptest::collection::vec((0_u64..1_000, 1_u64..60, prop::option::of(1_u64..60)), 1..4),
            unit in 1_u64..120,
        ) {
            let rates: Vec<_> = rates
                .into_iter()
                .map(|(numerator, denominator, per)| Rate { numerator, denominator, per: per.map(Duration::from_secs) })
                .collect();
            let time_unit = Duration::from_secs(unit);
            if let Some((scaled, common)) = in_common_unit(&rates, time_unit) {
                for (rate, scaled) in rates.iter().zip(scaled) {
                    let own = rate.per.unwrap_or(time_unit).as_nanos() * u128::from(rate.denominator);
                    prop_assert_eq!(u128::from(scaled) * own, u128::from(rate.numerator) * common.as_nanos());
                }
            }
        }

        #[test]
        fn nothing_panics(text in "[0-9./a-z ]{0,16}") {
            drop(Rate::parse(&text));
        }
    }
}
