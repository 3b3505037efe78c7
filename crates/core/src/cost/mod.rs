//! What a run in the cloud costs: an estimate before it, the cost so far during it, the cost after it.
//!
//! [`Usage`] says what was used, [`bill`] prices it with the dated table of [`prices`], and [`estimate`] and [`so_far`]
//! derive usage from a plan. Prices are list prices in US dollars, before taxes, free tiers, discounts and savings plans:
//! a bill here is an upper bound by a documented model, not an invoice.

mod bill;
mod model;
pub mod prices;
mod usage;

pub use bill::{Bill, bill};
pub use floodgate_records::architecture::Architecture;
pub use model::{
    END, Observed, READY, RETENTION_DAYS, Site, TaskTime, WATCH_MB, Watched, estimate, longest,
    so_far,
};
pub use prices::PRICES_OF;
pub use usage::{Capacity, Compute, Services, Size, Usage};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
