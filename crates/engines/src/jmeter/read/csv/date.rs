//! Times of day in results.

use super::record::parse;

/// Days from 1970-01-01 of a date of the Gregorian calendar.
/// Source: <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2024/01/31 12:34:56.789`, with any single separators, in UTC; the milliseconds may be missing.
pub(super) fn parse_date(text: &[u8]) -> Option<i64> {
    let field = |from: usize, length: usize| {
        let digits = text.get(from..from + length)?;
        parse(digits).and_then(|value| i64::try_from(value).ok())
    };
    if !matches!(text.len(), 19 | 23) {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 2)?, field(8, 2)?);
    let (hour, minute, second) = (field(11, 2)?, field(14, 2)?, field(17, 2)?);
    let ms = if text.len() == 23 { field(20, 3)? } else { 0 };
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    valid.then(|| {
        ((days(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(parse_date(b"1970/01/01 00:00:00.001"), Some(1));
        assert_eq!(parse_date(b"2024-02-29 12:34:56"), Some(1_709_210_096_000));
        assert_eq!(parse_date(b"2024-13-29 12:34:56"), None);
        assert_eq!(parse_date(b"yesterday at noon.."), None);
    }
}
