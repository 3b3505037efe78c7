//! What JMeter's exit codes mean.

use crate::launch::Exit;

/// What an exit code of JMeter says. It is 0 whatever the samples were: the verdict comes from them.
pub fn exit(code: i32) -> Exit {
    match code {
        0 => Exit::Completed,
        // By SIGINT and SIGTERM; its shutdown hook has closed the results.
        130 | 143 => Exit::Stopped,
        1 => Exit::Failed {
            meaning: "JMeter could not run the plan: its last lines say why",
        },
        134 | 137 => Exit::Failed {
            meaning: "the JVM was killed or gave up: does the task have enough memory?",
        },
        _ => Exit::Failed {
            meaning: "the JVM ended with a code that JMeter does not use",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_have_meanings() {
        assert_eq!(exit(0), Exit::Completed);
        assert_eq!(exit(143), Exit::Stopped);
        assert!(matches!(exit(1), Exit::Failed { meaning } if meaning.contains("could not run")));
        assert!(matches!(exit(137), Exit::Failed { meaning } if meaning.contains("memory")));
    }
}
