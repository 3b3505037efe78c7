//! The summary as JSON.

use floodgate_core::execution::summary::Summary;

/// The summary as indented JSON with a line feed at its end, of the schema [`floodgate_core::execution::schema::SUMMARY`].
///
/// # Errors
/// None for a summary that this program built: its numbers are finite and its keys are text.
pub fn json(summary: &Summary) -> serde_json::Result<String> {
    serde_json::to_string_pretty(summary).map(|text| text + "\n")
}
