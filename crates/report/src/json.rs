//! The summary as JSON.

use floodgate_records::printable::printable_json;
use floodgate_records::summary::Summary;

/// The summary as indented JSON with a line feed at its end, free of characters that a terminal would obey, of the schema [`floodgate_records::schema::SUMMARY`].
///
/// # Errors
/// None for a summary that this program built: its numbers are finite and its keys are text.
pub fn json(summary: &Summary) -> serde_json::Result<String> {
    serde_json::to_string_pretty(summary).map(|text| printable_json(&text).into_owned() + "\n")
}
