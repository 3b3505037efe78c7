//! The tables of known keys, each declared once: what the parser accepts, what the schema publishes, and what the definition is
//! built from.

pub(super) mod capacity;
pub(super) mod contract;
pub(super) mod data;
pub(super) mod export;
pub(super) mod grammar;
pub(super) mod http;
pub(super) mod names;
pub(super) mod notify;
pub(super) mod observe;
pub(super) mod places;
pub(super) mod root;
pub(super) mod run;
pub(super) mod scenario;
mod shared;
pub(super) mod step;
pub(super) mod threshold;
pub(super) mod tier;
pub(super) mod times;

pub(super) use root::DEFINITION;
