//! Dates as the engines write them.

use chrono::NaiveDate;

/// Days from 1970-01-01 to a date; `None` if there is no such date, as on 30 February.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(i64::from(date.to_epoch_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_there_are_have_a_day() {
        assert_eq!(days_since_1970(1970, 1, 1), Some(0));
        assert_eq!(days_since_1970(2000, 2, 29), Some(11_016));
        assert_eq!(days_since_1970(1969, 12, 31), Some(-1));
        for (year, month, day) in [(2026, 2, 29), (2026, 13, 1), (2026, 4, 31), (2026, 1, 0)] {
            assert_eq!(
                days_since_1970(year, month, day),
                None,
                "{year}-{month}-{day}"
            );
        }
    }
}
