//! What stands for confidential values in a definition.

use crate::draft::{Secret, literal};
use crate::members::{Member, secret_members};
use crate::options::slug;
use std::collections::{BTreeMap, BTreeSet};

/// A confidential value is left out elsewhere, too, from this length in bytes on: a shorter one is a common word.
pub(crate) const MIN_ELSEWHERE: usize = 8;

/// References for confidential values: the same value has the same one.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    by_value: BTreeMap<String, String>,
    /// Names of users, which are words in other places.
    users: BTreeSet<String>,
    /// Values within confidential ones (a cookie in a header), each with a name and a place for where it is met alone.
    parts: BTreeMap<String, (String, String)>,
    /// In the order in which they were met.
    pub(crate) all: Vec<Secret>,
}

impl Secrets {
    /// A reference that stands for a value.
    pub(crate) fn keep(&mut self, name: &str, value: &str, place: &str) -> String {
        if let Some(known) = self.by_value.get(value) {
            return format!("${{secret:{known}}}");
        }
        let base = slug(name, '-', 40);
        let base = if base.is_empty() {
            "secret".to_owned()
        } else {
            base
        };
        let mut name = base.clone();
        let mut n = 1;
        while self.all.iter().any(|secret| secret.name == name) {
            n += 1;
            name = format!("{base}-{n}");
        }
        self.by_value.insert(value.to_owned(), name.clone());
        self.all.push(Secret {
            name: name.clone(),
            place: place.to_owned(),
        });
        format!("${{secret:{name}}}")
    }

    /// A reference that stands for the name of a user.
    pub(crate) fn keep_user(&mut self, name: &str, user: &str, place: &str) -> String {
        self.users.insert(user.to_owned());
        self.keep(name, user, place)
    }

    /// Remembers a value that must not be written, and has a reference only if it is met elsewhere.
    pub(crate) fn remember(&mut self, name: &str, value: &str, place: &str) {
        let part = || (name.to_owned(), place.to_owned());
        self.parts.entry(value.to_owned()).or_insert_with(part);
    }

    /// What must not be written anywhere, each with a name and a place to keep it by.
    pub(crate) fn hidden(&self) -> Vec<(String, String, String)> {
        let kept = self.by_value.iter().filter_map(|(value, name)| {
            let secret = self.all.iter().find(|secret| secret.name == *name)?;
            Some((value, name, &secret.place))
        });
        let parts = self.parts.iter();
        kept.filter(|(value, ..)| !self.users.contains(*value))
            .chain(parts.map(|(value, (name, place))| (value, name, place)))
            .filter(|(value, ..)| value.len() >= MIN_ELSEWHERE)
            .map(|(value, name, place)| (value.clone(), name.clone(), place.clone()))
            .collect()
    }

    /// The reference to a value that was found confidential before.
    pub(crate) fn known(&self, value: &str) -> Option<String> {
        let name = self
            .by_value
            .get(value)
            .filter(|_| value.len() >= MIN_ELSEWHERE)?;
        Some(format!("${{secret:{name}}}"))
    }

    /// Text that is nothing we take apart, as a template without what is confidential by the name before it.
    pub(crate) fn in_text(&mut self, text: &str, place: &str) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for Member { name, value } in secret_members(text) {
            // A variable of a shell stays as it is.
            if text[value.clone()].contains("${") {
                continue;
            }
            out.push_str(&literal(&text[done..value.start]));
            out.push_str(&self.keep(&name, &text[value.clone()], place));
            done = value.end;
        }
        out + &literal(&text[done..])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_shape_and_loses_its_secrets() {
        let mut secrets = Secrets::default();
        let text = "<s:Envelope><s:password>hunter2!</s:password><user>ann</user></s:Envelope>";
        let told = secrets.in_text(text, "POST /soap");
        assert_eq!(
            told,
            "<s:Envelope><s:password>${secret:password}</s:password><user>ann</user></s:Envelope>"
        );
        assert_eq!(
            secrets.in_text("a=1&password=hunter2!&cost=${5}", "x"),
            "a=1&password=${secret:password}&cost=$${5}"
        );
        assert_eq!(secrets.all.len(), 1, "the same value has the same name");
    }
}
