//! The contract.

use super::grammar::SHARE;
use super::places::FILE;
use crate::definition::field::{Field, Share, keys};
use crate::definition::shape::{Key, Table};

keys! { KEYS:
    OPENAPI: String = "openapi", FILE, required; "An OpenAPI 3.0 or 3.1 document, YAML or JSON.";
    SAMPLE: Share = "sample", SHARE, default "0"; "The share of the load's responses that is checked, too.";
}

/// `contract:`.
pub(super) static CONTRACT: Table = Table::new(
    "contract",
    "What the target's responses are checked against, once before any load.",
    &[KEYS],
);
