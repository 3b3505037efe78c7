//! k6's exit codes, from <https://github.com/grafana/k6/blob/v2.2.0/errext/exitcodes/codes.go>; the same in 1.x.

use crate::launch::Exit;

/// What an exit code of `k6 run` means. A signal that ended it is -1.
pub fn exit(code: i32) -> Exit {
    let failed = |meaning| Exit::Failed { meaning };
    match code {
        0 => Exit::Completed,
        // 103 is an order by the REST API, 105 a signal: both ours, or of whoever runs this machine.
        103 | 105 => Exit::Stopped,
        108 => Exit::Aborted {
            meaning: "the script called test.abort()",
        },
        110 => Exit::Marked,
        97 => failed("the run in the cloud failed"),
        98 => failed("the cloud did not tell how the run goes on"),
        // Cannot happen with --no-thresholds, short of a script that is run by hand.
        99 => failed("k6 evaluated thresholds itself, and they failed"),
        100 => failed("setup() took longer than setupTimeout"),
        101 => failed("teardown() took longer than teardownTimeout"),
        102 => failed("a time-out"),
        104 => failed("the script's options are not valid"),
        106 => failed("the port of its REST API is taken"),
        107 => failed("the script threw an exception outside of an iteration"),
        109 => failed("k6 itself crashed"),
        127 => failed("k6 was not found"),
        _ => failed("k6 failed without saying more than its last lines"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zero_is_a_complete_run() {
        for code in (-1..=255).filter(|&code| code != 0) {
            assert_ne!(exit(code), Exit::Completed, "{code}");
        }
        assert_eq!(exit(0), Exit::Completed);
        assert_eq!(exit(105), Exit::Stopped);
        assert_eq!(exit(110), Exit::Marked);
        assert!(matches!(exit(108), Exit::Aborted { meaning } if meaning.contains("abort")));
        assert!(matches!(exit(107), Exit::Failed { meaning } if meaning.contains("exception")));
    }
}
