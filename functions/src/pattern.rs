//! Patterns of names and ARNs.

/// Whether a text has the shape of a pattern in which `*` stands for any characters, and `?` for one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = text.chars();
    for (at, wanted) in pattern.char_indices() {
        if wanted == '*' {
            let (after, text) = (&pattern[at + 1..], rest.as_str());
            return (0..=text.len())
                .any(|i| text.is_char_boundary(i) && matches(after, &text[i..]));
        }
        match rest.next() {
            Some(found) if wanted == '?' || found == wanted => {}
            _ => return false,
        }
    }
    rest.as_str().is_empty()
}
