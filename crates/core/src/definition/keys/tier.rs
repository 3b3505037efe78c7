//! Tiers: presets that scale one definition.

use super::grammar::LOAD_FACTOR;
use super::names::SET_PATH;
use super::times::RUN_DURATION;
use crate::definition::field::{Factor, Field, Parts, keys, one_of};
use crate::definition::model::Tier;
use crate::definition::shape::{Key, Shape, Table};
use std::time::Duration;

one_of!(Tier);

static ANYTHING: Shape = Shape::Any;

keys! { TIER_KEYS:
    DURATION: Duration = "duration", RUN_DURATION; "The length of the schedule: 1m for smoke, 10m for load, 1h for soak by default.";
    LOAD: Factor = "load", LOAD_FACTOR; "The share of the definition's rates and VUs: 10% for smoke by default, else 100%.";
    SET: Parts = "set", { Shape::Map { keys: SET_PATH, of: &ANYTHING, min: 1 } };
        "Values in place of the definition's, as with --set, before they are scaled.";
}

/// `tiers.NAME`.
static TIER: Table = Table::new("tier", "How a tier scales the definition.", &[TIER_KEYS]);

keys! { KEYS:
    SMOKE: Parts = "smoke", { Shape::Object(&TIER) }; "Whether all works: up to 2 minutes.";
    LOAD_TIER: Parts = "load", { Shape::Object(&TIER) }; "Whether the usual load is carried: 10 to 15 minutes.";
    SOAK: Parts = "soak", { Shape::Object(&TIER) }; "Whether it is carried for long: 30 minutes and more.";
}

/// `tiers:`.
pub(super) static TIERS: Table = Table::new(
    "tiers",
    "How the tiers smoke, load and soak scale the definition.",
    &[KEYS],
);
