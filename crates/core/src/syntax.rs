//! What the small grammars inside scalars share (durations, templates, checks): an error that knows its place, and the
//! nearest name to a misspelt one.

/// Why a text does not follow its grammar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem}{}{}",
    said("; did you mean ", hint),
    said("; allowed: ", allowed)
)]
pub struct SyntaxError {
    /// Where in the text, in bytes from its start; always on a character's boundary.
    pub at: usize,
    /// What is wrong, with the offending part.
    pub problem: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// A remedy, or the nearest valid name in quotes.
    pub hint: Option<String>,
}

fn said(lead: &str, text: &Option<String>) -> String {
    text.as_ref()
        .map(|text| format!("{lead}{text}"))
        .unwrap_or_default()
}

impl SyntaxError {
    /// An error at a byte of the text.
    pub fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
            allowed: None,
            hint: None,
        }
    }

    /// With what would be right.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// With the nearest of the valid names, if one is near, in quotes.
    #[must_use]
    pub fn nearest<'a>(mut self, name: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.hint = nearest(name, names).map(|name| format!("\"{name}\""));
        self
    }

    /// The same error in a text that has `by` more bytes in front.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.at += by;
        self
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

/// A text as it stands in a message: quoted, escaped, and cut when it is long.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        format!("{text:?}")
    } else {
        let head: String = text.chars().take(SHOWN).collect();
        format!("{head:?}…")
    }
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
            "one letter that is wrong is no likeness"
        );
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn says_all_it_knows() {
        let error = SyntaxError::new(0, "unknown unit \"sec\"")
            .allowed("ms, s, m")
            .nearest("sx", ["s"]);
        assert_eq!(error.to_string(), "unknown unit \"sec\"; allowed: ms, s, m");
    }
}
