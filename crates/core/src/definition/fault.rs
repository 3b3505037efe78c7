//! What is wrong with a definition, and where.

use super::place::{Mark, Path};
use crate::syntax::{SyntaxError, nearest, remedies, remedy};
use floodgate_records::printable::{printable, shows};
use std::fmt;
use unicode_width::UnicodeWidthStr as _;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The definition cannot be used.
    Error,
    /// The definition can be used, and probably does something else than was meant.
    Warning,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The definition's file, or the override: `--set scenarios.browse.rate`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The keys that lead there: `scenarios.browse.flow[2].checks[0]`; empty for the whole definition.
    pub path: String,
}

/// One thing that is wrong.
///
/// `{}` is one line: `definition.yaml:7:5: scenarios.browse.rat: unknown key; did you mean "rate"?`; that it is a warning is
/// said by whoever shows it. `{:#}` shows the line with a caret below, as a compiler does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong, with the offending value as it is written; secrets are never resolved in it.
    pub problem: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// The nearest valid name in quotes, or another remedy.
    pub hint: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The line it stands in, cut to [`EXCERPT`] characters, and how many characters the caret spans.
    pub(super) excerpt: (String, u32),
}

/// The longest shown part of a line.
const EXCERPT: usize = 160;

impl Fault {
    fn fmt_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            file,
            line,
            column,
            path,
        } = &self.place;
        write!(f, "{}:{line}:{column}: ", printable(file))?;
        if !path.is_empty() {
            write!(f, "{}: ", printable(path))?;
        }
        let tail = remedies(self.hint.as_deref(), self.allowed.as_deref());
        write!(f, "{}{}", printable(&self.problem), printable(&tail))
    }

    fn fmt_picture(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            file,
            line,
            column,
            path,
        } = &self.place;
        let lead = if self.severity == Severity::Warning {
            "warning"
        } else {
            "error"
        };
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{lead}: {}", printable(&self.problem))?;
        write!(f, "{margin}--> {}:{line}:{column}", printable(file))?;
        if !path.is_empty() {
            write!(f, " ({})", printable(path))?;
        }
        let (text, width) = &self.excerpt;
        let text = veiled(text);
        let before = *column as usize - 1;
        if !text.trim().is_empty() && before <= text.chars().count() {
            // Tabs stay tabs, so that the caret stands below its character whatever their width is; others may take two columns.
            let lead: String = text.chars().take(before).collect();
            let gaps: Vec<_> = lead
                .split('\t')
                .map(|part| " ".repeat(part.width()))
                .collect();
            let indent = gaps.join("\t");
            let under: String = text.chars().skip(before).take(*width as usize).collect();
            write!(
                f,
                "\n{margin} |\n{number} | {text}\n{margin} | {indent}{}",
                "^".repeat(under.width().max(1))
            )?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{margin} = help: {}", printable(&remedy(hint)))?;
        }
        if let Some(allowed) = &self.allowed {
            write!(f, "\n{margin} = allowed: {}", printable(allowed))?;
        }
        Ok(())
    }
}

/// A line with a sign for each character that must not reach a terminal, so that the caret stands where it should. Tabs stay.
fn veiled(line: &str) -> String {
    let veil = |c| if shows(c) || c == '\t' { c } else { '\u{fffd}' };
    line.chars().map(veil).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            self.fmt_picture(f)
        } else {
            self.fmt_line(f)
        }
    }
}

/// Everything that is wrong with a definition, sorted by place. Never empty, and at least one is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(if f.alternate() { "\n\n" } else { "\n" })?;
            }
            if fault.severity == Severity::Warning && !f.alternate() {
                f.write_str("warning: ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A fault before its place has been looked up.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    mark: Mark,
    path: Path,
    problem: String,
    allowed: Option<String>,
    hint: Option<String>,
    severity: Severity,
}

impl Issue {
    pub(super) fn new(mark: Mark, path: &Path, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self {
            mark,
            path: path.clone(),
            problem,
            allowed: None,
            hint: None,
            severity: Severity::Error,
        }
    }

    pub(super) fn syntax(mark: Mark, path: &Path, error: SyntaxError) -> Self {
        let SyntaxError {
            problem,
            allowed,
            hint,
            ..
        } = error;
        Self {
            allowed,
            hint,
            ..Self::new(mark, path, problem)
        }
    }

    pub(super) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn nearest<'a>(
        mut self,
        name: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.hint = nearest(name, names)
            .map(|name| format!("\"{name}\""))
            .or(self.hint);
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// Faults are kept up to this many; a hostile definition could have one a byte.
pub(super) const MAX_FAULTS: usize = 100;

/// Collects what is wrong and knows the texts that marks point into.
#[derive(Debug)]
pub(super) struct Sink {
    /// Names and lines: the file, then an override each.
    sources: Vec<(String, Vec<String>)>,
    issues: Vec<Issue>,
    left_out: usize,
}

impl Sink {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let mut sink = Self {
            sources: Vec::new(),
            issues: Vec::new(),
            left_out: 0,
        };
        sink.source(name, text);
        sink
    }

    /// Adds a text that marks can point into, and gives its number.
    pub(super) fn source(&mut self, name: &str, text: &str) -> u16 {
        // Lines are kept only as far as they may be shown.
        let lines = text
            .lines()
            .map(|line| line.chars().take(EXCERPT).collect())
            .collect();
        self.sources.push((name.to_owned(), lines));
        u16::try_from(self.sources.len() - 1).unwrap_or(u16::MAX)
    }

    pub(super) fn push(&mut self, issue: Issue) {
        if self.issues.len() < MAX_FAULTS {
            self.issues.push(issue);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn extend(&mut self, issue: Option<Issue>) {
        issue.into_iter().for_each(|issue| self.push(issue));
    }

    /// Whether a definition comes of it.
    pub(super) fn has_errors(&self) -> bool {
        self.left_out > 0
            || self
                .issues
                .iter()
                .any(|issue| issue.severity == Severity::Error)
    }

    /// Whether there is an error at a place in the tree, or below it.
    pub(super) fn has_errors_below(&self, path: &Path) -> bool {
        let mut errors = (self.issues.iter()).filter(|issue| issue.severity == Severity::Error);
        errors.any(|issue| issue.path.is_below(path))
    }

    /// All that was collected, sorted by place.
    pub(super) fn finish(mut self) -> Faults {
        self.drain()
    }

    /// What was collected so far, sorted by place; the sink goes on empty.
    pub(super) fn drain(&mut self) -> Faults {
        let (mut issues, left_out) = (
            std::mem::take(&mut self.issues),
            std::mem::take(&mut self.left_out),
        );
        issues.sort_by_key(|issue| (issue.mark.source, issue.mark.line, issue.mark.column));
        let mut faults: Vec<_> = issues.iter().map(|issue| self.place(issue)).collect();
        if let (Some(last), 1..) = (faults.last().cloned(), left_out) {
            let problem = format!("{left_out} more faults are left out");
            faults.push(Fault {
                problem,
                allowed: None,
                hint: Some("correct those above first".to_owned()),
                ..last
            });
        }
        Faults(faults)
    }

    fn place(&self, issue: &Issue) -> Fault {
        let Mark {
            source,
            line,
            column,
            width,
            ..
        } = issue.mark;
        let (file, lines) = &self.sources[usize::from(source).min(self.sources.len() - 1)];
        let text = lines
            .get((line as usize).saturating_sub(1))
            .cloned()
            .unwrap_or_default();
        Fault {
            place: Place {
                file: file.clone(),
                line,
                column,
                path: issue.path.to_string(),
            },
            problem: issue.problem.clone(),
            allowed: issue.allowed.clone(),
            hint: issue.hint.clone(),
            severity: issue.severity,
            excerpt: (text, width),
        }
    }
}
