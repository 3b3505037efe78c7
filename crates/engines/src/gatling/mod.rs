//! Gatling: simulations of 3.12 to 3.15 run unchanged, spread over tasks; logs of 3.0 to 3.15 are read.
//!
//! * [`launch()`] starts the simulation through a small helper of ours (Java, in `helper/`), which cuts its injection
//!   profiles down to the task's share, strips its assertions, and has the log written out each half second.
//! * [`inspect()`] reads what the same helper says of a simulation without running it: injection, assertions.
//! * [`pack()`] makes one file of a Maven or Gradle project, which travels as a jar does; [`examine()`] packs and inspects.
//! * [`LogReader`] reads `simulation.log`, text (3.0 to 3.12) and binary (3.13 and later), while it grows.

mod assertion;
mod describe;
mod engine;
mod exit;
mod import;
mod launch;
mod pickle;
mod profile;
mod project;
mod read;
mod script;
mod thresholds;

pub use assertion::{Assertion, Condition, Path, Requests, Stat, Target};
pub use describe::{describe, examine, inspect};
pub use engine::Gatling;
pub use exit::exit;
pub use import::import;
pub use launch::{LOG, launch};
pub use pickle::assertion as unpickle;
pub use project::{Packed, is_project, pack};
pub use read::{LogReader, reader};
pub use thresholds::{Name, thresholds};
