//! What the small grammars inside scalars share (durations, templates, checks): an error that knows its place, and the
//! nearest name to a misspelt one.

use floodgate_records::key::KeyError;
use floodgate_records::printable::quoted;
use std::ops::Range;

/// A stretch of a text in bytes; both ends stand on characters' boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends; `None` is the end of the text.
    pub end: Option<usize>,
}

impl From<usize> for Span {
    /// From here to the end of the text.
    fn from(start: usize) -> Self {
        Self { start, end: None }
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: Some(range.end),
        }
    }
}

/// Why a text does not follow its grammar: the one error of thresholds, checks, templates, durations and the like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", remedies(.hint.as_deref(), .allowed.as_deref()))]
pub struct SyntaxError {
    /// Where in the text.
    pub at: Span,
    /// What is wrong, with the offending part.
    pub problem: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// A remedy, or the nearest valid name in quotes.
    pub hint: Option<String>,
}

/// What follows a problem in one line: `; did you mean "rate"? allowed: …`, or `; write it so; allowed: …`.
pub(crate) fn remedies(hint: Option<&str>, allowed: Option<&str>) -> String {
    let meant = hint.is_some_and(|hint| hint.starts_with('"'));
    let mut text = hint
        .map(remedy)
        .map_or_else(String::new, |hint| format!("; {hint}"));
    if let Some(allowed) = allowed {
        text.push_str(if meant { " allowed: " } else { "; allowed: " });
        text.push_str(allowed);
    }
    text
}

/// A hint as a sentence's part: `did you mean "rate"?`, or the remedy itself.
pub(crate) fn remedy(hint: &str) -> String {
    match hint.starts_with('"') {
        true => format!("did you mean {hint}?"),
        false => hint.to_owned(),
    }
}

impl SyntaxError {
    /// An error at a part of the text; a place alone is from there to the end.
    pub fn new(at: impl Into<Span>, problem: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            problem: problem.into(),
            allowed: None,
            hint: None,
        }
    }

    /// An error of the whole text, which the problem begins with: `"x" is not a valid status`.
    pub fn whole(text: &str, problem: &str) -> Self {
        Self::new(0, format!("{} {problem}", quoted(text)))
    }

    /// With what would be right.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// With a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the nearest of the valid names, if one is near, in quotes.
    #[must_use]
    pub fn nearest<'a>(mut self, name: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.hint = nearest(name, names).map(|name| format!("\"{name}\""));
        self
    }

    /// The same error in a longer text, a part of which is the text that it was found in.
    #[must_use]
    pub fn within(mut self, part: Range<usize>) -> Self {
        self.at = Span {
            start: part.start + self.at.start,
            end: Some(self.at.end.map_or(part.end, |end| part.start + end)),
        };
        self
    }

    /// The same error for a reader who does not see the text: the problem names it.
    #[must_use]
    pub fn naming(mut self, text: &str) -> Self {
        self.problem = format!("{}: {}", quoted(text), self.problem);
        self
    }
}

impl From<KeyError> for SyntaxError {
    fn from(error: KeyError) -> Self {
        let (start, end) = error.at;
        Self {
            at: Span { start, end },
            problem: error.problem,
            allowed: Some(error.allowed.to_owned()),
            hint: None,
        }
    }
}

/// The longest name that is compared; the distance is quadratic in the length.
const LONGEST_COMPARED: usize = 64;

/// The valid name that a misspelt one was most likely meant to be. Case, `_` and `-` do not count as differences, a
/// third of the letters may be wrong (at least one), and a swap of two neighbours is one mistake. Failing that, one that begins with
/// the name.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .flat_map(char::to_lowercase)
            .collect()
    };
    if name.is_empty() || name.len() > LONGEST_COMPARED {
        return None;
    }
    let wanted = plain(name);
    let bound = (wanted.chars().count() / 3).max(1);
    let names: Vec<&'a str> = names.into_iter().collect();
    let close = names
        .iter()
        .filter(|candidate| candidate.len() <= LONGEST_COMPARED)
        .map(|&candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= bound && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    // A name that was cut short is far away by letters.
    close.or_else(|| {
        names
            .into_iter()
            .find(|candidate| wanted.len() >= 4 && plain(candidate).starts_with(&wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["rate", "timeUnit", "duration", "preAllocatedVUs", "maxVUs"];
        assert_eq!(nearest("rat", keys), Some("rate"));
        assert_eq!(nearest("time_unit", keys), Some("timeUnit"));
        assert_eq!(nearest("preallocatedvus", keys), Some("preAllocatedVUs"));
        assert_eq!(nearest("duratoin", keys), Some("duration"));
        assert_eq!(nearest("preAlloc", keys), Some("preAllocatedVUs"));
        assert_eq!(nearest("banana", keys), None);
        assert_eq!(
            nearest("x", ["a"]),
            None,
            "a single wrong letter is not a near miss"
        );
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn says_all_it_knows() {
        let error = SyntaxError::new(0, "unknown unit \"sec\"")
            .allowed("ms, s, m")
            .nearest("sx", ["s"]);
        assert_eq!(error.to_string(), "unknown unit \"sec\"; allowed: ms, s, m");
        assert_eq!(
            error.clone().nearest("sec", ["secs"]).to_string(),
            "unknown unit \"sec\"; did you mean \"secs\"? allowed: ms, s, m"
        );
        assert_eq!(
            error.hint("write it so").naming("1sec").to_string(),
            "\"1sec\": unknown unit \"sec\"; write it so; allowed: ms, s, m"
        );
    }

    #[test]
    fn a_place_is_kept_in_a_longer_text() {
        let end = SyntaxError::new(1, "x").within(5..9).at;
        assert_eq!((end.start, end.end), (6, Some(9)));
        let part = SyntaxError::new(1..2, "x").within(5..9).at;
        assert_eq!((part.start, part.end), (6, Some(7)));
    }
}
