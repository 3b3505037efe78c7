//! What prepares, watches, collects and finishes a run: the same code behind the command line and behind the functions
//! in the cloud.
//!
//! Everything goes through the storage traits; nothing here starts a process, reads a clock or knows a path. The caller
//! passes the time in, starts the tasks after [`prepare()`], calls [`watch::Watch::step`] until it says that the tasks have
//! ended, and then [`finish`]; where the store refuses that, [`give_up`].

mod audit;
mod buckets;
pub mod budget;
pub mod collect;
mod compare;
mod compared;
mod course;
mod earlier;
pub mod elsewhere;
mod error;
mod failures;
mod figures;
mod finish;
mod give_up;
mod home;
mod in_turns;
pub mod json;
mod judged;
pub mod load;
mod lookup;
mod observed;
mod orphan;
mod pinned;
mod prefetch;
mod prepare;
mod refuse;
pub mod schedules;
pub mod sizing;
mod startable;
mod stop;
mod stores;
mod targets;
mod trend;
pub mod turns;
pub mod watch;

pub use audit::{UNKNOWN_PRINCIPAL, Who, note};
pub use buckets::{buckets_key, load_series};
pub use compare::compare as compare_runs;
pub use earlier::ended_before;
pub use error::{ControlError, MAX_TASKS, Result, plain_cause};
pub use failures::load_failures;
pub use figures::load_figures;
pub use finish::{Closing, Finished, LostTask, Measured, Settle, finish, finish_with};
pub use give_up::{GivenUp, give_up};
pub use home::{Home, bring_home};
pub use lookup::{find, find_in, load_plan, load_summary};
pub use orphan::{COORDINATOR_GONE, finish_late, finish_orphan};
pub use pinned::{load_pin, note_pin, note_unpin, pin, unpin};
pub use prepare::{PlanOptions, Prepared, TestPackage, lay_out, max_duration, prepare};
pub use refuse::{Refusal, UNKNOWN_TEST, refuse};
pub use stop::{Trail, abort, note_order, note_stop, order_stop, read_stop, stop_by_person};
pub use stores::Stores;
pub use targets::{TargetError, TargetRules};
pub use trend::trend;
