use super::*;
use floodgate_records::audit::Action;

fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        at_ms: n.cast_signed(),
        principal: format!("ann \"{n}\",\"hash\":\"\n"),
        action: Action::Start.into(),
        execution: format!("run-{n}"),
        outcome: "started".into(),
        ..AuditEntry::default()
    }
}

/// Lines of a trail of `n` entries, behind these.
fn trail(before: &[&str], n: u64) -> (Vec<String>, Head) {
    let mut lines: Vec<String> = before.iter().map(|&line| line.to_owned()).collect();
    let mut head = beginning("shop", joined(&lines).as_bytes());
    for n in 1..=n {
        let (line, next) = seal(&entry(n), &head).unwrap();
        lines.push(line);
        head = next;
    }
    (lines, head)
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn findings(lines: &[String], head: Option<&Head>) -> Vec<Finding> {
    let log = AuditLog {
        bytes: joined(lines).into(),
        head: head.cloned(),
    };
    verify("shop", &log, &[]).findings
}

#[test]
fn a_whole_trail_is_whole() {
    let (lines, head) = trail(&[], 5);
    assert_eq!(findings(&lines, Some(&head)), []);
    assert_eq!(last(joined(&lines).as_bytes()), Some(head.clone()));
    assert_eq!(head.to_string().parse(), Ok(head.clone()));
    for wrong in ["", "5", "x:y", &head.to_string()[..20]] {
        assert!(Head::from_str(wrong).is_err(), "{wrong}");
    }
    let read: AuditEntry = serde_json::from_str(&lines[2]).unwrap();
    assert_eq!(read, entry(3), "the place in the chain is beside the entry");
    let empty = verify("shop", &AuditLog::default(), &[]);
    assert_eq!((empty.chained, empty.findings), (0, Vec::new()));
    assert_eq!(empty.head, None);
}

#[test]
fn any_byte_that_is_changed_is_found() {
    let (lines, head) = trail(&[], 3);
    let whole = joined(&lines);
    for at in 0..whole.len() {
        let mut bytes = whole.clone().into_bytes();
        bytes[at] ^= 1;
        let log = AuditLog {
            bytes,
            head: Some(head.clone()),
        };
        let found = verify("shop", &log, &[]).findings;
        assert!(!found.is_empty(), "byte {at} of {whole}");
    }
}

#[test]
fn a_removed_a_moved_and_a_doubled_entry_are_named() {
    let (lines, head) = trail(&[], 6);
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        findings(&lines, Some(&head))
    };
    let gone = |n| Finding::Removed { first: n, last: n };
    for at in 0..5 {
        assert_eq!(without(at), [gone(at as u64 + 1)]);
    }
    let mut moved = lines.clone();
    moved.swap(2, 3);
    assert_eq!(
        findings(&moved, Some(&head)),
        [Finding::Moved { seq: 3, line: 4 }]
    );
    let mut twice = lines.clone();
    twice.insert(4, lines[1].clone());
    assert_eq!(
        findings(&twice, Some(&head)),
        [Finding::Twice { seq: 2, line: 5 }]
    );
}

#[test]
fn a_trail_that_was_cut_off_is_not_whole() {
    let (lines, head) = trail(&[], 6);
    let cut = Finding::Truncated { first: 5, last: 6 };
    assert_eq!(findings(&lines[..4], Some(&head)), [cut]);
    let all = Finding::Truncated { first: 1, last: 6 };
    assert_eq!(findings(&[], Some(&head)), [all]);
    assert_eq!(findings(&lines, None), [Finding::NoHead]);
    // Its writer may have been interrupted before it kept the head, but once.
    let at = |n: u64| {
        let (_, head) = trail(&[], n);
        head
    };
    assert_eq!(findings(&lines, Some(&at(5))), []);
    let past = Finding::PastHead { head: 4, newest: 6 };
    assert_eq!(findings(&lines, Some(&at(4))), [past]);
}

#[test]
fn an_entry_that_is_sealed_anew_does_not_fit() {
    let (mut lines, head) = trail(&[], 4);
    let (_, before) = trail(&[], 1);
    let forged = AuditEntry {
        principal: "bob".into(),
        ..entry(2)
    };
    let (line, mut at) = seal(&forged, &before).unwrap();
    lines[1] = line;
    assert_eq!(
        findings(&lines, Some(&head)),
        [Finding::Unlinked { seq: 3, before: 2 }]
    );
    // The whole rest written anew: only a head that was kept tells.
    for n in 3..=4 {
        let (line, next) = seal(&entry(n), &at).unwrap();
        lines[n as usize - 1] = line;
        at = next;
    }
    assert_eq!(
        findings(&lines, Some(&head)),
        [Finding::Rewritten { seq: 4 }]
    );
    let log = AuditLog {
        bytes: joined(&lines).into(),
        head: Some(at),
    };
    assert_eq!(verify("shop", &log, &[]).findings, []);
    assert_eq!(
        verify("shop", &log, std::slice::from_ref(&head)).findings,
        [Finding::Rewritten { seq: 4 }]
    );
}

#[test]
fn what_was_there_before_the_chain_is_covered_by_its_beginning() {
    let old = r#"{"at_ms":1,"principal":"ann","action":"start","execution":"x","version":"v","outcome":"ok"}"#;
    let (lines, head) = trail(&[old, old], 2);
    let log = |lines: &[String]| AuditLog {
        bytes: joined(lines).into(),
        head: Some(head.clone()),
    };
    let found = verify("shop", &log(&lines), &[]);
    assert_eq!((found.before, found.chained), (2, 2));
    assert_eq!(found.findings, []);
    assert_eq!(
        verify("bank", &log(&lines), &[]).findings,
        [Finding::Beginning],
        "another project's trail"
    );
    assert_eq!(
        verify("shop", &log(&lines[1..]), &[]).findings,
        [Finding::Beginning]
    );
    let mut later = lines;
    later.push(old.to_owned());
    later.insert(3, "{\"at_ms\":1,\"prin".to_owned());
    assert_eq!(
        verify("shop", &log(&later), &[]).findings,
        [
            Finding::Unreadable { line: 4 },
            Finding::Unchained { line: 6 }
        ]
    );
}
