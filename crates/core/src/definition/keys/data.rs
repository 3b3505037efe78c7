//! Data files.

use super::grammar::DELIMITER as ONE_CHARACTER;
use super::names::VARIABLE;
use super::places::FILE as PATH;
use super::shared::text;
use crate::definition::field::{Field, keys};
use crate::definition::model::DataMode;
use crate::definition::shape::{Key, Shape, Table};

static SOURCE_NAME: Shape = text(64, Some(VARIABLE));

keys! { KEYS:
    FILE: String = "file", PATH, required; "The file.";
    NAME: String = "name", SOURCE_NAME, default "\"data\""; "How templates call it.";
    FORMAT: String = "format", { Shape::Choice(&["csv", "jsonl"]) };
        "csv with a header line, or an object a line; from the file's name unless given.";
    DELIMITER: String = "delimiter", ONE_CHARACTER, default "\",\"";
        "What stands between the values of csv: one character, or the word tab.";
    MODE: DataMode = "mode", { Shape::Choice(DataMode::WORDS) }, default "\"sequential\"";
        "How an iteration gets its row: each once in the whole run, in turn, or any.";
}

/// `data[n]`.
pub(super) static DATA: Table = Table::new("data", "A data file.", &[KEYS]);
