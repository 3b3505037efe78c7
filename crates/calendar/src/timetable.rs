//! When a schedule is due.

use crate::CalendarError;
use crate::cron::Cron;
use crate::zone::Zone;
use chrono::{Datelike as _, NaiveDateTime};

const MINUTE_MS: i64 = 60_000;
/// Rates of a longer time are a mistake.
const MOST_RATE: i64 = 999_999;

/// When a schedule is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    when: When,
    zone: Zone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    Cron(Cron),
    /// Again and again after so many ms, counted from a time.
    Rate {
        every_ms: i64,
        from_ms: i64,
    },
    At(i64),
}

/// The last time that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Unix ms.
    pub at_ms: i64,
    /// How many times before it were due, too, and have passed.
    pub missed: u64,
}

impl Timetable {
    /// From an expression and the name of a time zone; rates are counted from `from_ms`.
    ///
    /// # Errors
    /// [`CalendarError`].
    pub fn new(expression: &str, zone_name: &str, from_ms: i64) -> Result<Self, CalendarError> {
        let zone = Zone::named(zone_name)?;
        let wrong = |problem: String| CalendarError::Expression {
            text: expression.to_owned(),
            problem,
        };
        let inner = expression.trim().strip_suffix(')');
        let (kind, inner) = inner
            .and_then(|text| text.split_once('('))
            .ok_or_else(|| wrong("it is none of these".into()))?;
        let when = match kind {
            "cron" => When::Cron(Cron::parse(inner).map_err(wrong)?),
            "rate" => When::Rate {
                every_ms: rate(inner).map_err(wrong)?,
                from_ms,
            },
            "at" => When::At(at(inner, &zone).map_err(wrong)?),
            _ => return Err(wrong(format!("{kind:?} is none of cron, rate and at"))),
        };
        let table = Self { when, zone };
        match table.next_after(i64::MIN / 2) {
            Some(_) => Ok(table),
            None => Err(wrong("it is never due".into())),
        }
    }

    /// The first time after `ms` at which it is due; `None`: never again.
    pub fn next_after(&self, ms: i64) -> Option<i64> {
        match &self.when {
            When::At(at) => Some(*at).filter(|at| *at > ms),
            When::Rate { every_ms, from_ms } => {
                // The first is one step after the beginning.
                let steps = ms.saturating_sub(*from_ms).div_euclid(*every_ms).max(0) + 1;
                from_ms.checked_add(steps.checked_mul(*every_ms)?)
            }
            When::Cron(cron) => self.next_of(cron, ms),
        }
    }

    /// The last time in (`after_ms`, `until_ms`] at which it was due: who was away does not make up for each. Meant for hours, since it counts
    /// what was missed.
    pub fn latest(&self, after_ms: i64, until_ms: i64) -> Option<Due> {
        if let When::Rate { every_ms, from_ms } = &self.when {
            let step = |ms: i64| ms.saturating_sub(*from_ms).div_euclid(*every_ms).max(0);
            let (before, last) = (step(after_ms), step(until_ms));
            let missed = last.checked_sub(before)?.checked_sub(1)?;
            return Some(Due {
                at_ms: from_ms + last * every_ms,
                missed: u64::try_from(missed).ok()?,
            });
        }
        let mut due: Option<Due> = None;
        let mut from = after_ms;
        while let Some(at_ms) = self.next_after(from).filter(|at| *at <= until_ms) {
            due = Some(Due {
                at_ms,
                missed: due.map_or(0, |due| due.missed + 1),
            });
            from = at_ms;
        }
        due
    }

    fn next_of(&self, cron: &Cron, ms: i64) -> Option<i64> {
        let now = self.zone.local(ms.max(0))?;
        // A zone's clock may go back over midnight.
        let first = now.date().pred_opt().unwrap_or_else(|| now.date());
        let days = first
            .iter_days()
            .take_while(|day| day.year() <= cron.last_year());
        for day in days.filter(|day| cron.has_day(*day)) {
            let times = cron.times().filter_map(|(hour, minute)| {
                let at = self.zone.instant(day.and_hms_opt(hour, minute, 0)?)?;
                Some(at).filter(|at| *at > ms)
            });
            if let Some(at) = { times }.next() {
                return Some(at);
            }
        }
        None
    }
}

/// `5 minutes`, `1 hour`, `7 days`, in ms.
fn rate(text: &str) -> Result<i64, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [value, unit] = words[..] else {
        return Err("a rate has a value and a unit".into());
    };
    let value: i64 = match value.bytes().all(|b| b.is_ascii_digit()) {
        true => value.parse().unwrap_or_default(),
        false => 0,
    };
    if !(1..=MOST_RATE).contains(&value) {
        return Err(format!("the value of a rate is from 1 to {MOST_RATE}"));
    }
    let minutes = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return Err(format!("{unit:?} is none of minutes, hours and days")),
    };
    Ok(value * minutes * MINUTE_MS)
}

fn at(text: &str, zone: &Zone) -> Result<i64, String> {
    let local = local_time(text)?;
    zone.instant(local)
        .ok_or_else(|| format!("clocks in {zone} never show {text}: they are put forward over it"))
}

/// `2026-12-24T18:00:00`.
pub(crate) fn local_time(text: &str) -> Result<NaiveDateTime, String> {
    NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%M:%S")
        .map_err(|_| format!("{text:?} is not a time such as 2026-12-24T18:00:00"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::{DateTime, Timelike as _};
    use proptest::prelude::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn table(expression: &str, zone: &str) -> Timetable {
        Timetable::new(expression, zone, ms("2026-01-01T00:00:30Z")).unwrap()
    }

    fn shown(at: Option<i64>) -> String {
        let time = at.and_then(DateTime::from_timestamp_millis);
        time.map_or("never".into(), |time| time.format("%FT%TZ").to_string())
    }

    fn after(table: &Timetable, from: &str, n: usize) -> Vec<String> {
        let mut at = ms(from);
        let mut all = Vec::new();
        for _ in 0..n {
            let next = table.next_after(at);
            all.push(shown(next));
            at = next.unwrap_or(i64::MAX);
        }
        all
    }

    #[test]
    fn nights_are_those_of_the_zone() {
        let nightly = table("cron(0 2 * * ? *)", "Europe/Berlin");
        assert_eq!(
            after(&nightly, "2026-07-01T12:00:00Z", 2),
            ["2026-07-02T00:00:00Z", "2026-07-03T00:00:00Z"]
        );
        assert_eq!(
            after(&nightly, "2026-12-01T01:00:00Z", 1),
            ["2026-12-02T01:00:00Z"]
        );
        let once = table("at(2026-12-24T18:00:00)", "America/New_York");
        assert_eq!(
            after(&once, "2026-01-01T00:00:00Z", 2),
            ["2026-12-24T23:00:00Z", "never"]
        );
        let rate = table("rate(6 hours)", "UTC");
        assert_eq!(
            after(&rate, "2026-01-01T00:00:30Z", 2),
            ["2026-01-01T06:00:30Z", "2026-01-01T12:00:30Z"]
        );
        assert_eq!(
            after(&rate, "2025-01-01T00:00:00Z", 1),
            ["2026-01-01T06:00:30Z"]
        );
        let leap = table("cron(0 0 29 FEB ? *)", "UTC");
        assert_eq!(
            after(&leap, "2026-01-01T00:00:00Z", 1),
            ["2028-02-29T00:00:00Z"]
        );
        let ended = table("cron(0 0 1 1 ? 2026)", "UTC");
        assert_eq!(after(&ended, "2026-01-01T00:00:00Z", 1), ["never"]);
    }

    /// Berlin, 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
    #[test]
    fn what_a_clock_leaves_out_is_left_out_and_what_it_shows_twice_is_taken_once() {
        let at_half_past_two = table("cron(30 2 * * ? *)", "Europe/Berlin");
        assert_eq!(
            after(&at_half_past_two, "2026-03-28T00:00:00Z", 2),
            ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            after(&at_half_past_two, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        let error = Timetable::new("at(2026-03-29T02:30:00)", "Europe/Berlin", 0).unwrap_err();
        assert!(error.to_string().contains("put forward"), "{error}");
        let twice = table("at(2026-10-25T02:30:00)", "Europe/Berlin");
        assert_eq!(
            after(&twice, "2026-10-01T00:00:00Z", 1),
            ["2026-10-25T00:30:00Z"]
        );
        // Days are days of the zone: half an hour of it, or none of the 30th of December 2011 in Samoa.
        let half = table("cron(0 0 * * ? *)", "Asia/Kolkata");
        assert_eq!(
            after(&half, "2026-01-01T00:00:00Z", 1),
            ["2026-01-01T18:30:00Z"]
        );
        let samoa = table("cron(0 12 30 DEC ? *)", "Pacific/Apia");
        assert_eq!(
            after(&samoa, "2011-12-01T00:00:00Z", 1),
            ["2012-12-29T22:00:00Z"]
        );
    }

    #[test]
    fn whoever_was_away_has_one_time_due() {
        let minutely = table("cron(* * * * ? *)", "UTC");
        let (from, until) = (ms("2026-01-01T00:00:00Z"), ms("2026-01-01T03:00:10Z"));
        let due = minutely.latest(from, until).unwrap();
        assert_eq!(shown(Some(due.at_ms)), "2026-01-01T03:00:00Z");
        assert_eq!(due.missed, 179);
        assert_eq!(minutely.latest(due.at_ms, until), None);
        let rate = table("rate(1 minute)", "UTC");
        let due = rate.latest(from, until).unwrap();
        assert_eq!(shown(Some(due.at_ms)), "2026-01-01T02:59:30Z");
        assert_eq!(due.missed, 178);
        assert_eq!(rate.latest(due.at_ms, until), None);
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        for (text, zone, told) in [
            ("0 2 * * *", "UTC", "none of these"),
            ("cron(0 2 * * *)", "UTC", "5 fields"),
            ("every(5 minutes)", "UTC", "none of cron, rate and at"),
            ("rate(0 minutes)", "UTC", "from 1 to"),
            ("rate(-1 minutes)", "UTC", "from 1 to"),
            ("rate(5 weeks)", "UTC", "\"weeks\" is none of"),
            ("rate(5)", "UTC", "a value and a unit"),
            ("at(2026-13-01T00:00:00)", "UTC", "is not a time"),
            ("at(2026-12-24)", "UTC", "is not a time"),
            ("cron(0 0 30 2 ? *)", "UTC", "never due"),
            ("rate(5 minutes)", "Mars/Base", "is not a time zone"),
        ] {
            let error = Timetable::new(text, zone, 0).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    fn field(bounds: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = String> {
        let (low, high) = (*bounds.start(), *bounds.end());
        prop_oneof![
            Just("*".to_owned()),
            (low..=high).prop_map(|n| n.to_string()),
            (low..=high, 1..=high).prop_map(|(n, step)| format!("{n}/{step}")),
        ]
    }

    proptest! {
        /// Whatever the expression, the zone and the time: the next time is later, it is one of the expression's, and none of the minutes in
        /// between is, if clocks show it for the first time.
        #[test]
        fn the_next_time_is_the_first_one(
            minute in field(0..=59), hour in field(0..=23), weekday in prop_oneof![Just("*".to_owned()), (1u32..=7).prop_map(|n| n.to_string())],
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]),
            // Around both changes of the clock, of both hemispheres.
            from in prop_oneof![1_774_500_000_000i64..1_775_400_000_000, 1_792_600_000_000i64..1_793_800_000_000, 1_500_000_000_000i64..1_900_000_000_000],
        ) {
            let expression = format!("cron({minute} {hour} ? * {weekday} *)");
            let table = table(&expression, zone);
            let When::Cron(cron) = &table.when else { unreachable!() };
            let next = table.next_after(from).unwrap();
            prop_assert!(next > from && next % MINUTE_MS == 0);
            let is_due = |at: i64| {
                let shown = table.zone.local(at).unwrap();
                cron.has_day(shown.date())
                    && cron.times().any(|time| time == (shown.hour(), shown.minute()))
                    && table.zone.instant(shown) == Some(at)
            };
            prop_assert!(is_due(next));
            let minutes = (from.div_euclid(MINUTE_MS) + 1)..next.div_euclid(MINUTE_MS);
            for at in minutes.map(|m| m * MINUTE_MS).take(3_000) {
                prop_assert!(!is_due(at), "{} before {}", shown(Some(at)), shown(Some(next)));
            }
        }

        /// A text never makes it panic, and what is taken is due at some time.
        #[test]
        fn any_text_is_a_schedule_or_an_error(text in "(cron|rate|at)\\([0-9A-Z*?/,#\\-: ]{0,24}\\)", from in any::<i64>()) {
            if let Ok(table) = Timetable::new(&text, "Europe/Berlin", 0) {
                prop_assert!(table.next_after(from).is_none_or(|next| next > from));
            }
        }
    }
}
