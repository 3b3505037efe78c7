//! Logs that are cut off, damaged or of another version.

use super::*;

#[test]
fn versions_that_are_not_known_are_refused() {
    let head = |version: &str| {
        let mut log = vec![0, 0, 0, 0, version.len() as u8];
        log.extend_from_slice(version.as_bytes());
        log.push(0);
        log
    };
    for (log, what) in [
        (head("3.16.0"), "the binary log of Gatling 3.16.0"),
        (head("4.0.0"), "the binary log of Gatling 4.0.0"),
        (
            b"RUN\ta\tb\t1\t \t2.3.1\n".to_vec(),
            "the text log of Gatling 2.3.1",
        ),
        (
            b"RUN\ta\tb\t1\t \t3.13.0\n".to_vec(),
            "the text log of Gatling 3.13.0",
        ),
    ] {
        let error = read(&[&log]).unwrap_err();
        assert!(matches!(error, ReadError::Unknown { .. }), "{error}");
        assert!(error.to_string().starts_with(what), "{error}");
    }
}

#[test]
fn what_is_no_log_is_refused_with_its_place() {
    let twice = [BINARY, BINARY].concat();
    let again = format!("the record at byte {}: a record of kind 0", BINARY.len());
    for (log, expected) in [
        (&b"<html>"[..], "byte 1: 0x3c begins no simulation.log"),
        (b"REQUEST\t\ta\t1\t2\tOK\t \n", "line 1: \"REQUEST"),
        (
            b"RUN\ta\tb\t1\t \t3.12.0\nREQUEST\t\ta\t1\tx2\tOK\t \n",
            "line 2: there is no end in ms",
        ),
        (b"RUN\ta\tb\t1\t \t3.12.0\nHELLO\t1\n", "line 2: \"HELLO"),
        (&twice, &*again),
        (
            &[0, 0x7f, 0, 0, 0],
            "the record at byte 0: a value of 2130706432 bytes",
        ),
    ] {
        let error = read(&[log]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// What a killed Gatling leaves.
#[test]
fn a_log_that_ends_within_a_record_keeps_what_it_had() {
    for log in [TEXT, BINARY] {
        let whole = sums(&read(&[log]).unwrap().0);
        let (rows, warnings) = read(&[&log[..log.len() / 2 + 3]]).unwrap();
        let half = sums(&rows);
        assert!(half["http_reqs{expected_response:true,name:home}"].1 > 5.0);
        assert!(
            half["http_reqs{expected_response:true,name:home}"].1
                < whole["http_reqs{expected_response:true,name:home}"].1
        );
        assert!(
            warnings.iter().any(|w| w.contains("ends within a record")),
            "{warnings:?}"
        );
    }
    let (_, warnings) = read(&[]).unwrap();
    assert_eq!(
        warnings,
        ["the log ends before its head does: Gatling did not come to run"]
    );
}

proptest! {
    #[test]
    fn cuts_change_nothing(cuts in prop::collection::vec(0usize..40_000, 0..20), text in any::<bool>()) {
        let log = if text { TEXT } else { BINARY };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(log.len())).chain([0, log.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &log[ends[0]..ends[1]]).collect();
        prop_assert_eq!(sums(&read(&pieces).unwrap().0), sums(&read(&[log]).unwrap().0));
    }

    #[test]
    fn damage_is_an_error_or_not_but_never_a_panic(
        damage in prop::collection::vec((0usize..40_000, any::<u8>()), 1..10),
        text in any::<bool>(),
    ) {
        let mut log = if text { TEXT.to_vec() } else { BINARY.to_vec() };
        for (at, byte) in damage {
            let at = at % log.len();
            log[at] = byte;
        }
        let _ = read(&[&log]);
    }
}

/// As repositories and editors keep a log: without the blanks at the ends of lines, and without the last line break.
#[test]
fn a_log_whose_blanks_and_last_line_break_are_gone_is_the_same() {
    let text = std::str::from_utf8(TEXT).unwrap();
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    let whole = read(&[TEXT]).unwrap();
    for ending in ["\n", "\r\n"] {
        let lines = trimmed.join(ending);
        assert_ne!(lines.len(), text.len());
        let found = read(&[lines.as_bytes()]).unwrap();
        assert_eq!(sums(&found.0), sums(&whole.0));
        assert_eq!(found.1, whole.1);
    }
}

#[test]
fn half_a_last_line_is_left_out_with_a_warning() {
    let head = "RUN\ta.B\tb\t1628588468304\t \t3.5.1\n";
    let request = "REQUEST\t\tlogin\t1628588469069\t1628588469812\tOK";
    for (line, requests) in [
        (request.to_owned(), 1),
        (format!("{request}\t "), 1),
        (request.replace("OK", "KO\tstatus"), 1),
        (request.replace("\tOK", ""), 0),
        (request.replace("OK", "O"), 0),
        ("USER\ts\tSTART\t162858".to_owned(), 0),
    ] {
        let (rows, warnings) = read(&[format!("{head}{line}").as_bytes()]).unwrap();
        let counted: u64 = rows
            .iter()
            .filter(|row| row.key.metric == "http_req_failed")
            .map(|row| row.count)
            .sum();
        assert_eq!(counted, requests, "{line}");
        let cut = warnings
            .iter()
            .filter(|w| w.contains("ends within a record"))
            .count();
        assert_eq!(cut as u64, 1 - requests, "{line}: {warnings:?}");
    }
}

#[test]
fn a_request_that_ends_before_it_starts_is_named_with_its_line() {
    let log = "RUN\ta.B\tb\t1628588468304\t \t3.5.1\nREQUEST\t\tlogin\t1628588469812\t1628588469069\tOK\t \n";
    let error = read(&[log.as_bytes()]).unwrap_err().to_string();
    assert!(
        error.starts_with("line 2: ") && error.contains("ends before it starts"),
        "{error}"
    );
}
