//! Windows in which nothing starts.

use crate::CalendarError;
use crate::timetable::local_time;
use crate::zone::Zone;
use chrono::{Datelike as _, NaiveTime, Timelike as _};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MIN: u32 = 24 * 60;

/// Windows in which nothing starts, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blackouts {
    zone: Zone,
    windows: Vec<(String, Window)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Window {
    /// On these days of the week (Monday is 0), from a minute of the day for so many minutes: it may last into the next day.
    Weekly {
        days: [bool; 7],
        from_min: u32,
        for_min: u32,
    },
    /// From and until, Unix ms.
    Once(i64, i64),
}

impl Blackouts {
    /// From windows as written, such as `mon-fri 09:00-18:00` or `2026-12-20T00:00:00/2027-01-04T00:00:00`.
    ///
    /// # Errors
    /// [`CalendarError`] for the first that is none.
    pub fn new(windows: &[String], zone_name: &str) -> Result<Self, CalendarError> {
        let zone = Zone::named(zone_name)?;
        let parsed = windows.iter().map(|text| {
            let window = window(text.trim(), &zone).map_err(|problem| CalendarError::Blackout {
                text: text.clone(),
                problem,
            })?;
            Ok((text.clone(), window))
        });
        let windows = parsed.collect::<Result<_, _>>()?;
        Ok(Self { zone, windows })
    }

    /// The window that a time lies in, as written. A window holds its beginning and not its end.
    pub fn at(&self, ms: i64) -> Option<&str> {
        let found = self.windows.iter().find(|(_, window)| match window {
            Window::Once(from, until) => (*from..*until).contains(&ms),
            Window::Weekly {
                days,
                from_min,
                for_min,
            } => self.zone.local(ms).is_some_and(|now| {
                let today = now.weekday().num_days_from_monday() as usize;
                let minute = now.hour() * 60 + now.minute();
                let within = |minute: u32| (*from_min..from_min + for_min).contains(&minute);
                days[today] && within(minute) || days[(today + 6) % 7] && within(minute + DAY_MIN)
            }),
        });
        found.map(|(text, _)| text.as_str())
    }
}

fn window(text: &str, zone: &Zone) -> Result<Window, String> {
    if let Some((from, until)) = text.split_once('/') {
        let at = |text: &str| {
            let shown = local_time(text)?;
            zone.instant(shown)
                .ok_or_else(|| format!("clocks in {zone} never show {text}"))
        };
        let (from, until) = (at(from)?, at(until)?);
        return match from < until {
            true => Ok(Window::Once(from, until)),
            false => Err("it ends before it begins".into()),
        };
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [days, times] = words[..] else {
        return Err("it has neither days and times nor two times".into());
    };
    let (from, until) = times
        .split_once('-')
        .ok_or_else(|| format!("{times:?} is not two times such as 09:00-18:00"))?;
    let (from_min, until_min) = (minute(from)?, minute(until)?);
    if from_min == until_min {
        return Err("it begins when it ends; a whole day is 00:00-24:00".into());
    }
    if from_min == DAY_MIN {
        return Err("a window can't begin at 24:00; write 00:00".into());
    }
    Ok(Window::Weekly {
        days: week(days)?,
        from_min,
        for_min: match from_min < until_min {
            true => until_min - from_min,
            false => until_min + DAY_MIN - from_min,
        },
    })
}

fn minute(text: &str) -> Result<u32, String> {
    if text == "24:00" {
        return Ok(DAY_MIN);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M");
    let time = time.map_err(|_| format!("{text:?} is not a time such as 09:00"))?;
    Ok(time.hour() * 60 + time.minute())
}

fn week(text: &str) -> Result<[bool; 7], String> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let place = |day: &str| {
        let found = WEEKDAYS.iter().position(|name| *name == day);
        found.ok_or_else(|| format!("{day:?} is not a day: daily, or {}", WEEKDAYS.join(", ")))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        // sat-mon goes over Sunday.
        let long = (last + 7 - first) % 7;
        for day in first..=first + long {
            days[day % 7] = true;
        }
    }
    Ok(days)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn in_berlin(window: &str) -> Blackouts {
        Blackouts::new(&[window.to_owned()], "Europe/Berlin").unwrap()
    }

    #[test]
    fn a_window_is_of_its_zone_and_may_last_over_midnight() {
        // 2026-11-30 is a Monday; Berlin is an hour ahead.
        let office = in_berlin("mon-fri 09:00-18:00");
        assert_eq!(office.at(ms("2026-11-30T07:59:59Z")), None);
        assert_eq!(
            office.at(ms("2026-11-30T08:00:00Z")),
            Some("mon-fri 09:00-18:00")
        );
        assert_eq!(office.at(ms("2026-11-30T17:00:00Z")), None);
        assert_eq!(office.at(ms("2026-11-29T12:00:00Z")), None);
        let night = in_berlin("sat,sun 22:00-02:00");
        assert!(night.at(ms("2026-11-28T21:30:00Z")).is_some());
        assert!(night.at(ms("2026-11-30T00:59:00Z")).is_some(), "of Sunday");
        assert!(night.at(ms("2026-11-30T01:00:00Z")).is_none());
        assert!(night.at(ms("2026-11-30T22:00:00Z")).is_none());
        let weekend = in_berlin("sat-sun 00:00-24:00");
        assert!(weekend.at(ms("2026-11-28T00:00:00Z")).is_some());
        assert!(weekend.at(ms("2026-11-29T22:59:59Z")).is_some());
        assert!(weekend.at(ms("2026-11-29T23:00:00Z")).is_none());
        let over = in_berlin("sun-mon 12:00-13:00");
        assert!(over.at(ms("2026-11-29T11:30:00Z")).is_some());
        assert!(over.at(ms("2026-12-01T11:30:00Z")).is_none());
        let holidays = in_berlin("2026-12-20T00:00:00/2027-01-04T00:00:00");
        assert!(holidays.at(ms("2026-12-19T22:59:59Z")).is_none());
        assert!(holidays.at(ms("2026-12-19T23:00:00Z")).is_some());
        assert!(holidays.at(ms("2027-01-03T23:00:00Z")).is_none());
    }

    #[test]
    fn what_is_no_window_is_told() {
        for (text, told) in [
            ("", "neither"),
            ("monday 09:00-18:00", "\"monday\" is not a day"),
            ("mon 9-18", "is not a time"),
            ("mon 09:00", "is not two times"),
            ("mon 09:00-09:00", "begins when it ends"),
            ("mon 24:00-01:00", "can't begin at 24:00"),
            ("mon 25:00-26:00", "is not a time"),
            ("2026-12-20T00:00:00/2026-12-19T00:00:00", "ends before"),
            ("2026-12-20/2026-12-21", "is not a time"),
        ] {
            let error = Blackouts::new(&[text.to_owned()], "UTC").unwrap_err();
            assert!(error.to_string().contains(told), "{text}: {error}");
        }
    }
}
