//! What is missing or misconfigured, here and in the account. Facts are gathered by `machine`; what they mean is decided
//! without looking at anything, in `judge`.

mod account;
mod engines;
mod judge;
mod machine;
mod permissions;
mod programs;
mod quota;

pub(crate) use account::account;

use floodgate_report::doctor::Check;
use std::path::Path;

/// What is to be said of this machine; executions are to be kept in `out`.
pub(crate) fn here(out: &Path) -> Vec<Check> {
    let machine = machine::Machine::look(out);
    let mut checks = judge::machine(&machine);
    checks.extend(engines::checks());
    checks.extend(programs::checks());
    checks
}
