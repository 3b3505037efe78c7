//! Shapes that several tables share.

use super::names::{HEADER, TAG};
use crate::definition::shape::{NameRule, Shape, Text};
use crate::definition::yaml::MAX_SCALAR;

/// The longest text that says something about the test.
const MAX_TEXT: usize = 8 << 10;
/// The longest text that is sent: a URL, a header, a token, a body. HTTP has no bound of its own.
const MAX_SENT: usize = MAX_SCALAR;

/// Text that is not a template.
pub(super) const fn text(max: usize, names: Option<NameRule>) -> Shape {
    Shape::Text(Text {
        template: false,
        names,
        max,
    })
}

/// Text of which only some is let through.
pub(super) const fn named(names: NameRule) -> Shape {
    text(MAX_TEXT, Some(names))
}

const fn template() -> Shape {
    Shape::Text(Text {
        template: true,
        names: None,
        max: MAX_SENT,
    })
}

pub(super) static TEXT: Shape = text(MAX_TEXT, None);
/// Text of a header that is not a template.
pub(super) static SENT_TEXT: Shape = text(MAX_SENT, None);
pub(super) static TEMPLATE: Shape = template();
pub(super) static ONE_OR_MORE: Shape = Shape::Either(&ONE_OR_MORE_OF);
static ONE_OR_MORE_OF: [Shape; 2] = [
    template(),
    Shape::List {
        of: &TEMPLATE,
        min: 1,
    },
];
pub(super) static HEADERS: Shape = Shape::Map {
    keys: HEADER,
    of: &ONE_OR_MORE,
    min: 0,
};
pub(super) static TAG_VALUE: Shape = text(256, None);
pub(super) static TAGS: Shape = Shape::Map {
    keys: TAG,
    of: &TAG_VALUE,
    min: 0,
};
