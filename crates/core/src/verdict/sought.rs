//! What capacity was sought and found, in words.

use super::words::number;
use floodgate_records::capacity::{CapacityEnd, CapacitySummary};

/// Why a run passes that found the capacity.
pub(super) fn found(capacity: &CapacitySummary) -> String {
    let unit = capacity.unit.as_str();
    let by = capacity.limited_by.as_deref().unwrap_or("the target");
    let [low, estimate, high] = [capacity.low, capacity.estimate, capacity.high]
        .map(|load| rounded(load.unwrap_or_default()));
    format!(
        "the capacity is {estimate} {unit} ({low} to {high}); above it, what gives way first is {by}"
    )
}

/// Why a run does not pass that sought a capacity, a sentence; `None` if it was found.
pub(super) fn shortfall(capacity: &CapacitySummary, tasks: usize) -> Option<String> {
    let unit = capacity.unit.as_str();
    let at_least = capacity.low.map_or_else(String::new, |low| {
        format!("the capacity is at least {} {unit}", rounded(low))
    });
    let or = |else_say: &str| match at_least.is_empty() {
        true => else_say.to_owned(),
        false => at_least.clone(),
    };
    Some(match capacity.ended {
        CapacityEnd::Found => return None,
        CapacityEnd::MaxLoad => {
            format!("{at_least}, the largest load that was allowed: raise capacity.max")
        }
        CapacityEnd::NeverHeld => {
            let lowest = capacity.high.unwrap_or_default();
            let why = capacity.limited_by.as_deref().unwrap_or("a threshold");
            format!(
                "the thresholds did not hold at any load down to {} {unit}: {why}",
                rounded(lowest)
            )
        }
        CapacityEnd::Generator => format!(
            "{}: the generator is the limit; twice the load takes {} tasks of this size",
            or("nothing is known of the capacity"),
            tasks * 2
        ),
        CapacityEnd::MaxDuration => {
            let known = match (capacity.low, capacity.estimate, capacity.high) {
                (Some(low), Some(_), Some(high)) => format!(
                    "the capacity lies between {} and {} {unit}",
                    rounded(low),
                    rounded(high)
                ),
                _ => or("no load held yet"),
            };
            format!(
                "{known}; the time was up before it was known to ±{} %: raise capacity.max_duration",
                number(capacity.precision * 100.0)
            )
        }
        CapacityEnd::Unmeasured => format!(
            "{}; the search was cut off, or the figures of a step did not come",
            or("nothing is known of the capacity")
        ),
    })
}

/// A load to four significant digits: more than any interval is worth.
fn rounded(load: f64) -> String {
    let places = match load > 0.0 {
        true => 3 - load.log10().floor() as i32,
        false => 0,
    };
    let unit = 10_f64.powi(places);
    number((load * unit).round() / unit)
}
