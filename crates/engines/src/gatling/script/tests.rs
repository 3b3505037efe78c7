use super::*;
use crate::installed::java_in;
use std::collections::BTreeMap;
use std::ffi::OsStr;

fn job<'a>(
    folder: &'a Path,
    script: &'a str,
    scratch: &'a Path,
    parameters: &'a BTreeMap<String, String>,
) -> Job<'a> {
    Job {
        folder,
        script,
        scratch,
        weights: &[2, 4],
        place: 1,
        target: Some("http://127.0.0.1:8080"),
        parameters,
        max_duration: None,
        home: Some(folder),
        refused: &[],
        cpus: None,
        memory: None,
    }
}

fn touch(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "x").unwrap();
}

#[test]
fn the_helper_holds_the_sources_that_stand_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gatling/helper");
    let sources = std::fs::read_dir(folder.join("floodgate/gatling")).unwrap();
    let mut count = 0;
    for path in sources
        .map(|entry| entry.unwrap().path())
        .chain([folder.join("logback.xml")])
    {
        let source = std::fs::read(&path).unwrap();
        assert!(
            memchr::memmem::find(HELPER, &source).is_some(),
            "{} has changed since the helper was made: run `cargo xtask engines gatling --record`",
            path.display()
        );
        count += 1;
    }
    assert!(count > 10, "all sources are looked at");
}

#[test]
fn a_jar_runs_with_the_gatling_of_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, scratch) = (folder.path(), folder.path().join("scratch"));
    touch(&folder.join("sim.jar"));
    touch(&folder.join("lib/gatling-core-3.14.9.jar"));
    let parameters = BTreeMap::from([
        ("users".to_owned(), "5".to_owned()),
        ("simulation".to_owned(), "shop.Buy".to_owned()),
    ]);
    let job = job(folder, "sim.jar", &scratch, &parameters);
    let script = Script::find(&job).unwrap();
    let command = java(&job, &script).unwrap();
    let text: Vec<_> = command.iter().map(|part| part.to_str().unwrap()).collect();
    let given = scratch.join("parameters");
    let given = std::fs::read_to_string(given).unwrap();
    assert_eq!(
        given,
        "\"-DTARGET=http://127.0.0.1:8080\"\n\"-Dsimulation=shop.Buy\"\n\"-Dusers=5\"\n"
    );
    let file = format!("@{}", scratch.join("parameters").display());
    for expected in [
        &*file,
        "-Dfloodgate.simulation=shop.Buy",
        "-Dfloodgate.weights=1,2",
        "-Dfloodgate.task=1",
        "-Dgatling.data.enableAnalytics=false",
    ] {
        assert!(text.contains(&expected), "{expected} in {text:?}");
    }
    let path = text[text.iter().position(|part| *part == "-cp").unwrap() + 1];
    let helper = scratch.join("floodgate-gatling.jar");
    assert_eq!(
        path,
        format!(
            "{0}/sim.jar:{0}/lib/*:{1}",
            folder.display(),
            helper.display()
        )
    );
    assert_eq!(std::fs::read(helper).unwrap(), HELPER);
}

#[test]
fn a_packed_project_brings_its_classes_and_its_own_gatling() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("scratch");
    let parameters = BTreeMap::new();
    let load = folder.path().join("load");
    touch(&load.join("pom.xml"));
    touch(&load.join("target/test-classes/shop/Buy.class"));
    let pack = || {
        let packed = super::super::pack(&job(folder.path(), "load/", &scratch, &parameters));
        let packed = packed.unwrap().unwrap();
        std::fs::write(folder.path().join(&packed.name), &packed.bytes).unwrap();
        packed.name
    };
    let name = pack();
    assert_eq!(name, "load/project.tar");
    let job = job(folder.path(), &name, &scratch, &parameters);
    let error = Script::find(&job).unwrap_err().to_string();
    assert!(error.contains("gatling-core-*.jar"), "{error}");
    touch(&load.join("target/dependency/gatling-core-3.12.0.jar"));
    pack();
    let script = Script::find(&job).unwrap();
    assert_eq!(script.own, [scratch.join("project/classes/00")]);
    assert_eq!(script.libraries, [scratch.join("project/lib")]);
    assert_eq!(script.folder, load);
}

#[test]
fn what_cannot_be_run_is_said_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("scratch");
    let parameters = BTreeMap::new();
    let missing = job(folder.path(), "sim.jar", &scratch, &parameters);
    let error = Script::find(&missing).unwrap_err().to_string();
    assert_eq!(
        error,
        "sim.jar: is neither a jar nor the folder of a Maven or Gradle project"
    );

    touch(&folder.path().join("sim.jar"));
    touch(&folder.path().join("lib/gatling-core-3.10.5.jar"));
    let error = Script::find(&missing).unwrap_err().to_string();
    assert_eq!(error, "Gatling 3.10.5 is not supported: use 3.12 to 3.15");

    let nobody = Job {
        place: 2,
        ..missing
    };
    let error = weights(&nobody).unwrap_err().to_string();
    assert!(error.contains("task 2 of 2 does not exist"), "{error}");
}

#[test]
fn a_machine_without_java_is_told_what_to_install() {
    let error = java_in(None, OsStr::new("/nonexistent"), NO_JAVA)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("Java is not installed: Gatling needs Java 11")
            && error.contains("JAVA_HOME"),
        "{error}"
    );
}
