use super::*;
use std::time::Duration;

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn project(folder: &Path) -> Project {
    Project {
        script: "load".into(),
        folder: folder.to_owned(),
        build: Build::of(folder).unwrap(),
    }
}

fn packed(folder: &Path) -> Packed {
    project(folder).pack().unwrap()
}

fn message(folder: &Path) -> String {
    let error = project(folder).pack_within(4, 20).unwrap_err();
    error.to_string()
}

/// The same project, with files made in another order at other times.
fn maven(folder: &Path, reversed: bool) {
    let mut files = vec![
        ("pom.xml", "<project/>"),
        ("target/test-classes/shop/Buy.class", "buy"),
        ("target/test-classes/META-INF/services/shop.Plug", "one"),
        ("target/classes/META-INF/services/shop.Plug", "two"),
        ("target/dependency/b.jar", "b"),
        ("target/dependency/a.jar", "a"),
        ("target/dependency/notes.txt", "not a readable jar"),
        ("target/surefire-reports/x.xml", "not on the class path"),
    ];
    if reversed {
        files.reverse();
    }
    for (name, text) in files {
        put(&folder.join(name), text);
    }
}

#[test]
fn what_two_folders_of_classes_both_have_stays_apart() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    maven(folder.path(), false);
    let packed = packed(folder.path());
    assert_eq!(packed.name, "load/project.tar");
    let tar = out.path().join("project.tar");
    fs::write(&tar, &packed.bytes).unwrap();
    let into = out.path().join("project");
    let (own, libraries) = unpack(&tar, &into).unwrap();
    assert_eq!(own, [into.join("classes/00"), into.join("classes/01")]);
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    assert_eq!(read(own[0].join("shop/Buy.class")), "buy");
    let services = own.iter().map(|p| p.join("META-INF/services/shop.Plug"));
    assert_eq!(services.map(read).collect::<Vec<_>>(), ["one", "two"]);
    let jars = fs::read_dir(libraries.unwrap()).unwrap();
    let mut jars: Vec<_> = jars.map(|entry| entry.unwrap().file_name()).collect();
    jars.sort();
    assert_eq!(jars, ["a.jar", "b.jar"]);
}

#[test]
fn the_packed_file_lies_in_the_projects_folder() {
    let folder = tempfile::tempdir().unwrap();
    maven(folder.path(), false);
    for (script, name) in [
        (".", "project.tar"),
        ("./", "project.tar"),
        ("load/", "load/project.tar"),
        ("./a/load", "a/load/project.tar"),
    ] {
        let project = Project {
            script: script.into(),
            ..project(folder.path())
        };
        assert_eq!(project.pack().unwrap().name, name, "{script}");
    }
}

#[test]
fn the_bytes_follow_from_the_contents_alone() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (folder, reversed) in folders.iter().zip([false, true]) {
        maven(folder.path(), reversed);
        std::thread::sleep(Duration::from_millis(20));
    }
    let [one, two] = folders.each_ref().map(|folder| packed(folder.path()));
    assert_eq!(one, two);
    put(
        &folders[1].path().join("target/classes/shop/More.class"),
        "",
    );
    assert_ne!(one.bytes, packed(folders[1].path()).bytes);
}

#[test]
fn the_folders_of_gradle_are_in_the_order_of_its_class_path() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in [
        "build.gradle.kts",
        "build/classes/java/main/Which.class",
        "build/resources/main/which",
        "build/classes/java/main/which",
        "build/classes/kotlin/gatling/which",
    ] {
        put(&folder.path().join(name), name);
    }
    let tar = out.path().join("project.tar");
    fs::write(&tar, packed(folder.path()).bytes).unwrap();
    let (own, libraries) = unpack(&tar, &out.path().join("project")).unwrap();
    let which = own
        .iter()
        .map(|place| fs::read_to_string(place.join("which")).unwrap());
    assert_eq!(
        which.collect::<Vec<_>>(),
        [
            "build/classes/kotlin/gatling/which",
            "build/classes/java/main/which",
            "build/resources/main/which"
        ]
    );
    assert_eq!(libraries, None);
}

#[test]
fn a_source_that_is_newer_than_the_classes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    maven(folder.path(), false);
    let source = folder.path().join("src/test/java/shop/Buy.java");
    put(&source, "class Buy {}");
    let age = |seconds: u64, ahead: bool| {
        let (now, by) = (SystemTime::now(), Duration::from_secs(seconds));
        let time = if ahead { now + by } else { now - by };
        let file = fs::File::options().write(true).open(&source).unwrap();
        file.set_modified(time).unwrap();
        packed(folder.path()).warnings
    };
    assert_eq!(age(60, false), [""; 0]);
    assert_eq!(
        age(60, true),
        [
            "load: src/test/java/shop/Buy.java is newer than the compiled classes: if it has changed since, run \
             `mvn test-compile dependency:copy-dependencies`"
        ]
    );
}

#[test]
fn a_project_that_is_not_compiled_or_too_large_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(&folder.join("build.gradle"), "");
    assert_eq!(
        message(folder),
        "load: is a Gradle project that is not compiled (build/classes/java/gatling has no classes): run `gradle gatlingClasses` in it"
    );
    put(&folder.join("gradlew"), "");
    assert!(message(folder).contains("`./gradlew gatlingClasses`"));
    // It has both: Maven comes first.
    put(&folder.join("pom.xml"), "");
    put(&folder.join("mvnw"), "");
    put(&folder.join("target/test-classes/rows.csv"), "row");
    assert_eq!(
        message(folder),
        "load: is a Maven project that is not compiled (target/test-classes has no classes): run `./mvnw test-compile \
         dependency:copy-dependencies` in it"
    );

    put(&folder.join("target/classes/Buy.class"), &"x".repeat(21));
    assert_eq!(
        message(folder),
        "load: its classes, resources and jars are 2 files with 24 bytes, more than 4 files or 20 bytes: leave large files out of the \
         class path, and name them in a definition under files"
    );
    for number in 0..5 {
        put(&folder.join(format!("target/classes/{number}")), "");
    }
    assert_eq!(
        message(folder),
        "load: target/classes has more than 4 files"
    );
}
