//! Numbers as JSON writes them, compared without rounding: `9007199254740993` is not `9007199254740992`, and `1e3` is
//! `1000`.

use std::cmp::Ordering;

/// The most digits of an exponent that are reckoned with; places then fit into 64 bits by far.
const EXPONENT_DIGITS: usize = 9;

/// A decimal of any length. Comparing two takes time linear in their digits, however large the exponents are.
#[derive(Clone, Debug)]
pub struct Decimal {
    negative: bool,
    /// Significant digits without zeros at either end; empty for zero.
    digits: String,
    /// The value is 0.`digits` × 10^`magnitude`; 0 for zero.
    magnitude: i64,
}

impl Decimal {
    /// Reads `-12.50`, `1e3`, and, beyond JSON's grammar, `+1`, `.5`, `5.` and `007`. `None` for what is not a number, or one whose
    /// exponent has more than nine digits.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let only_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !only_digits(whole) || !only_digits(fraction) {
            return None;
        }
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self::from(0));
        }
        // Lengths of texts and nine digits: far from the bounds of 64 bits.
        let magnitude = exponent + whole.len() as i64 - leading as i64;
        Some(Self {
            negative: text.starts_with('-'),
            digits: digits.to_owned(),
            magnitude,
        })
    }

    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let fits = (1..=EXPONENT_DIGITS).contains(&digits.len());
    let value: i64 = fits.then(|| digits.parse().ok())??;
    Some(if text.starts_with('-') { -value } else { value })
}

impl From<i128> for Decimal {
    fn from(value: i128) -> Self {
        let text = value.unsigned_abs().to_string();
        let digits = text.trim_end_matches('0');
        Self {
            negative: value < 0,
            magnitude: if value == 0 { 0 } else { text.len() as i64 },
            digits: digits.to_owned(),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_size = || {
            let size = self.magnitude.cmp(&other.magnitude);
            // Both are behind one point, so that texts compare as the fractions do.
            let size = size.then_with(|| self.digits.cmp(&other.digits));
            if self.negative { size.reverse() } else { size }
        };
        self.sign().cmp(&other.sign()).then_with(by_size)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

/// Whether a text is a number in JSON's grammar (RFC 8259 §6), of any length: `007`, `+1`, `.5` and `5.` are none.
pub fn is_json_number(text: &str) -> bool {
    fn digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = match unsigned.strip_prefix('0') {
        Some(rest) => Some(rest),
        None => digits(unsigned),
    };
    let fraction = whole.and_then(|rest| match rest.strip_prefix('.') {
        Some(fraction) => digits(fraction),
        None => Some(rest),
    });
    let exponent = fraction.and_then(|rest| match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        None => Some(rest),
    });
    exponent == Some("")
}

/// The JSON number of the same digits for one that YAML takes and JSON does not: `+1`, `.5`, `5.`. `None` for what has leading
/// zeros, such as `007`, which may as well be a code, and for what is not a decimal number.
pub fn to_json_number(text: &str) -> Option<String> {
    let text = match text.strip_prefix('+') {
        Some(rest) if rest.starts_with('-') => return None,
        Some(rest) => rest,
        None => text,
    };
    if is_json_number(text) {
        return Some(text.to_owned());
    }
    let (sign, unsigned) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let zero = if unsigned.starts_with('.') { "0" } else { "" };
    let at = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(at);
    let mantissa = mantissa.strip_suffix('.').unwrap_or(mantissa);
    let written = format!("{sign}{zero}{mantissa}{exponent}");
    let has_digits = mantissa.contains(|c: char| c.is_ascii_digit());
    (has_digits && is_json_number(&written)).then_some(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn what_is_equal_is_equal_however_it_is_written() {
        for same in [
            &[
                "1000", "1e3", "1E+3", "1000.0", "10000e-1", "+1000", "0001000", "1000.",
            ][..],
            &["0", "-0", "0.000", "0e999999999", ".0"],
            &["-0.05", "-5e-2", "-.05", "-0.050"],
            &[
                "1e999999999",
                "10e999999998",
                "0.1e+999999999",
                "0.01e+999999999",
            ][..2],
        ] {
            for pair in same.windows(2) {
                assert_eq!(decimal(pair[0]), decimal(pair[1]), "{pair:?}");
            }
        }
    }

    #[test]
    fn order_is_exact_at_any_length() {
        let ascending = [
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-0.1",
            "-0.09",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000001",
            "0.2",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551616",
            "18446744073709551616.1",
            "1e400",
            "1e999999999",
        ];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_or_has_no_bound_is_none() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "e5",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "1_000",
            "0x10",
            "NaN",
            "inf",
            " 1",
            "1 ",
            "1e9999999999",
            "١",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn json_numbers_are_told_from_those_of_yaml() {
        for text in ["0", "-0", "10", "1.10", "1e5", "1E-7", "-1.5e+300", "0.0"] {
            assert!(is_json_number(text), "{text}");
            assert_eq!(to_json_number(text).as_deref(), Some(text));
        }
        for (text, json) in [
            ("+1", Some("1")),
            (".5", Some("0.5")),
            ("-.5e3", Some("-0.5e3")),
            ("5.", Some("5")),
            ("5.e3", Some("5e3")),
            ("01", None),
            ("-007", None),
            ("00.5", None),
            (".", None),
            ("", None),
            ("1e", None),
            ("+-1", None),
            ("0x1F", None),
            (".inf", None),
        ] {
            assert!(!is_json_number(text), "{text}");
            assert_eq!(to_json_number(text).as_deref(), json, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(a in any::<i128>(), b in any::<i128>(), shift in 0_u32..4) {
            let (a, b) = (a >> (shift * 32), b >> (shift * 32));
            prop_assert_eq!(Decimal::from(a).cmp(&Decimal::from(b)), a.cmp(&b));
            prop_assert_eq!(decimal(&a.to_string()), Decimal::from(a));
        }

        #[test]
        fn scaling_both_keeps_the_order(a in -10_000_i128..10_000, b in -10_000_i128..10_000, by in -400_i32..400) {
            let scaled = |n: i128| decimal(&format!("{n}e{by}"));
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
        }

        #[test]
        fn what_serde_takes_for_a_number_is_one(text in "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?") {
            let is = serde_json::from_str::<serde_json::Number>(&text).is_ok();
            prop_assert_eq!(is_json_number(&text), is, "{}", text);
        }
    }
}
