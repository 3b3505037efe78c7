//! Cron expressions of six fields, as EventBridge Scheduler has them: minute, hour, day of the month, month, day of the week (1 is Sunday)
//! and year (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>).

use chrono::{Datelike, NaiveDate};
use std::ops::RangeInclusive;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const YEARS: RangeInclusive<u32> = 1970..=2199;

/// A cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Days,
    months: Vec<u32>,
    years: Vec<u32>,
}

/// Days, by the month or by the week.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MonthDay {
    Is(u32),
    /// `L`.
    Last,
    /// `15W`: the working day of the month that is nearest to the day.
    WorkingDayNear(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WeekDay {
    Is(u32),
    /// `6L`: the last Friday.
    LastOfMonth(u32),
    /// `3#2`: the second Tuesday.
    NthOfMonth(u32, u32),
}

/// A field's name, bounds and words.
struct Field {
    what: &'static str,
    bounds: RangeInclusive<u32>,
    words: &'static [&'static str],
}

impl Field {
    fn number(&self, text: &str) -> Result<u32, String> {
        let upper = text.to_ascii_uppercase();
        let word = self.words.iter().position(|word| *word == upper);
        let number = match word {
            Some(at) => u32::try_from(at).unwrap_or_default() + self.bounds.start(),
            None => digits(text).ok_or_else(|| self.wrong(text))?,
        };
        match self.bounds.contains(&number) {
            true => Ok(number),
            false => Err(self.wrong(text)),
        }
    }

    fn wrong(&self, text: &str) -> String {
        let (what, low, high) = (self.what, self.bounds.start(), self.bounds.end());
        format!("{what}: {text:?} is not one of {low} to {high}")
    }

    /// `*`, `5`, `1-5`, `0/15`, `10-40/10`.
    fn part(&self, text: &str) -> Result<impl Iterator<Item = u32> + use<>, String> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                let step = digits(step).filter(|step| *step > 0);
                let told = || format!("{}: {text:?} has no step of 1 or more", self.what);
                (range, Some(step.ok_or_else(told)?))
            }
            None => (text, None),
        };
        let (low, high) = match (range, range.split_once('-')) {
            ("*", _) => (*self.bounds.start(), *self.bounds.end()),
            (_, Some((low, high))) => (self.number(low)?, self.number(high)?),
            (one, None) => {
                let low = self.number(one)?;
                // 5/15 goes on to the end.
                (low, step.map_or(low, |_| *self.bounds.end()))
            }
        };
        if low > high {
            return Err(format!("{}: {text:?} ends before it begins", self.what));
        }
        Ok((low..=high).step_by(step.unwrap_or(1) as usize))
    }

    fn list(&self, text: &str) -> Result<Vec<u32>, String> {
        let mut all = Vec::new();
        for part in text.split(',') {
            all.extend(self.part(part)?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}

/// Digits alone: no sign, and no more than a number of four.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

impl Cron {
    /// From what stands between the parentheses.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday, year] = fields[..] else {
            let n = fields.len();
            return Err(format!(
                "it has {n} fields and not 6 (minute hour day month weekday year)"
            ));
        };
        let plain = |what, bounds| Field {
            what,
            bounds,
            words: &[],
        };
        let days = match (day, weekday) {
            ("?", "?") => return Err("day and weekday are both ?; say one of them".into()),
            (day, "?") => Days::OfMonth(month_days(day)?),
            ("?", weekday) => Days::OfWeek(week_days(weekday)?),
            _ => {
                return Err("day and weekday can't both be said; write ? for one of them".into());
            }
        };
        Ok(Self {
            minutes: plain("minute", 0..=59).list(minute)?,
            hours: plain("hour", 0..=23).list(hour)?,
            days,
            months: Field {
                what: "month",
                bounds: 1..=12,
                words: &MONTHS,
            }
            .list(month)?,
            years: plain("year", YEARS).list(year)?,
        })
    }

    /// Whether a day is one of its days.
    pub(crate) fn has_day(&self, day: NaiveDate) -> bool {
        let year = u32::try_from(day.year()).unwrap_or_default();
        if self.years.binary_search(&year).is_err()
            || self.months.binary_search(&day.month()).is_err()
        {
            return false;
        }
        match &self.days {
            Days::OfMonth(days) => days.iter().any(|one| one.is(day)),
            Days::OfWeek(days) => days.iter().any(|one| one.is(day)),
        }
    }

    /// The last year in which it has days.
    pub(crate) fn last_year(&self) -> i32 {
        let last = self.years.last().copied().unwrap_or_default();
        i32::try_from(last).unwrap_or_default()
    }

    /// Its times of a day, in order: hours and minutes.
    pub(crate) fn times(&self) -> impl Iterator<Item = (u32, u32)> {
        let minutes = || self.minutes.iter().copied();
        self.hours
            .iter()
            .flat_map(move |hour| minutes().map(|minute| (*hour, minute)))
    }
}

fn month_days(text: &str) -> Result<Vec<MonthDay>, String> {
    let field = Field {
        what: "day",
        bounds: 1..=31,
        words: &[],
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let upper = part.to_ascii_uppercase();
        match upper.strip_suffix('W') {
            Some(near) => days.push(MonthDay::WorkingDayNear(field.number(near)?)),
            None if upper == "L" => days.push(MonthDay::Last),
            None => days.extend(field.part(part)?.map(MonthDay::Is)),
        }
    }
    Ok(days)
}

fn week_days(text: &str) -> Result<Vec<WeekDay>, String> {
    let field = Field {
        what: "weekday",
        bounds: 1..=7,
        words: &WEEKDAYS,
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let upper = part.to_ascii_uppercase();
        if let Some((weekday, nth)) = part.split_once('#') {
            let nth = digits(nth).filter(|nth| (1..=5).contains(nth));
            let told = || format!("weekday: {part:?} has no number from 1 to 5 after #");
            days.push(WeekDay::NthOfMonth(
                field.number(weekday)?,
                nth.ok_or_else(told)?,
            ));
        } else if upper == "L" {
            days.push(WeekDay::Is(7));
        } else if let Some(weekday) = upper.strip_suffix('L') {
            days.push(WeekDay::LastOfMonth(field.number(weekday)?));
        } else {
            days.extend(field.part(part)?.map(WeekDay::Is));
        }
    }
    Ok(days)
}

impl MonthDay {
    fn is(self, day: NaiveDate) -> bool {
        match self {
            Self::Is(n) => day.day() == n,
            Self::Last => day.day() == last_of_month(day),
            Self::WorkingDayNear(n) => working_day_near(n, day) == Some(day.day()),
        }
    }
}

impl WeekDay {
    fn is(self, day: NaiveDate) -> bool {
        let weekday = day.weekday().number_from_sunday();
        match self {
            Self::Is(n) => weekday == n,
            Self::LastOfMonth(n) => weekday == n && day.day() + 7 > last_of_month(day),
            Self::NthOfMonth(n, nth) => weekday == n && day.day().div_ceil(7) == nth,
        }
    }
}

fn last_of_month(day: NaiveDate) -> u32 {
    (28..=31)
        .rev()
        .find(|n| day.with_day(*n).is_some())
        .unwrap_or(28)
}

/// The day of the month of the working day that is nearest to day `n` of the month of `day`, within that month.
fn working_day_near(n: u32, day: NaiveDate) -> Option<u32> {
    let last = last_of_month(day);
    let wanted = day.with_day(n)?;
    Some(match wanted.weekday().number_from_sunday() {
        7 if n == 1 => 3,
        7 => n - 1,
        1 if n == last => n - 2,
        1 => n + 1,
        _ => n,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn days(text: &str, month: u32) -> Vec<u32> {
        let cron = Cron::parse(text).unwrap();
        let first = NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
        let days = first.iter_days().take_while(|day| day.month() == month);
        days.filter(|day| cron.has_day(*day))
            .map(|day| day.day())
            .collect()
    }

    /// November 2026 begins with a Sunday, August with a Saturday.
    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days("0 0 L * ? *", 11), [30]);
        assert_eq!(days("0 0 L * ? *", 2), [28]);
        assert_eq!(days("0 0 1,15-17,29/2 * ? *", 10), [1, 15, 16, 17, 29, 31]);
        assert_eq!(days("0 0 ? * MON-WED *", 11)[..4], [2, 3, 4, 9]);
        assert_eq!(days("0 0 ? * 1 *", 11), [1, 8, 15, 22, 29]);
        assert_eq!(days("0 0 ? * L *", 11), [7, 14, 21, 28]);
        assert_eq!(days("0 0 ? * 6L *", 11), [27]);
        assert_eq!(days("0 0 ? * tue#2,FRI#5 *", 10), [13, 30]);
        // The 1st of November is a Sunday, that of August a Saturday, the 31st of May a Sunday.
        assert_eq!(days("0 0 1W * ? *", 11), [2]);
        assert_eq!(days("0 0 1W * ? *", 8), [3]);
        assert_eq!(days("0 0 31W * ? *", 5), [29]);
        assert_eq!(days("0 0 31W * ? *", 11), [0u32; 0]);
        assert_eq!(days("0 0 * DEC ? 2027", 12), [0u32; 0]);
        assert_eq!(days("0 0 30 jan-mar ? 2026", 2), [0u32; 0]);
    }

    #[test]
    fn times_are_in_order_and_once() {
        let cron = Cron::parse("0/30,15,15 22,1-2 * * ? *").unwrap();
        let times: Vec<_> = cron.times().collect();
        let minutes = [0, 15, 30];
        let expected: Vec<_> = [1, 2, 22]
            .into_iter()
            .flat_map(|hour| minutes.map(|minute| (hour, minute)))
            .collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn what_is_no_expression_is_told_with_its_field() {
        for (text, told) in [
            ("0 2 * * *", "5 fields and not 6"),
            ("60 2 * * ? *", "minute: \"60\" is not one of 0 to 59"),
            ("0 24 * * ? *", "hour: \"24\""),
            ("0 2 0 * ? *", "day: \"0\""),
            ("0 2 * 13 ? *", "month: \"13\""),
            ("0 2 * FOO ? *", "month: \"FOO\""),
            ("0 2 ? * 0 *", "weekday: \"0\""),
            ("0 2 ? * MON#6 *", "from 1 to 5 after #"),
            ("0 2 * * ? 1969", "year: \"1969\""),
            ("0 2 * * * *", "can't both be said"),
            ("0 2 ? * ? *", "both ?"),
            ("*/0 2 * * ? *", "no step"),
            ("5-1 2 * * ? *", "ends before it begins"),
            ("+5 2 * * ? *", "minute: \"+5\""),
            (", 2 * * ? *", "minute: \"\""),
            ("0 2 LW * ? *", "day: \"L\""),
        ] {
            let error = Cron::parse(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
