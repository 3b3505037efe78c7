//! `floodgate audit`: the trail of what runs did, and what becomes of it when somebody changes it.

use crate::support::*;
use floodgate_testserver::{Config, TestServer};

#[test]
fn the_trail_of_runs_is_listed_exported_and_verified() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let thresholds = "thresholds:\n  http_reqs: [count>0]\n  http_req_failed: [rate<0.5]\n";
    let definition = arrivals(&target.url(), 20, "1s", thresholds);
    let (ended, summary) = bench.run(&definition, &[]);
    ended.expect(0);
    let id = summary.execution;
    bench
        .floodgate(&["baseline", "set", "e2e/arrivals", &id])
        .expect(0);
    let listed = bench.floodgate(&["audit", "list", "--project", "e2e"]);
    let listed = listed.expect(0).stdout();
    for said in [
        ": started",
        "hold, 0 breached",
        ": baseline of arrivals",
        &id,
    ] {
        assert!(listed.contains(said), "{said}: {listed}");
    }
    let verify = |more: &[&str]| bench.floodgate(&[&["audit", "verify"], more].concat());
    let whole = verify(&[]).expect(0).stdout();
    assert!(whole.starts_with("e2e: 3 entries, whole\n"), "{whole}");
    let head = whole.split("head ").nth(1).unwrap().trim();
    let path = bench.path(".floodgate/.records/e2e/audit.jsonl");
    let trail = std::fs::read_to_string(&path).unwrap();
    let exported = bench.floodgate(&["audit", "export", "--project", "e2e"]);
    let exported = exported.expect(0).stdout();
    assert_eq!(exported, trail);
    bench.write("copy.jsonl", &exported);
    let of_copy = ["--project", "e2e", "--file", "copy.jsonl", "--head", head];
    verify(&of_copy).expect(0);
    bench.write("cut.jsonl", exported.rsplit_once("{\"").unwrap().0);
    let of_cut = ["--project", "e2e", "--file", "cut.jsonl", "--head", head];
    let cut = verify(&of_cut).expect(99).stdout();
    assert_eq!(cut.matches("was cut off at the end").count(), 1, "{cut}");
    // A name that is misspelt has no trail, and gets none by being asked for.
    for command in ["verify", "export"] {
        let typo = bench.floodgate(&["audit", command, "--project", "e2f"]);
        typo.refused("there is no project e2f in .floodgate; there are e2e");
    }
    assert!(!bench.path(".floodgate/.records/e2f").exists());
    for wrong in [
        &["audit", "list", "--project", "../x"][..],
        &["runs", "--project", "../x"],
        &["schedule", "list", "--project", "../x"],
        &["schedule", "show", "../x"],
        &["budget", "show", "--project", "../x"],
        &["baseline", "set", "../x", &id],
    ] {
        bench
            .floodgate(wrong)
            .refused("names have 1 to 63 of a-z, 0-9 and -");
    }
    let lines: Vec<_> = trail.split_inclusive('\n').collect();
    for (changed, said) in [
        (
            trail.replacen("started", "stopped", 1),
            "entry 1 (line 1) was changed",
        ),
        ([lines[0], lines[2]].concat(), "entry 2 was removed"),
        (
            [lines[1], lines[0], lines[2]].concat(),
            "entry 1 (line 2) was moved",
        ),
        (
            lines[0].to_owned(),
            "entries 2 to 3 were cut off at the end",
        ),
    ] {
        std::fs::write(&path, changed).unwrap();
        let found = verify(&[]).expect(99).stdout();
        assert!(
            found.contains("NOT WHOLE") && found.contains(said),
            "{found}"
        );
    }
    std::fs::write(&path, trail).unwrap();
    verify(&["--project", "e2e", "--head", head]).expect(0);
}

#[test]
fn processes_that_write_at_once_make_one_chain() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write("one.yaml", &arrivals(&target.url(), 20, "1s", ""));
    let runs: Vec<_> = (0..4)
        .map(|_| bench.spawn(&["run", "one.yaml", "--quiet"]))
        .collect();
    for run in runs {
        run.end().expect(0);
    }
    let whole = bench.floodgate(&["audit", "verify"]).expect(0).stdout();
    assert!(whole.starts_with("e2e: 8 entries, whole\n"), "{whole}");
}
