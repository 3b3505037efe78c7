//! What is said of an export.

use floodgate_export::{Report, Target};

/// What became of an export.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where it went.
    pub url: String,
    /// What was delivered.
    pub report: Report,
    /// Samples that were counted in `name=__other__` for it.
    pub folded: u64,
    /// Why it did not come to its end, if it did not.
    pub broken: Option<String>,
    /// Whether `floodgate export` can repeat it.
    pub repeatable: bool,
}

impl Told {
    /// Nothing has been delivered to a target.
    pub fn new(target: &Target) -> Self {
        Self {
            repeatable: !target.scheme.serves,
            ..Self::of(&target.to_string())
        }
    }

    /// Nothing has been delivered to a URL, which holds no secret.
    pub fn of(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            report: Report::default(),
            folded: 0,
            broken: None,
            repeatable: true,
        }
    }

    /// What is wrong, if anything is: goes on from the URL.
    pub fn problem(&self) -> Option<String> {
        let Report { taken, lost, .. } = self.report;
        let mut reasons = self.report.problems.clone();
        reasons.extend(self.broken.clone());
        match (lost, reasons.is_empty()) {
            (0, true) => None,
            (0, false) => Some(reasons.join("; ")),
            (lost, true) => Some(format!("lacks {lost} of {}", rows(taken + lost))),
            (lost, false) => {
                let (all, why) = (rows(taken + lost), reasons.join("; "));
                Some(format!("lacks {lost} of {all}: {why}"))
            }
        }
    }

    /// What all warnings of an export to a URL begin with, and those of no other one.
    pub fn about(url: &str) -> String {
        format!("export to {url} ")
    }

    /// What a reader of the run should know: what the sink did not get, with the command that exports again, and what was folded. `place` are
    /// the options that say where the run is, such as ` --cloud`.
    pub fn warnings(&self, id: &str, place: &str) -> Vec<String> {
        let (about, url) = (Self::about(&self.url), &self.url);
        let again = match self.repeatable {
            true => format!("; again: floodgate export {id}{place} --to '{url}'"),
            false => String::new(),
        };
        let problem = self.problem().map(|problem| {
            format!("{about}{problem}; the run and its verdict are not affected{again}")
        });
        let folded = (self.folded > 0).then(|| {
            let folded = counted(self.folded, "sample");
            format!("{about}counts {folded} of series past max_series in name=__other__")
        });
        problem.into_iter().chain(folded).collect()
    }
}

/// `1 row`, `2 rows`.
fn rows(n: u64) -> String {
    counted(n, "row")
}

fn counted(n: u64, one: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_repeated_is_not_advised() {
        let told = |repeatable| Told {
            broken: Some("cannot listen there".to_owned()),
            repeatable,
            ..Told::of("metrics://h")
        };
        let says = |told: Told| told.warnings("ID", " --out runs").join("; ");
        assert!(
            says(told(true)).contains("again: floodgate export ID --out runs --to 'metrics://h'")
        );
        let said = says(told(false));
        assert!(said.contains("cannot listen there") && !said.contains("again"));
    }
}
