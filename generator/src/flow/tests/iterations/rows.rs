//! Rows of data files.

use super::*;

fn with_data(mode: DataMode, rows: usize, scenarios: usize) -> (Definition, Files) {
    let mut definition = definition(Vec::new());
    let flow = vec![step(get("/${data.id}")), step(get("/${data.id}"))];
    definition.scenarios = (0..scenarios)
        .map(|n| scenario(&format!("s{n}"), flow.clone()))
        .collect();
    // One that reads nothing takes no rows.
    definition
        .scenarios
        .insert(0, scenario("idle", vec![step(get("/"))]));
    definition.data.push(DataSource {
        name: "data".into(),
        file: "ids.csv".into(),
        format: DataFormat::Csv { delimiter: b',' },
        mode,
    });
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<_> = (0..rows).map(|n| format!("x,{n}\n")).collect();
    std::fs::write(
        dir.path().join("ids.csv"),
        format!("other,id\n{}", lines.concat()),
    )
    .unwrap();
    let files = Files::load(&definition, dir.path()).unwrap();
    assert_eq!(
        files.tables()[0].columns(),
        ["id"],
        "only what is used is kept"
    );
    (definition, files)
}

#[test]
fn unique_rows_are_used_once_over_scenarios_and_iterations() {
    let (definition, files) = with_data(DataMode::Unique, 10, 3);
    let mut used = Vec::new();
    for index in 1..4 {
        let mut world = World::of(&definition, index, &files).unwrap();
        // As two tasks do that share the iterations.
        for iteration in [0, 2, 4, 6, 1, 3, 5] {
            match world.run(iteration).unwrap() {
                IterationEnd::Completed { .. } => {
                    let paths: Vec<_> = world.io.sent.drain(..).map(|r| r.path_and_query).collect();
                    assert_eq!(paths[0], paths[1], "one row an iteration");
                    used.push(paths[0].clone());
                }
                IterationEnd::Failed { .. } => panic!("nothing is extracted"),
                IterationEnd::DataExhausted => {
                    assert!(world.io.sent.is_empty(), "nothing was sent");
                }
            }
        }
    }
    assert_eq!(used.iter().collect::<HashSet<_>>().len(), 10);
    assert_eq!(used.len(), 10);
}

#[test]
fn other_modes_never_run_out() {
    for mode in [DataMode::Sequential, DataMode::Random] {
        let (definition, files) = with_data(mode, 3, 2);
        let run = |iterations: std::ops::Range<u64>| {
            let mut world = World::of(&definition, 2, &files).unwrap();
            for iteration in iterations {
                assert!(matches!(
                    world.run(iteration),
                    Some(IterationEnd::Completed { .. })
                ));
            }
            world
                .io
                .sent
                .into_iter()
                .step_by(2)
                .map(|r| r.path_and_query)
                .collect::<Vec<_>>()
        };
        let whole = run(0..40);
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(
            [run(0..13), run(13..40)].concat(),
            whole,
            "split over tasks it is the same"
        );
        if mode == DataMode::Sequential {
            assert_eq!(whole[..4], ["/base/0", "/base/1", "/base/2", "/base/0"]);
        }
    }
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let (mut definition, files) = with_data(DataMode::Random, 3, 1);
    definition.scenarios[1].flow.push(step(get("/${data.idd}")));
    let error = World::of(&definition, 1, &files).err().unwrap().to_string();
    assert_eq!(
        error,
        "scenario `s0`, step `/${data.idd}`: data source `data` has no column `idd`; it has id"
    );
}
