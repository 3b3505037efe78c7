//! Times of day in results.

use super::record::parse;
use crate::calendar::days_since_1970;

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
    (hour < 24 && minute < 60 && second < 61).then_some(())?;
    let days = days_since_1970(year, month, day)?;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(parse_date(b"1970/01/01 00:00:00.001"), Some(1));
        assert_eq!(parse_date(b"2024-02-29 12:34:56"), Some(1_709_210_096_000));
        for no_date in ["2024-13-29 12:34:56", "2023-02-29 12:34:56"] {
            assert_eq!(parse_date(no_date.as_bytes()), None, "{no_date}");
        }
        assert_eq!(parse_date(b"yesterday at noon.."), None);
    }
}
