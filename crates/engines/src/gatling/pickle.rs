//! Assertions as logs hold them: BooPickle's compact form
//! (<https://github.com/suzaku-io/boopickle/blob/master/doc/ByteFormat.md>; the order of the types stands in Gatling's
//! `AssertionPicklers`). Text logs hold it in Base64, binary ones as it is.

use super::assertion::{Assertion, Condition, Path, Requests, Stat, Target};

/// The most values of a list; what claims more is not an assertion.
const MOST: i32 = 1_000;

/// Reads one assertion. `None` if it is not one that this build knows.
pub fn assertion(bytes: &[u8]) -> Option<Assertion> {
    let mut input = Input(bytes);
    input.object()?;
    let assertion = Assertion {
        path: input.path()?,
        target: input.target()?,
        condition: input.condition()?,
    };
    input.0.is_empty().then_some(assertion)
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// One to five bytes: the first says how many follow, the sign, and up to four bits.
    fn int(&mut self) -> Option<i32> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(i32::from(first));
        }
        let more = match first >> 4 {
            0x8 | 0x9 => 1,
            0xa | 0xb => 2,
            0xc | 0xd => 3,
            0xe if first == 0xe0 => {
                return Some(i32::from_le_bytes(self.take(4)?.try_into().ok()?));
            }
            _ => return None,
        };
        let high = i32::from(first & 0x0f);
        let value = self
            .take(more)?
            .iter()
            .fold(high, |v, &b| v << 8 | i32::from(b));
        Some(if first & 0x10 == 0 { value } else { -value })
    }

    /// BooPickle writes little-endian.
    fn double(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.int()?;
        if !(0..=MOST).contains(&length) {
            return None;
        }
        (0..length).map(|_| each(self)).collect()
    }
}

impl Input<'_> {
    /// What stands before a case class's values; anything but 0 refers to one that came before, of which there is none here.
    fn object(&mut self) -> Option<()> {
        (self.int()? == 0).then_some(())
    }

    /// A length in UTF-16 units, and each in one to three bytes of BooPickle's own. A negative length refers to an earlier string.
    fn string(&mut self, known: &mut Vec<String>) -> Option<String> {
        let length = self.int()?;
        if length < 0 {
            // References count from 2 (`PickleState.immutableIdx`).
            return known
                .get(usize::try_from(-i64::from(length) - 2).ok()?)
                .cloned();
        }
        if length as usize > self.0.len() {
            return None;
        }
        let mut units = Vec::with_capacity(length as usize);
        for _ in 0..length {
            let first = self.byte()?;
            units.push(match first {
                0..0x80 => u16::from(first),
                0x80..0xc0 => u16::from(first & 0x3f) | u16::from(self.byte()?) << 6,
                _ => {
                    let (middle, high) = (self.byte()?, self.byte()?);
                    u16::from(first & 0x3f) | u16::from(middle) << 6 | u16::from(high) << 14
                }
            });
        }
        let text = String::from_utf16(&units).ok()?;
        if length > 0 {
            known.push(text.clone());
        }
        Some(text)
    }

    fn path(&mut self) -> Option<Path> {
        Some(match self.int()? {
            1 => Path::Global,
            2 => Path::ForAll,
            3 => {
                self.object()?;
                let mut known = Vec::new();
                Path::Details(self.list(|input| input.string(&mut known))?)
            }
            _ => return None,
        })
    }

    fn requests(&mut self) -> Option<Requests> {
        Some(match self.int()? {
            1 => Requests::All,
            2 => Requests::Successful,
            3 => Requests::Failed,
            _ => return None,
        })
    }

    fn target(&mut self) -> Option<Target> {
        let kind = self.int()?;
        if kind == 4 {
            return Some(Target::MeanRequestsPerSecond);
        }
        self.object()?;
        Some(match kind {
            1 => Target::Count(self.requests()?),
            2 => Target::Percent(self.requests()?),
            3 if self.int()? == 1 => Target::Time(self.stat()?),
            _ => return None,
        })
    }

    fn stat(&mut self) -> Option<Stat> {
        Some(match self.int()? {
            1 => Stat::Min,
            2 => Stat::Max,
            3 => Stat::Mean,
            4 => Stat::StandardDeviation,
            5 => {
                self.object()?;
                Stat::Percentile(self.double()?)
            }
            _ => return None,
        })
    }

    fn condition(&mut self) -> Option<Condition> {
        let kind = self.int()?;
        self.object()?;
        Some(match kind {
            1 => Condition::Lte(self.double()?),
            2 => Condition::Gte(self.double()?),
            3 => Condition::Lt(self.double()?),
            4 => Condition::Gt(self.double()?),
            5 => Condition::Is(self.double()?),
            6 => Condition::Between {
                low: self.double()?,
                high: self.double()?,
                inclusive: self.byte()? != 0,
            },
            7 => Condition::In(self.list(Self::double)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// Lines of the recorded text log.
    #[test]
    fn recorded_assertions_are_read() {
        let read = |text: &str| assertion(&STANDARD.decode(text.as_bytes()).unwrap()).unwrap();
        let last = read("AAMAAgRzaG9wBnNlYXJjaAIAAwEAAAAAAAAA+D8=");
        assert_eq!(
            last.path,
            Path::Details(vec!["shop".into(), "search".into()])
        );
        assert_eq!(last.target, Target::Percent(Requests::Failed));
        assert_eq!(last.condition, Condition::Lte(1.5));
        let between = read("AAEEBgAAAAAAAADwPwAAAAAAQI9AAQ==");
        assert_eq!(between.target, Target::MeanRequestsPerSecond);
        assert_eq!(
            between.condition,
            Condition::Between {
                low: 1.0,
                high: 1000.0,
                inclusive: true
            }
        );
    }

    /// BooPickle's own encoding of characters, and its reference to a string that was there before.
    #[test]
    fn names_beyond_ascii_and_repeated_ones_are_read() {
        // Object, Details, object, 3 parts: "é€" (U+00E9, U+20AC), "a", the first again (-2), then requests a second === 1.
        let mut bytes = vec![
            0,
            3,
            0,
            3,
            2,
            0x80 | 0x29,
            0x03,
            0x80 | 0x2c,
            0x82,
            1,
            b'a',
            0x90,
            2,
        ];
        bytes.extend_from_slice(&[4, 5, 0]);
        bytes.extend_from_slice(&1.0f64.to_le_bytes());
        let found = assertion(&bytes).unwrap();
        assert_eq!(
            found.path,
            Path::Details(vec!["é€".into(), "a".into(), "é€".into()])
        );
        assert_eq!(assertion(&bytes[..bytes.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_assertion_or_not(bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..60)) {
            let _ = assertion(&bytes);
        }
    }
}
