//! The columns.

use floodgate_records::metric::Tags;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::{Type, TypePtr};
use std::sync::{Arc, LazyLock};

/// What the values of a column are, beside their physical type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Number,
    Text,
    /// Milliseconds since 1970, UTC.
    Time,
    Bytes,
}

/// A leaf column: its path in the file, with what its values are.
pub(crate) struct Leaf {
    pub(crate) path: &'static str,
    pub(crate) physical: Physical,
    /// Largest definition and repetition level.
    pub(crate) levels: (i16, i16),
    meaning: Meaning,
}

/// A column that every row has.
pub(crate) const fn required(path: &'static str, physical: Physical, meaning: Meaning) -> Leaf {
    Leaf {
        path,
        physical,
        levels: (0, 0),
        meaning,
    }
}

/// A column that a row may lack.
pub(crate) const fn optional(path: &'static str, physical: Physical, meaning: Meaning) -> Leaf {
    Leaf {
        path,
        physical,
        levels: (1, 0),
        meaning,
    }
}

/// Names or values of a map of texts.
pub(crate) const fn of_map(path: &'static str) -> Leaf {
    Leaf {
        path,
        physical: Physical::BYTE_ARRAY,
        levels: (1, 1),
        meaning: Meaning::Text,
    }
}

/// Columns in the order of the file. Those of tags stand at [`TAGS`], in the order of [`Tags::COLUMNS`].
pub(super) const LEAVES: [Leaf; 17] = [
    required("time_ms", Physical::INT64, Meaning::Time),
    required("window_s", Physical::INT32, Meaning::Number),
    required("metric", Physical::BYTE_ARRAY, Meaning::Text),
    required("kind", Physical::BYTE_ARRAY, Meaning::Text),
    optional("scenario", Physical::BYTE_ARRAY, Meaning::Text),
    optional("grp", Physical::BYTE_ARRAY, Meaning::Text),
    optional("name", Physical::BYTE_ARRAY, Meaning::Text),
    optional("method", Physical::BYTE_ARRAY, Meaning::Text),
    optional("status", Physical::BYTE_ARRAY, Meaning::Text),
    optional("error_code", Physical::BYTE_ARRAY, Meaning::Text),
    of_map("tags.key_value.key"),
    of_map("tags.key_value.value"),
    required("count", Physical::INT64, Meaning::Number),
    required("sum", Physical::DOUBLE, Meaning::Number),
    required("min", Physical::DOUBLE, Meaning::Number),
    required("max", Physical::DOUBLE, Meaning::Number),
    optional("histogram", Physical::BYTE_ARRAY, Meaning::Bytes),
];
/// Numbers of columns in [`LEAVES`].
pub(super) const TIME: usize = 0;
pub(super) const WINDOW: usize = 1;
pub(crate) const METRIC: usize = 2;
pub(crate) const KIND: usize = 3;
pub(crate) const TAGS: usize = 4;
pub(crate) const TAG_KEY: usize = TAGS + Tags::COLUMNS.len();
pub(crate) const TAG_VALUE: usize = TAG_KEY + 1;
pub(super) const COUNT: usize = 12;
pub(super) const SUM: usize = 13;
pub(super) const MIN: usize = 14;
pub(super) const MAX: usize = 15;
pub(super) const HISTOGRAM: usize = 16;

/// The schema of the files.
pub(super) static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| schema_of(&LEAVES));

/// The schema of files with these columns; the two of a map follow each other.
pub(crate) fn schema_of(leaves: &[Leaf]) -> TypePtr {
    let fields = leaves.iter().enumerate().filter_map(|(i, leaf)| match i {
        TAG_KEY => Some(tags(leaf, &leaves[TAG_VALUE])),
        TAG_VALUE => None,
        _ => Some(primitive(leaf.path, leaf)),
    });
    let fields = fields.collect();
    Arc::new(
        Type::group_type_builder("floodgate")
            .with_fields(fields)
            .build()
            .expect("the schema is a constant"),
    )
}

fn primitive(name: &str, leaf: &Leaf) -> TypePtr {
    let logical = match leaf.meaning {
        Meaning::Time => Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
        Meaning::Text => Some(LogicalType::String),
        Meaning::Number | Meaning::Bytes => None,
    };
    let builder = Type::primitive_type_builder(name, leaf.physical)
        .with_repetition(if leaf.levels == (1, 0) {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        })
        .with_logical_type(logical);
    Arc::new(builder.build().expect("the schema is a constant"))
}

/// `MAP<string, string>` as the format wants it
/// (<https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#maps>).
fn tags(key: &Leaf, value: &Leaf) -> TypePtr {
    let key_value = Type::group_type_builder("key_value")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![primitive("key", key), primitive("value", value)])
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
