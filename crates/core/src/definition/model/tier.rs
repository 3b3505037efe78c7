//! Tiers: how long and how heavy a run of one definition is.

use floodgate_records::words;
use std::time::Duration;

words! {
    /// The tiers.
    pub Tier {
        /// Whether all works.
        Smoke = "smoke",
        /// Whether the usual load is carried.
        Load = "load",
        /// Whether it is carried for long.
        Soak = "soak",
    }
}

impl Tier {
    /// How long the schedule is unless the definition says otherwise.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Smoke => 60,
            Self::Load => 600,
            Self::Soak => 3_600,
        })
    }

    /// The share of the definition's load, likewise.
    pub const fn load(self) -> f64 {
        match self {
            Self::Smoke => 0.1,
            Self::Load | Self::Soak => 1.0,
        }
    }

    /// How long the schedule may be: the shortest time, and the longest if there is one.
    pub const fn bounds(self) -> (Duration, Option<Duration>) {
        let (least, most) = match self {
            Self::Smoke => (1, Some(120)),
            Self::Load => (600, Some(900)),
            Self::Soak => (1_800, None),
        };
        let most = match most {
            Some(most) => Some(Duration::from_secs(most)),
            None => None,
        };
        (Duration::from_secs(least), most)
    }
}
