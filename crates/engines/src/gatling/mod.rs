//! Gatling: simulations of 3.12 to 3.15 run unchanged, spread over tasks; logs of 3.0 to 3.15 are read.
//!
//! * [`launch()`] starts the simulation through a small helper of ours (Java, in `helper/`), which cuts its injection
//!   profiles down to the task's share, strips its assertions, and has the log written out each half second.
//! * [`inspect()`] reads what the same helper says of a simulation without running it: injection, assertions.
//! * [`pack()`] makes one file of a Maven or Gradle project, which travels as a jar does; [`examine()`] packs and inspects.
//! * [`LogReader`] reads `simulation.log`, text (3.0 to 3.12) and binary (3.13 and later), while it grows.

mod assertion;
mod describe;
mod exit;
mod launch;
mod lift;
mod pickle;
mod profile;
mod project;
mod read;
mod script;

pub use assertion::{Assertion, Condition, Path, Requests, Stat, Target};
pub use describe::{describe, examine, inspect};
pub use exit::exit;
pub use launch::launch;
pub use lift::{Name, lift};
pub use pickle::assertion as unpickle;
pub use project::{Packed, is_project, pack};
pub use read::{LogReader, reader};
pub(crate) use script::installed;

/// The name of the log in the folder that Gatling names itself.
pub const LOG: &str = "simulation.log";

/// A reader for a log that was written elsewhere, recognised by its first bytes; `None` if they are not a log's.
pub fn import(head: &[u8]) -> Option<Box<dyn crate::Reader>> {
    // Binary logs begin with a record of type 0 and the version's length and text; text logs with `RUN` or, before it, assertions.
    let version = || head.get(5..).is_some_and(|rest| rest.starts_with(b"3."));
    let binary = head.first() == Some(&0) && version();
    let text = [&b"RUN\t"[..], b"ASSERTION\t"]
        .iter()
        .any(|word| head.starts_with(word));
    (binary || text).then(reader)
}
