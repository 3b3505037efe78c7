//! Numbers, times and sizes as a person reads them.

use chrono::DateTime;

/// `value` with `significant` digits, trailing zeros kept so that columns line up, and thousands separated.
pub fn digits(value: f64, significant: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 {
            "0".into()
        } else {
            value.to_string()
        };
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (significant - 1 - magnitude).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    // 9.996 becomes 10.00 with three digits: one decimal too many.
    let shown: f64 = text.parse().unwrap_or(value);
    let grown = shown != 0.0 && shown.abs().log10().floor() as i32 > magnitude;
    separated(&if grown && decimals > 0 {
        format!("{value:.*}", decimals - 1)
    } else {
        text
    })
}

/// A whole number with its thousands separated.
pub fn count(n: u64) -> String {
    separated(&n.to_string())
}

/// A number beside a text: at most so many significant digits, no trailing zeros, whole ones in full.
pub fn number(value: f64, significant: i32) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return separated(&format!("{value:.0}"));
    }
    let text = digits(value, significant);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn separated(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |r| ("-", r));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(w, f)| (w, Some(f)));
    let groups: Vec<&str> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    let fraction = fraction.map_or_else(String::new, |f| format!(".{f}"));
    format!("{sign}{}{fraction}", groups.join(","))
}

/// A time given in ms, in the unit that suits it once it is rounded.
pub fn duration(ms: f64, significant: i32) -> String {
    if ms == 0.0 {
        return "0".into();
    }
    // 999.6 ms with three digits is a second.
    let fits =
        |value: f64| value.abs() < 1e3 && !digits(value.abs(), significant).starts_with("1,000");
    let units = [(ms * 1e3, "µs"), (ms, "ms")];
    let (value, unit) = units
        .into_iter()
        .find(|(value, _)| fits(*value))
        .unwrap_or((ms / 1e3, "s"));
    format!("{} {unit}", digits(value, significant))
}

/// A rate a second: `0`, `4.5`, `497`, `12,304`.
pub fn rate(per_s: f64) -> String {
    if per_s == 0.0 || per_s >= 99.95 {
        count(per_s.round().max(0.0) as u64)
    } else {
        format!("{per_s:.1}")
    }
}

/// A stretch of time given in seconds, as in `1 h 2 min`, `5 min 3 s`, `20.0 s`.
pub fn span(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// Bytes in SI units.
pub fn bytes(n: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let step = if n.abs() < 1e3 {
        0
    } else {
        ((n.abs().log10() / 3.0) as usize).min(units.len() - 1)
    };
    let scaled = n / 1e3f64.powi(step as i32);
    format!(
        "{} {}",
        if step == 0 {
            number(scaled, 3)
        } else {
            digits(scaled, 3)
        },
        units[step]
    )
}

/// A ratio in percent. What is not all is never shown as 100 %, and what is not nothing never as 0 %.
pub fn percent(ratio: f64) -> String {
    let p = ratio * 100.0;
    match p {
        0.0 => "0 %".into(),
        p if p > 0.0 && p < 0.01 => "<0.01 %".into(),
        p if p < 100.0 && p > 99.99 => ">99.99 %".into(),
        100.0 => "100 %".into(),
        p => format!("{p:.2} %"),
    }
}

/// A part of a whole in percent; of nothing there is no part.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        "–".into()
    } else {
        percent(part as f64 / whole as f64)
    }
}

/// Unix ms as a date and time in UTC, to the minute and without naming the zone.
pub fn utc_minute(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(
        || format!("{ms} ms"),
        |t| t.format("%Y-%m-%d %H:%M").to_string(),
    )
}

/// Unix ms as a date and time in UTC.
pub fn utc(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(
        || format!("{ms} ms"),
        |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// `1 task`, `2 tasks`.
pub fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(digits(9.996, 3), "10.0");
        assert_eq!(digits(0.012_345, 3), "0.0123");
        assert_eq!(digits(-1_234_567.8, 3), "-1,234,568");
        assert_eq!(number(40_000.0, 4), "40,000");
        assert_eq!(number(0.000_2, 4), "0.0002");
        assert_eq!(number(499.99, 6), "499.99");
        assert_eq!(number(100.000_01, 4), "100");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(
            [0.0, 4.52, 99.94, 99.96, 12_304.4].map(rate),
            ["0", "4.5", "99.9", "100", "12,304"]
        );
    }

    #[test]
    fn times_have_the_unit_that_suits() {
        assert_eq!(duration(0.85, 3), "850 µs");
        assert_eq!(duration(12.345, 3), "12.3 ms");
        assert_eq!(duration(1_800.0, 3), "1.80 s");
        assert_eq!(duration(0.184, 3), "184 µs");
        assert_eq!(duration(0.999_6, 3), "1.00 ms");
        assert_eq!(duration(999.4, 3), "999 ms");
        assert_eq!(duration(999.6, 3), "1.00 s");
        assert_eq!(duration(-999.6, 3), "-1.00 s");
        assert_eq!(duration(999.96, 5), "999.96 ms");
        assert_eq!(duration(500.4, 5), "500.40 ms");
        assert_eq!(span(20.0), "20.0 s");
        assert_eq!(span(59.97), "1 min 0 s");
        assert_eq!(span(303.0), "5 min 3 s");
        assert_eq!(span(7_380.0), "2 h 3 min");
        assert_eq!(utc(1_700_000_001_000), "2023-11-14 22:13:21 UTC");
    }

    #[test]
    fn shares_never_round_to_the_ends() {
        assert_eq!(share(0, 10), "0 %");
        assert_eq!(share(1, 1_000_000), "<0.01 %");
        assert_eq!(share(999_999, 1_000_000), ">99.99 %");
        assert_eq!(share(10, 10), "100 %");
        assert_eq!(share(1, 3), "33.33 %");
        assert_eq!(share(0, 0), "–");
    }

    #[test]
    fn sizes_are_in_si_units() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1_000.0), "1.00 kB");
        assert_eq!(bytes(12_345_678.0), "12.3 MB");
    }
}
