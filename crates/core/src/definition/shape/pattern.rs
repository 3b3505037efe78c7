//! Regular expressions that the parser and the schema have in common.

use regex::Regex;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// Compiled when they are first asked for: a definition has few names, and reading one is seldom.
    static COMPILED: RefCell<HashMap<&'static str, Option<Regex>>> = RefCell::default();
}

/// Whether a text matches a pattern; nothing matches one that is not a regular expression.
pub(in crate::definition) fn matches(pattern: &'static str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|compiled| {
        let regex = compiled.entry(pattern);
        let regex = regex.or_insert_with(|| Regex::new(pattern).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    })
}
