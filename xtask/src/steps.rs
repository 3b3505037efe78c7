//! Steps that are run, skipped or fail, and the account of them at the end.

use anyhow::{Result, bail};
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// What became of the steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Outcome, Duration)>,
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed(String),
    LeftOut(String),
}

impl Steps {
    /// Runs a command with its output shown. A failure is noted and the next step can go on; says whether it succeeded.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> bool {
        eprintln!("\n── {name}: {}", shown(command));
        let start = Instant::now();
        let outcome = match command.status() {
            Ok(status) if status.success() => Outcome::Ok,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("cannot be started: {error}")),
        };
        let succeeded = outcome == Outcome::Ok;
        self.done.push((name.into(), outcome, start.elapsed()));
        succeeded
    }

    /// Notes a step that is not run, and why.
    pub(crate) fn leave_out(&mut self, name: &str, why: impl Into<String>) {
        self.done
            .push((name.into(), Outcome::LeftOut(why.into()), Duration::ZERO));
    }

    /// Notes a step that failed without a command of its own.
    pub(crate) fn fail(&mut self, name: &str, why: impl Into<String>) {
        self.done
            .push((name.into(), Outcome::Failed(why.into()), Duration::ZERO));
    }

    /// Notes a step that is done without a command of its own.
    pub(crate) fn note(&mut self, name: &str, took: Duration) {
        self.done.push((name.into(), Outcome::Ok, took));
    }

    /// Prints the account.
    ///
    /// # Errors
    /// If a step has failed.
    pub(crate) fn finish(self) -> Result<()> {
        eprintln!("\n{}", self.account());
        let failed: Vec<_> = self.failed().collect();
        if failed.is_empty() {
            Ok(())
        } else {
            bail!("failed: {}", failed.join(", "))
        }
    }

    fn failed(&self) -> impl Iterator<Item = &str> {
        let failed = self
            .done
            .iter()
            .filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)));
        failed.map(|(name, ..)| name.as_str())
    }

    fn account(&self) -> String {
        let width = self
            .done
            .iter()
            .map(|(name, ..)| name.len())
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (name, outcome, took) in &self.done {
            let outcome = match outcome {
                Outcome::Ok => "ok".to_owned(),
                Outcome::Failed(how) => format!("FAILED ({how})"),
                Outcome::LeftOut(why) => format!("left out: {why}"),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{name:width$}  {:>7.1} s  {outcome}",
                took.as_secs_f64()
            );
        }
        text
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_does_not_stop_the_rest_but_the_end() {
        let mut steps = Steps::default();
        assert!(steps.run("fine", &mut Command::new("true")));
        assert!(!steps.run("wrong", &mut Command::new("false")));
        assert!(!steps.run("absent", &mut Command::new("/nonexistent/program")));
        steps.leave_out("other", "nothing to do");
        let account = steps.account();
        assert!(
            account.contains("wrong") && account.contains("FAILED (exit status: 1)"),
            "{account}"
        );
        assert!(account.contains("left out: nothing to do"), "{account}");
        assert_eq!(
            steps.finish().unwrap_err().to_string(),
            "failed: wrong, absent"
        );
    }

    #[test]
    fn nothing_failed_is_success() {
        let mut steps = Steps::default();
        steps.note("all", Duration::ZERO);
        steps.leave_out("some", "absent");
        steps.finish().unwrap();
    }
}
