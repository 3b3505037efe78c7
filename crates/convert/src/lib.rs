//! Definitions from what people have: recordings of browsers and proxies (HAR), curl commands, OpenAPI documents.
//!
//! ```text
//! HAR ───┐
//! curl ──┴─► recording ─► compose: select ─► correlate ─► redact ─┐
//! OpenAPI ────────────────────────────────────────────────────────┴─► draft ─► write
//! ```
//! Nothing here opens a file or asks for the time: the same input gives the same definition. What comes out is read back before it is
//! given away, so it is a definition that `floodgate validate` accepts.

mod compose;
mod confidential;
mod curl;
mod draft;
mod encoding;
mod error;
mod har;
mod members;
mod openapi;
mod options;
mod recording;
mod secrets;
mod sniff;
mod write;
mod yaml;

pub use confidential::{is_secret_field, is_secret_header, is_secret_value};
pub use error::ConvertError;
pub use members::{Member, secret_members};
pub use options::{Format, Options};

use draft::Draft;
use floodgate_core::definition::{LeftOpen, Overrides, Source, parse};
use std::io::Read;

/// A definition, and what it needs beside it.
#[derive(Debug)]
pub struct Converted {
    /// The definition.
    pub text: String,
    /// Files that it names, by their path relative to it.
    pub files: Vec<(String, Vec<u8>)>,
    /// What somebody who converts should know: what was left out, and what has to be set. They stand in the definition, too.
    pub notes: Vec<String>,
    /// What the source was.
    pub format: Format,
}

/// Reads a source to its end and makes a definition of it.
///
/// # Errors
/// A source that cannot be read, is of no known format, or has nothing in it to send. Single entries that make no sense are left out
/// and named in the notes.
pub fn convert(source: impl Read, options: &Options<'_>) -> Result<Converted, ConvertError> {
    let mut source = encoding::as_utf8(source).map_err(ConvertError::Read)?;
    let beginning = source.fill_buf().map_err(ConvertError::Read)?;
    let format = match options.format {
        Some(format) => format,
        None => sniff::format(beginning)?,
    };
    let draft = match format {
        Format::Har => compose::compose(har::read(source)?, options)?,
        Format::Curl => compose::compose(
            curl::read(&text(source, curl::MAX_BYTES)?, options)?,
            options,
        )?,
        Format::OpenApi => openapi::draft(&text(source, openapi::MAX_BYTES)?, options)?,
    };
    finish(draft, format)
}

/// The whole source as text; what is not UTF-8 in it is replaced.
fn text(source: impl Read, most: usize) -> Result<String, ConvertError> {
    let mut bytes = Vec::new();
    let bounded = source.take(most as u64 + 1).read_to_end(&mut bytes);
    bounded.map_err(ConvertError::Read)?;
    if bytes.len() > most {
        return Err(ConvertError::TooLarge { most });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn finish(draft: Draft, format: Format) -> Result<Converted, ConvertError> {
    let text = write::write(&draft);
    let source = Source {
        name: "the converted definition",
        text: text.as_bytes(),
    };
    parse(&source, &Overrides::default(), &LeftOpen).map_err(ConvertError::Unwritable)?;
    let mut notes = draft.head.get(1..).unwrap_or_default().to_vec();
    if !draft.secrets.is_empty() {
        let names: Vec<_> = draft
            .secrets
            .iter()
            .map(|secret| format!("${{secret:{}}}", secret.name))
            .collect();
        notes.push(format!("to be set before a run: {}", names.join(", ")));
    }
    Ok(Converted {
        text,
        files: draft.files,
        notes,
        format,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
