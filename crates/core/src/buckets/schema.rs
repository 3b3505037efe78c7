//! The columns. Those of the key stand where a shard has them.

use crate::shard::{Leaf, Meaning, of_map, optional, required, schema_of};
use parquet::basic::Type as Physical;
use parquet::schema::types::{ColumnPath, TypePtr};
use std::sync::LazyLock;

const fn text(path: &'static str) -> Leaf {
    required(path, Physical::BYTE_ARRAY, Meaning::Text)
}

const fn tag(path: &'static str) -> Leaf {
    optional(path, Physical::BYTE_ARRAY, Meaning::Text)
}

/// Columns in the order of the file.
pub(super) const LEAVES: [Leaf; 25] = [
    text("execution"),
    required("started_ms", Physical::INT64, Meaning::Time),
    text("metric"),
    text("kind"),
    tag("scenario"),
    tag("grp"),
    tag("name"),
    tag("method"),
    tag("status"),
    tag("error_code"),
    of_map("tags.key_value.key"),
    of_map("tags.key_value.value"),
    optional("lower_us", Physical::INT64, Meaning::Number),
    optional("upper_us", Physical::INT64, Meaning::Number),
    required("count", Physical::INT64, Meaning::Number),
    optional("sum", Physical::DOUBLE, Meaning::Number),
    optional("min", Physical::DOUBLE, Meaning::Number),
    optional("max", Physical::DOUBLE, Meaning::Number),
    optional("last_ms", Physical::INT64, Meaning::Time),
    text("project"),
    text("test"),
    text("version"),
    tag("revision"),
    text("verdict"),
    required("duration_s", Physical::DOUBLE, Meaning::Number),
];

/// Numbers of columns in [`LEAVES`], beside those of the key.
pub(super) const EXECUTION: usize = 0;
pub(super) const STARTED: usize = 1;
pub(super) const LOWER: usize = 12;
pub(super) const UPPER: usize = 13;
pub(super) const COUNT: usize = 14;
pub(super) const SUM: usize = 15;
pub(super) const MIN: usize = 16;
pub(super) const MAX: usize = 17;
pub(super) const LAST: usize = 18;
pub(super) const PROJECT: usize = 19;
pub(super) const TEST: usize = 20;
pub(super) const VERSION: usize = 21;
pub(super) const REVISION: usize = 22;
pub(super) const VERDICT: usize = 23;
pub(super) const DURATION: usize = 24;

/// The schema of the files.
pub(super) static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| schema_of(&LEAVES));

pub(super) fn path(column: usize) -> ColumnPath {
    ColumnPath::new(LEAVES[column].path.split('.').map(str::to_owned).collect())
}
