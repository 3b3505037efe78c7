//! Waiting on a worker thread: for a precise time, until a deadline or the order to stop, and for others that are ready.

mod deadline;
mod give_way;
mod precise;
mod stop;

pub use deadline::{Deadline, until};
pub use give_way::give_way;
pub use precise::{Sleep, Timer};
pub use stop::StopSignal;
