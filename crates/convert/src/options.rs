//! What is wanted.

use std::fmt;

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An HTTP Archive.
    Har,
    /// Commands for curl.
    Curl,
    /// An OpenAPI document, 3.0 or 3.1.
    OpenApi,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Har => "HAR",
            Self::Curl => "curl",
            Self::OpenApi => "OpenAPI",
        })
    }
}

/// What to keep, and what to call it.
pub struct Options<'a> {
    /// The format; `None` tells it by the content.
    pub format: Option<Format>,
    /// Hosts to keep, `HOST` or `HOST:PORT`, the first of them as the target; without any, the one that most requests go to.
    pub hosts: Vec<String>,
    /// Whether images, fonts, styles and scripts are kept.
    pub keep_static: bool,
    /// Whether pauses become think times.
    pub think: bool,
    /// The test's name is made of this.
    pub name: String,
    /// Whether files can be written beside the definition: bodies that no text can hold.
    pub files: bool,
    /// Whether a file exists, by its path relative to the definition.
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("format", &self.format)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            format: None,
            hosts: Vec::new(),
            keep_static: false,
            think: true,
            name: "converted".into(),
            files: true,
            exists: &|_| false,
        }
    }
}

impl Options<'_> {
    /// The test's name: `[a-z0-9][a-z0-9-]{0,62}`.
    pub(crate) fn test(&self) -> String {
        let slug = slug(&self.name, '-', 63);
        if slug.is_empty() {
            "converted".to_owned()
        } else {
            slug
        }
    }
}

/// Letters and digits in lower case; whatever else there is becomes one `between`.
pub(crate) fn slug(text: &str, between: char, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= most {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with(between) {
            out.push(between);
        }
    }
    out.trim_end_matches(between).to_owned()
}
