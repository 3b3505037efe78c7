//! Gatling's exit codes
//! (<https://github.com/gatling/gatling/blob/main/gatling-app/src/main/scala/io/gatling/app/cli/StatusCode.scala>).

use crate::launch::Exit;

/// What an exit code of Gatling, or of the JVM that ran it, means. Failed assertions (2) are none of the run's faults: they are
/// evaluated on the data of all tasks.
pub fn exit(code: i32) -> Exit {
    match code {
        0 | 2 => Exit::Completed,
        // 128 + SIGINT and SIGTERM: how a JVM ends that was asked to.
        130 | 143 => Exit::Stopped,
        1 => Exit::Failed {
            meaning: "Gatling crashed or refused its arguments; its last lines say why",
        },
        // -XX:+ExitOnOutOfMemoryError.
        3 => Exit::Failed {
            meaning: "the JVM ran out of memory: give the task more, or spread the load over more tasks",
        },
        137 => Exit::Failed {
            meaning: "the JVM was killed: out of memory, or by someone",
        },
        _ => Exit::Failed {
            meaning: "no exit code of Gatling's: the JVM died, or the simulation called System.exit",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ended_by_itself_is_complete() {
        assert_eq!(exit(0), Exit::Completed);
        assert_eq!(exit(2), Exit::Completed);
        assert_eq!(exit(143), Exit::Stopped);
        for code in [1, 3, 134, 137, -1] {
            assert!(matches!(exit(code), Exit::Failed { .. }), "{code}");
        }
    }
}
