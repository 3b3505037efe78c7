//! What runs may cost a project, and what they have taken of it: money, and VU hours (VUs times the hours that they are planned for).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MICRO: f64 = 1e6;
const HOUR_S: f64 = 3_600.0;

/// Money and load. Whole numbers, so that sums are exact, whoever adds them up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Millionths of a US dollar.
    pub micro_usd: u64,
    /// VU seconds: one is one VU for a second.
    pub vu_s: u64,
}

impl Amount {
    /// From US dollars, rounded up to a millionth, and VU seconds. What is negative or no number is nothing.
    pub fn new(usd: f64, vu_s: u64) -> Self {
        Self {
            micro_usd: micro(usd),
            vu_s,
        }
    }

    /// US dollars.
    pub fn usd(self) -> f64 {
        self.micro_usd as f64 / MICRO
    }

    /// VU hours.
    pub fn vu_hours(self) -> f64 {
        self.vu_s as f64 / HOUR_S
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            micro_usd: self.micro_usd.saturating_add(other.micro_usd),
            vu_s: self.vu_s.saturating_add(other.vu_s),
        }
    }

    /// What is left of it, each at least nothing.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            micro_usd: self.micro_usd.saturating_sub(other.micro_usd),
            vu_s: self.vu_s.saturating_sub(other.vu_s),
        }
    }
}

/// Rounded up, but for what the arithmetic of dollars adds: 0.1 + 0.2 is 0.3.
fn micro(usd: f64) -> u64 {
    // Saturates; what is no number is 0.
    (usd * MICRO - 1e-6).ceil().max(0.0) as u64
}

/// The most that something may cost; `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// US dollars, at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// VU hours, at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vu_hours: Option<f64>,
}

impl Caps {
    /// Whether there is no limit.
    pub const fn is_open(&self) -> bool {
        self.usd.is_none() && self.vu_hours.is_none()
    }

    /// The tighter of the two, each for itself.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        let least = |a: Option<f64>, b: Option<f64>| [a, b].into_iter().flatten().reduce(f64::min);
        Self {
            usd: least(self.usd, other.usd),
            vu_hours: least(self.vu_hours, other.vu_hours),
        }
    }

    /// In whole numbers, rounded down.
    pub fn limit(self) -> Limit {
        let whole = |value: f64, unit: f64| (value * unit + 1e-6).floor().max(0.0) as u64;
        Limit {
            micro_usd: self.usd.map(|usd| whole(usd, MICRO)),
            vu_s: self.vu_hours.map(|hours| whole(hours, HOUR_S)),
        }
    }
}

/// [`Caps`] in the units of an [`Amount`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Millionths of a US dollar.
    pub micro_usd: Option<u64>,
    /// VU seconds.
    pub vu_s: Option<u64>,
}

impl Limit {
    /// Whether an amount is within it.
    pub fn holds(&self, amount: Amount) -> bool {
        self.micro_usd.is_none_or(|most| amount.micro_usd <= most)
            && self.vu_s.is_none_or(|most| amount.vu_s <= most)
    }
}

/// What the runs of a project may cost, as it was set last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Version of this layout: [`Self::SCHEMA`].
    pub schema: u32,
    /// Of each run.
    #[serde(default)]
    pub run: Caps,
    /// Of all runs that start in a calendar month (UTC).
    #[serde(default)]
    pub month: Caps,
    /// Who set it.
    pub by: String,
    /// When, Unix ms.
    pub at_ms: i64,
}

impl Budget {
    /// The layout that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// The kill switch of a project or of the whole stack, as it was turned last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Version of this layout: [`Self::SCHEMA`].
    pub schema: u32,
    /// Whether nothing starts.
    pub halted: bool,
    /// Why, as whoever turned it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who turned it.
    pub by: String,
    /// When, Unix ms.
    pub at_ms: i64,
}

impl Halt {
    /// The layout that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// What a run holds of its project's month until its cost is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// What it may cost.
    #[serde(flatten)]
    pub amount: Amount,
    /// When it was made, Unix ms.
    pub at_ms: i64,
}

/// What the runs of a project that started in a month have cost and hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What was spent and what is held, together.
    pub total: Amount,
    /// What is held, by execution.
    #[serde(default)]
    pub open: BTreeMap<String, Reservation>,
}

impl Account {
    /// What is held.
    pub fn reserved(&self) -> Amount {
        let held = self.open.values().map(|reservation| reservation.amount);
        held.fold(Amount::default(), Amount::plus)
    }

    /// What was spent.
    pub fn spent(&self) -> Amount {
        self.total.less(self.reserved())
    }

    /// Takes an amount out of what the limit leaves; `false`: it does not fit, and nothing has changed. An execution takes one only once.
    pub fn reserve(&mut self, execution: &str, asked: Reservation, limit: &Limit) -> bool {
        if self.open.contains_key(execution) {
            return true;
        }
        let total = self.total.plus(asked.amount);
        let fits = limit.holds(total);
        if fits {
            self.total = total;
            self.open.insert(execution.to_owned(), asked);
        }
        fits
    }

    /// Puts what a run has cost in place of what it held; `false`: it holds nothing, and nothing has changed.
    pub fn settle(&mut self, execution: &str, actual: Amount) -> bool {
        let Some(held) = self.open.remove(execution) else {
            return false;
        };
        self.total = self.total.less(held.amount).plus(actual);
        true
    }
}

/// The calendar month (UTC) of a time, as `202611`.
pub fn month_of(ms: i64) -> String {
    // Days to a date of the proleptic Gregorian calendar: Howard Hinnant, https://howardhinnant.github.io/date_algorithms.html.
    let days = ms.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (ms, month) in [
            (0, "197001"),
            (-1, "196912"),
            (1_700_000_000_000, "202311"),
            (1_709_208_000_500, "202402"),
            (1_735_689_599_999, "202412"),
            (1_735_689_600_000, "202501"),
        ] {
            assert_eq!(month_of(ms), month, "{ms}");
        }
    }

    #[test]
    fn dollars_are_whole_millionths_and_nonsense_is_nothing() {
        assert_eq!(Amount::new(0.1 + 0.2, 0).micro_usd, 300_000);
        assert_eq!(Amount::new(0.000_000_4, 0).micro_usd, 1);
        for usd in [-1.0, 0.0, f64::NAN] {
            assert_eq!(
                Amount::new(usd, 7),
                Amount {
                    micro_usd: 0,
                    vu_s: 7
                }
            );
        }
        let caps = Caps {
            usd: Some(0.3),
            vu_hours: Some(1.5),
        };
        let limit = caps.limit();
        assert_eq!((limit.micro_usd, limit.vu_s), (Some(300_000), Some(5_400)));
        let tight = Caps {
            usd: Some(0.2),
            vu_hours: None,
        };
        let both = caps.tighter(tight);
        assert_eq!((both.usd, both.vu_hours), (Some(0.2), Some(1.5)));
    }

    proptest! {
        /// Whatever is reserved and settled in whichever order, again and again: the total is what was spent and is held, and no
        /// reservation went beyond the limit.
        #[test]
        fn an_account_adds_up(steps in prop::collection::vec((any::<bool>(), 0..6u8, 0..50u64, 0..50u64), 0..60), most in 0..200u64) {
            let limit = Limit { micro_usd: Some(most), vu_s: Some(most) };
            let (mut account, mut spent) = (Account::default(), Amount::default());
            for (reserves, run, micro_usd, vu_s) in steps {
                let (run, amount) = (run.to_string(), Amount { micro_usd, vu_s });
                if reserves {
                    let before = account.clone();
                    let asked = Reservation { amount, at_ms: 0 };
                    if !account.reserve(&run, asked, &limit) {
                        prop_assert_eq!(&account, &before);
                        prop_assert!(!limit.holds(before.total.plus(amount)));
                    } else if before != account {
                        prop_assert!(limit.holds(account.total));
                    }
                } else if account.settle(&run, amount) {
                    spent = spent.plus(amount);
                    prop_assert!(!account.settle(&run, amount), "once");
                }
                prop_assert_eq!(account.spent(), spent);
                prop_assert_eq!(account.total, spent.plus(account.reserved()));
            }
        }
    }
}
