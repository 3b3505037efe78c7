//! The columns.

use floodgate_records::metric::Tags;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::{Type, TypePtr};
use std::sync::{Arc, LazyLock};

/// A leaf column: its path in the file, with what its values are.
pub(super) struct Leaf {
    pub(super) path: &'static str,
    pub(super) physical: Physical,
    /// Largest definition and repetition level.
    pub(super) levels: (i16, i16),
}

const fn leaf(path: &'static str, physical: Physical, levels: (i16, i16)) -> Leaf {
    Leaf {
        path,
        physical,
        levels,
    }
}

/// Columns in the order of the file. Those of tags stand at [`TAGS`], in the order of [`Tags::COLUMNS`].
pub(super) const LEAVES: [Leaf; 17] = [
    leaf("time_ms", Physical::INT64, (0, 0)),
    leaf("window_s", Physical::INT32, (0, 0)),
    leaf("metric", Physical::BYTE_ARRAY, (0, 0)),
    leaf("kind", Physical::BYTE_ARRAY, (0, 0)),
    leaf("scenario", Physical::BYTE_ARRAY, (1, 0)),
    leaf("grp", Physical::BYTE_ARRAY, (1, 0)),
    leaf("name", Physical::BYTE_ARRAY, (1, 0)),
    leaf("method", Physical::BYTE_ARRAY, (1, 0)),
    leaf("status", Physical::BYTE_ARRAY, (1, 0)),
    leaf("error_code", Physical::BYTE_ARRAY, (1, 0)),
    leaf("tags.key_value.key", Physical::BYTE_ARRAY, (1, 1)),
    leaf("tags.key_value.value", Physical::BYTE_ARRAY, (1, 1)),
    leaf("count", Physical::INT64, (0, 0)),
    leaf("sum", Physical::DOUBLE, (0, 0)),
    leaf("min", Physical::DOUBLE, (0, 0)),
    leaf("max", Physical::DOUBLE, (0, 0)),
    leaf("histogram", Physical::BYTE_ARRAY, (1, 0)),
];
/// Numbers of columns in [`LEAVES`].
pub(super) const TIME: usize = 0;
pub(super) const WINDOW: usize = 1;
pub(super) const METRIC: usize = 2;
pub(super) const KIND: usize = 3;
pub(super) const TAGS: usize = 4;
pub(super) const TAG_KEY: usize = TAGS + Tags::COLUMNS.len();
pub(super) const TAG_VALUE: usize = TAG_KEY + 1;
pub(super) const COUNT: usize = 12;
pub(super) const SUM: usize = 13;
pub(super) const MIN: usize = 14;
pub(super) const MAX: usize = 15;
pub(super) const HISTOGRAM: usize = 16;

/// The schema of the files.
pub(super) static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| {
    let fields = LEAVES.iter().enumerate().filter_map(|(i, leaf)| match i {
        TAG_KEY => Some(tags()),
        TAG_VALUE => None,
        _ => Some(primitive(leaf.path, i)),
    });
    let fields = fields.collect();
    Arc::new(
        Type::group_type_builder("floodgate")
            .with_fields(fields)
            .build()
            .expect("the schema is a constant"),
    )
});

fn primitive(name: &str, column: usize) -> TypePtr {
    let leaf = &LEAVES[column];
    let logical = match column {
        TIME => Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
        HISTOGRAM => None,
        _ if leaf.physical == Physical::BYTE_ARRAY => Some(LogicalType::String),
        _ => None,
    };
    let optional = leaf.levels == (1, 0);
    let builder = Type::primitive_type_builder(name, leaf.physical)
        .with_repetition(if optional {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        })
        .with_logical_type(logical);
    Arc::new(builder.build().expect("the schema is a constant"))
}

/// `MAP<string, string>` as the format wants it
/// (<https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#maps>).
fn tags() -> TypePtr {
    let key_value = Type::group_type_builder("key_value")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![
            primitive("key", TAG_KEY),
            primitive("value", TAG_VALUE),
        ])
        .build();
    let map = key_value.and_then(|key_value| {
        Type::group_type_builder("tags")
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::Map))
            .with_converted_type(ConvertedType::MAP)
            .with_fields(vec![Arc::new(key_value)])
            .build()
    });
    Arc::new(map.expect("the schema is a constant"))
}
