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
    NAME: String = "name", SOURCE_NAME, default "\"data\""; "The name used in templates.";
    FORMAT: String = "format", { Shape::Choice(&["csv", "jsonl"]) };
        "csv with a header line, or one JSON object per line; by default, from the file's name.";
    DELIMITER: String = "delimiter", ONE_CHARACTER, default "\",\"";
        "The separator of csv values: one character, or the word tab.";
    MODE: DataMode = "mode", { Shape::Choice(DataMode::WORDS) }, default "\"sequential\"";
        "How an iteration gets its row: each once in the whole run, in turn, or any.";
}

/// `data[n]`.
pub(in crate::definition) static DATA: Table = Table::new("data", "A data file.", &[KEYS]);
