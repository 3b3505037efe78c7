//! Time zones of the IANA database. The program carries it: a machine or a container may have none, and two must not differ.

use crate::CalendarError;
use chrono::{DateTime, Datelike as _, NaiveDateTime, Timelike as _};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::fmt;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// By its name, such as `Europe/Berlin`; capitals as there.
    pub(crate) fn named(name: &str) -> Result<Self, CalendarError> {
        let unknown = || CalendarError::Zone {
            name: name.to_owned(),
        };
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        match zone.iana_name() == Some(name) {
            true => Ok(Self(zone)),
            // EventBridge Scheduler knows no other capitals.
            false => Err(unknown()),
        }
    }

    /// The first instant at which clocks show a time, Unix ms; `None`: they never do.
    pub(crate) fn instant(&self, local: NaiveDateTime) -> Option<i64> {
        let narrow = |value: u32| i8::try_from(value).ok();
        let shown = civil::DateTime::new(
            i16::try_from(local.year()).ok()?,
            narrow(local.month())?,
            narrow(local.day())?,
            narrow(local.hour())?,
            narrow(local.minute())?,
            narrow(local.second())?,
            0,
        );
        let shown = shown.ok()?;
        let offset = match self.0.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { .. } => return None,
        };
        Some(offset.to_timestamp(shown).ok()?.as_millisecond())
    }

    /// What clocks show at an instant, Unix ms; `None` beyond the calendar.
    pub(crate) fn local(&self, ms: i64) -> Option<NaiveDateTime> {
        let at = Timestamp::from_millisecond(ms).ok()?;
        let offset = i64::from(self.0.to_offset(at).seconds());
        let shown = DateTime::from_timestamp_millis(ms.checked_add(offset * 1_000)?)?;
        Some(shown.naive_utc())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap()
    }

    #[test]
    fn zones_have_their_names_in_the_database() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "Asia/Kathmandu",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
        ] {
            assert_eq!(Zone::named(name).unwrap().to_string(), name);
        }
        for name in [
            "",
            "Europe/Nowhere",
            "europe/berlin",
            "CET+1",
            "../etc/passwd",
            "/etc/localtime",
            "local",
        ] {
            assert!(Zone::named(name).is_err(), "{name}");
        }
    }

    /// <https://en.wikipedia.org/wiki/List_of_tz_database_time_zones>; Lord Howe moves its clocks by half an hour, Samoa left out a day.
    #[test]
    fn clocks_show_what_they_show_there() {
        for (zone, local, ms) in [
            (
                "Asia/Kathmandu",
                "2026-01-01T05:45:00",
                Some(1_767_225_600_000),
            ),
            (
                "Australia/Lord_Howe",
                "2026-07-01T10:30:00",
                Some(1_782_864_000_000),
            ),
            ("Europe/Berlin", "2026-03-29T02:30:00", None),
            // The first of the two.
            (
                "Europe/Berlin",
                "2026-10-25T02:30:00",
                Some(1_792_888_200_000),
            ),
            ("Pacific/Apia", "2011-12-30T12:00:00", None),
        ] {
            let (zone, local) = (Zone::named(zone).unwrap(), at(local));
            assert_eq!(zone.instant(local), ms, "{zone} {local}");
            if let Some(ms) = ms {
                assert_eq!(zone.local(ms), Some(local), "{zone}");
            }
        }
    }

    /// Rules that go on for ever are those of the last known year.
    #[test]
    fn far_years_have_summers() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let noon = NaiveDate::from_ymd_opt(2150, 7, 1)
            .unwrap()
            .and_hms_opt(12, 0, 0)
            .unwrap();
        assert_eq!(
            berlin.instant(noon),
            Some(noon.and_utc().timestamp_millis() - 2 * 3_600_000)
        );
    }
}
