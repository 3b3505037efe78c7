//! Engines that die, hang, flood or write rubbish: a Java that is a script of the shell plays JMeter.

use super::{copied, definition};
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use std::os::unix::fs::PermissionsExt;

/// A line as JMeter writes it, without its time.
const SAMPLE: &str = ",12,home,200,OK,browse 1-1,text,true,,300,100,1,1,http://127.0.0.1/,10,0,1";

/// Runs a plan with a JMeter that does this once it knows its `$out`.
fn run(play: &str, rest: &str) -> (Option<i32>, Summary, String) {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    copied(&bench, "browse.jmx");
    for folder in ["home/bin", "home/lib/ext", "java/bin"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    bench.write("home/bin/ApacheJMeter.jar", "");
    bench.write("home/lib/ext/ApacheJMeter_core-5.6.3.jar", "");
    let script = format!(
        "#!/bin/bash\nwhile [ \"$1\" != -l ]; do shift; done\nout=$2\nsample() {{ echo \"$(date +%s%3N){SAMPLE}\"; }}\n{play}\n"
    );
    bench.write("java/bin/java", &script);
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("java/bin/java"), runs).unwrap();
    bench.write(
        "test.yaml",
        &definition("jmeter", "browse.jmx", &target, rest),
    );
    let setting = format!(
        "export JAVA_HOME={} FLOODGATE_JMETER={}",
        bench.path("java").display(),
        bench.path("home").display()
    );
    let ended = bench
        .spawn_limited(&setting, &["run", "test.yaml", "--json"])
        .end();
    (ended.code(), ended.summary(), ended.stderr())
}

fn reasons(summary: &Summary) -> String {
    summary.reasons.join(" / ")
}

#[test]
fn one_that_dies_keeps_what_it_wrote_and_says_why() {
    let play = "{ for i in 1 2 3; do sample; done; } > $out; echo 'java.lang.OutOfMemoryError' >&2; exit 137";
    let (code, summary, _) = run(play, "");
    assert_eq!((code, summary.status), (Some(97), Status::Errored));
    assert!(
        reasons(&summary).contains("code 137"),
        "{}",
        reasons(&summary)
    );
    assert!(
        reasons(&summary).contains("OutOfMemoryError"),
        "{}",
        reasons(&summary)
    );
    assert_eq!(
        value(&summary, "http_reqs", "count"),
        3.0,
        "what was read is kept"
    );
}

#[test]
fn one_that_writes_rubbish_is_ended_and_keeps_what_came_before() {
    let play = "{ sample; sample; echo 'not,a,sample'; while sample; do sleep 0.05; done; } > $out; sleep 1000";
    let (code, summary, _) = run(play, "");
    assert_eq!((code, summary.status), (Some(97), Status::Errored));
    assert!(
        reasons(&summary).contains("cannot be read: line 3"),
        "{}",
        reasons(&summary)
    );
    assert_eq!(value(&summary, "http_reqs", "count"), 2.0);
}

#[test]
fn one_that_floods_its_stderr_runs_to_its_end() {
    let play = "sample > $out & yes 'a line of no interest' | head -c 30000000 >&2; wait; exit 0";
    let (code, summary, _) = run(play, "");
    assert_eq!(code, Some(0), "{}", reasons(&summary));
    assert_eq!(value(&summary, "http_reqs", "count"), 1.0);
}

#[test]
fn a_trace_of_java_is_told_in_a_sentence() {
    let frames = "for i in 1 2 3 4 5 6 7 8 9; do echo \"	at java.base/a.B.c$i(B.java:$i)\"; done >&2; exit 1";
    for (said, told) in [
        (
            "Exception in thread \\\"main\\\" java.lang.UnsupportedClassVersionError: org/apache/jmeter/NewDriver has been compiled by a more \
             recent version of the Java Runtime (class file version 61.0), this version of the Java Runtime only recognizes class file \
             versions up to 52.0",
            "org.apache.jmeter.NewDriver was compiled for Java 17, and this is Java 8: set JAVA_HOME",
        ),
        (
            "Exception in thread \\\"main\\\" java.lang.NoClassDefFoundError: com/thoughtworks/xstream/XStream",
            "the class com.thoughtworks.xstream.XStream is not on the class path",
        ),
        (
            "Error: Invalid or corrupt jarfile /x/ApacheJMeter.jar",
            "is not a readable jar",
        ),
        (
            "java.lang.IllegalStateException: odd",
            "java.lang.IllegalStateException: odd",
        ),
    ] {
        let (code, summary, _) = run(&format!(": > $out; echo \"{said}\" >&2; {frames}"), "");
        assert_eq!((code, summary.status), (Some(97), Status::Errored));
        let reasons = reasons(&summary);
        assert!(
            reasons.contains(told) && !reasons.contains("a.B.c"),
            "{reasons}"
        );
    }
}

#[test]
fn one_that_ends_well_and_wrote_nothing_has_failed() {
    let play = ": > $out; echo 'Error in NonGUIDriver: no such class'; exit 0";
    let (code, summary, _) = run(play, "");
    assert_eq!((code, summary.status), (Some(97), Status::Errored));
    let said = reasons(&summary);
    assert!(
        said.contains("no sample") && said.contains("NonGUIDriver"),
        "{said}"
    );
}

#[test]
fn one_that_hangs_is_killed_at_the_deadline_and_keeps_what_it_wrote() {
    let play = "trap '' TERM INT; { sample; sample; sleep 1000; } > $out";
    let (code, summary, _) = run(play, "run: {max_duration: 3s}\n");
    assert_eq!(
        (code, summary.status),
        (Some(98), Status::Inconclusive),
        "{}",
        reasons(&summary)
    );
    assert_eq!(value(&summary, "http_reqs", "count"), 2.0);
    let killed = summary.warnings.iter().any(|w| w.contains("was killed"));
    assert!(killed, "{:?}", summary.warnings);
}
