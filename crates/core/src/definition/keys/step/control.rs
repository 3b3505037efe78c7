//! Steps that decide which others are done, and how often.

use super::{STEPS, STEPS_SHAPE};
use crate::check::{MAX_CHECK, parse_json_path};
use crate::definition::field::{Field, Parts, keys};
use crate::definition::keys::names::VARIABLE;
use crate::definition::keys::shared::text;
use crate::definition::shape::{Grammar, Key, Shape, Table, Text};

/// The most passes of one loop.
const MOST_PASSES: u64 = 10_000;
/// The most passes of all loops around a step together: what an iteration may take.
pub(in crate::definition) const MOST_IN_ALL: u64 = 1_000_000;
/// How deep steps may nest.
pub(in crate::definition) const MOST_LEVELS: usize = 20;

const PASSES_SHAPE: Shape = Shape::Integer {
    min: 1,
    max: MOST_PASSES,
};
static PASSES: Shape = PASSES_SHAPE;
/// Read where it stands, since what it may name depends on the place.
static CONDITION: Shape = Shape::Text(Text {
    template: true,
    names: None,
    max: MAX_CHECK,
});
static TIMES: Shape = Shape::Either(&[PASSES_SHAPE, Shape::Object(&WHILE_TABLE)]);
static ITEM_NAME: Shape = text(64, Some(VARIABLE));
static NODES: Shape = Shape::Grammar(Grammar {
    pattern: Some("^\\$"),
    ..Grammar::new(
        |text| parse_json_path(text).map(drop),
        "a JSONPath such as $.items[*]",
    )
});

keys! { REPEAT_KEYS:
    REPEAT: Parts = "repeat", TIMES; "How often, or while what holds.";
}

/// The same key, where it is a number.
pub(in crate::definition) const REPEAT_TIMES: Field<u32> =
    Field::new(REPEAT.key.name, &PASSES, REPEAT.key.about);

/// `repeat:`.
pub(super) static REPEAT_TABLE: Table = Table::new(
    "repeat",
    "Steps that are done again and again.",
    &[REPEAT_KEYS, &[STEPS.key]],
)
.one_of(&["repeat"])
.foreign(&[
    ("while", "write repeat: {while: CONDITION, max: N}"),
    ("times", "write the number behind repeat"),
]);

keys! { WHILE_KEYS:
    WHILE: Parts = "while", CONDITION, required; "What must hold before each pass.";
    MAX: u32 = "max", PASSES, required; "The most passes.";
}

/// `repeat:` as a map.
static WHILE_TABLE: Table = Table::new(
    "while",
    "A loop with a condition, and its most passes.",
    &[WHILE_KEYS],
);

keys! { IF_KEYS:
    IF: Parts = "if", CONDITION; "What must hold of the last response, or of a variable.";
}

/// What is done where the condition does not hold: a static for the same reason as [`STEPS`].
pub(in crate::definition) static ELSE: Field<Parts> = Field::new(
    "else",
    &STEPS_SHAPE,
    "The steps where the condition does not hold.",
);

/// `if:`.
pub(super) static IF_TABLE: Table = Table::new(
    "if",
    "Steps that depend on a condition.",
    &[IF_KEYS, &[STEPS.key, ELSE.key]],
)
.one_of(&["if"])
.foreign(&[("then", "write steps")]);

static WAYS: Shape = Shape::List {
    of: &Shape::Object(&WAY_TABLE),
    min: 1,
};
/// A static, since ways hold steps.
pub(in crate::definition) static CHOOSE: Field<Parts> = Field::new(
    "choose",
    &WAYS,
    "The ways, of which each iteration takes one.",
);

/// `choose:`.
pub(super) static CHOOSE_TABLE: Table = Table::new(
    "choose",
    "One of several ways, by weight.",
    &[&[CHOOSE.key]],
)
.one_of(&["choose"])
.foreign(&[(
    "steps",
    "steps belong to each way: choose: [{weight: N, steps: […]}, …]",
)]);

keys! { WAY_KEYS:
    WEIGHT: u32 = "weight", { Shape::Integer { min: 1, max: 1_000_000 } }, default "1";
        "Its share, relative to the others.";
}

/// `choose[n]`.
static WAY_TABLE: Table = Table::new(
    "way",
    "A way that an iteration may take.",
    &[WAY_KEYS, &[STEPS.key]],
);

keys! { EACH_KEYS:
    EACH: Parts = "each", NODES; "The nodes of the last response's body.";
    AS: String = "as", ITEM_NAME, default "\"item\""; "The variable that has the node.";
    MOST: u32 = "max", PASSES, default "100"; "The most nodes; further ones are left out.";
}

/// `each:`.
pub(super) static EACH_TABLE: Table = Table::new(
    "each",
    "Steps for each node of the last response's body.",
    &[EACH_KEYS, &[STEPS.key]],
)
.one_of(&["each"]);

keys! { STOP_KEYS:
    STOP: Parts = "stop", { Shape::Choice(&["iteration"]) }; "What ends here: the iteration.";
}

/// `stop:`.
pub(super) static STOP_TABLE: Table = Table::new(
    "stop",
    "The end of the iteration, which is complete.",
    &[STOP_KEYS],
)
.one_of(&["stop"]);
