//! Times as k6 writes them.

use crate::calendar::days_since_1970;

/// Reads RFC 3339 times (`2026-11-22T06:26:44.438038069Z`, or with an offset), of which many in a row have the same second.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Date and time to the second of the latest, and what they are in seconds since 1970 before the offset.
    latest: [u8; SECOND],
    seconds: i64,
}

/// Bytes of `2026-11-22T06:26:44`.
const SECOND: usize = 19;

impl Clock {
    /// Unix µs; what k6 says beyond µs is cut off.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<i64> {
        let (second, rest) = text.split_at_checked(SECOND)?;
        if second != self.latest {
            self.seconds = seconds(second)?;
            self.latest.copy_from_slice(second);
        }
        let (micros, zone) = match rest.strip_prefix(b".") {
            Some(fraction) => micros(fraction)?,
            None => (0, rest),
        };
        let offset = if zone == b"Z" { 0 } else { offset(zone)? };
        Some((self.seconds - offset) * 1_000_000 + micros)
    }
}

#[inline]
fn micros(fraction: &[u8]) -> Option<(i64, &[u8])> {
    let digits = fraction
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 {
        return None;
    }
    let kept = digits.min(6);
    let micros = fraction[..kept]
        .iter()
        .fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    let micros = micros * 10_i64.pow(6 - kept as u32);
    Some((micros, &fraction[digits..]))
}

/// `+01:00` in seconds.
fn offset(zone: &[u8]) -> Option<i64> {
    let &[sign, h1, h2, b':', m1, m2] = zone else {
        return None;
    };
    let seconds = two(&[h1, h2])? * 3_600 + two(&[m1, m2])? * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn two(digits: &[u8]) -> Option<i64> {
    let &[tens, ones] = digits else {
        return None;
    };
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// `2026-11-22T06:26:44` as seconds since 1970, taken as UTC.
fn seconds(text: &[u8]) -> Option<i64> {
    let &[
        c1,
        c2,
        y1,
        y2,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
    ] = text
    else {
        return None;
    };
    let year = two(&[c1, c2])? * 100 + two(&[y1, y2])?;
    let (month, day) = (two(&[m1, m2])?, two(&[d1, d2])?);
    let (hour, minute, second) = (two(&[h1, h2])?, two(&[i1, i2])?, two(&[s1, s2])?);
    (hour < 24 && minute < 60 && second <= 60).then_some(())?;
    let days = days_since_1970(year, month, day)?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// A time in the CSV output: `K6_CSV_TIME_FORMAT` is one of unix, unix_milli, unix_micro, unix_nano, rfc3339, rfc3339_nano. Numbers
/// are told apart by their length, which is unambiguous from 2001 to 2286. The unit of a number is given in µs (0: below).
pub(super) fn of_csv(text: &[u8], clock: &mut Clock) -> Option<(i64, i64)> {
    if text.get(4) == Some(&b'-') {
        let unit = if text.contains(&b'.') { 0 } else { 1_000_000 };
        return Some((clock.read(text)?, unit));
    }
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    match text.len() {
        ..=11 => Some((number.checked_mul(1_000_000)?, 1_000_000)),
        12..=14 => Some((number.checked_mul(1_000)?, 1_000)),
        15..=17 => Some((number, 1)),
        _ => Some((number / 1_000, 0)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    fn read(text: &str) -> Option<i64> {
        Clock::default().read(text.as_bytes())
    }

    #[test]
    fn known_times() {
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            read("2026-11-22T06:26:44.438038069Z"),
            Some(1_795_328_804_438_038)
        );
        assert_eq!(
            read("2026-11-22T07:26:44.4+01:00"),
            Some(1_795_328_804_400_000)
        );
        assert_eq!(
            read("2026-11-21T22:56:44-07:30"),
            Some(1_795_328_804_000_000)
        );
        assert_eq!(read("2000-02-29T00:00:00Z"), Some(951_782_400_000_000));
        for wrong in [
            "",
            "2026-11-22",
            "2026-11-22T06:26:44",
            "2026-13-22T06:26:44Z",
            "2026-02-29T06:26:44Z",
            "2026-11-22T06:26:44.Z",
            "2026-11-22T06:26:44Zx",
            "2026-11-22 06:26:44Z",
            "2026-11-22T06:26:44+0100",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_units_of_a_csv_are_told_by_their_length() {
        let at = |text: &str| of_csv(text.as_bytes(), &mut Clock::default()).unwrap();
        assert_eq!(at("1795328804"), (1_795_328_804_000_000, 1_000_000));
        assert_eq!(at("1795328804438"), (1_795_328_804_438_000, 1_000));
        assert_eq!(at("1795328804438038"), (1_795_328_804_438_038, 1));
        assert_eq!(at("1795328804438038069"), (1_795_328_804_438_038, 0));
        assert_eq!(
            at("2026-11-22T06:26:44Z"),
            (1_795_328_804_000_000, 1_000_000)
        );
        assert_eq!(of_csv(b"soon", &mut Clock::default()), None);
        assert_eq!(of_csv(b"99999999999999999999", &mut Clock::default()), None);
    }

    proptest! {
        /// What is remembered of one time does not change the next.
        #[test]
        fn a_clock_with_a_memory_reads_the_same(times in prop::collection::vec((0i64..4_000_000_000, 0u32..1_000_000), 1..20)) {
            let mut clock = Clock::default();
            for (second, micro) in times {
                let time = DateTime::from_timestamp(second, micro * 1_000).unwrap();
                let text = time.to_rfc3339_opts(SecondsFormat::Micros, true);
                prop_assert_eq!(clock.read(text.as_bytes()), Some(second * 1_000_000 + i64::from(micro)), "{}", text);
            }
        }
    }
}
