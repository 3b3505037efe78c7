//! Maven and Gradle projects with simulations for Gatling: packed here, run as packed, in any number of tasks.

use super::*;
use std::fs;

/// The folder with Gatling's jars.
fn gatling() -> Option<String> {
    let home = tool("FLOODGATE_GATLING")?;
    Some(format!("{}/*", home.join("lib").display()))
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs a compiler.
fn compile(program: &str, arguments: &[&str], into: &Path, source: &Path) {
    fs::create_dir_all(into).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg("-d").arg(into).arg(source);
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program}: {said}");
}

/// Has Maven compile the project in the bench's folder `shop`; `false` if there is no Maven, or nowhere to take plugins from.
fn maven(bench: &Bench) -> bool {
    let project = here("maven");
    for name in [
        "pom.xml",
        "data/items.csv",
        "src/test/java/shop/Browse.java",
    ] {
        put(
            &bench.path("shop").join(name),
            &fs::read_to_string(project.join(name)).unwrap(),
        );
    }
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "test-compile", "dependency:copy-dependencies"]);
    let Ok(done) = mvn.current_dir(bench.path("shop")).output() else {
        eprintln!("skipped: there is no mvn");
        return false;
    };
    let said = String::from_utf8_lossy(&done.stdout);
    if ["Could not transfer", "could not be resolved"]
        .iter()
        .any(|no| said.contains(no))
    {
        eprintln!("skipped: Maven has neither a repository nor all that it needs");
        return false;
    }
    assert!(done.status.success(), "{said}");
    true
}

#[test]
fn a_maven_project_in_java_runs_with_its_libraries_and_files_and_its_own_gatling() {
    let Some(_) = gatling() else {
        return;
    };
    let bench = Bench::new();
    if !maven(&bench) {
        return;
    }
    let files = "files: [shop/data/items.csv]\n";
    any_number_of_tasks_with("gatling", "shop/", files, &bench);
    // What is not named does not travel, and is missed before anything is sent.
    let target = TestServer::start(Config::fast()).unwrap();
    bench.write("test.yaml", &definition("gatling", "shop", &target, ""));
    let ended = bench.floodgate(&["inspect", "test.yaml"]);
    ended.refused("data/items.csv");
    // A library that was not copied.
    let jars = fs::read_dir(bench.path("shop/target/dependency")).unwrap();
    for jar in jars.map(|entry| entry.unwrap().path()) {
        if jar.to_string_lossy().contains("commons-text") {
            fs::remove_file(jar).unwrap();
        }
    }
    bench.write("test.yaml", &definition("gatling", "shop", &target, files));
    let ended = bench.floodgate(&["run", "test.yaml"]);
    let said = "the class org.apache.commons.text.WordUtils is not on the class path: run `mvn test-compile \
                dependency:copy-dependencies` in shop";
    ended.refused(said);
    assert_eq!(target.counters().requests(), 0);
}

#[test]
fn a_project_in_scala_runs_with_the_gatling_of_the_machine() {
    let (Some(gatling), Some(compiler)) = (gatling(), tool("FLOODGATE_SCALA")) else {
        return;
    };
    let bench = Bench::new();
    let shop = bench.path("shop");
    put(&shop.join("pom.xml"), "<project/>");
    let jars = format!("{}/*", compiler.display());
    compile(
        "java",
        &["-cp", &jars, "scala.tools.nsc.Main", "-cp", &gatling],
        &shop.join("target/test-classes"),
        &here("Browse.scala"),
    );
    any_number_of_tasks("gatling", "shop", &bench);
}

#[test]
fn a_project_in_kotlin_runs_with_what_kotlin_needs() {
    let (Some(gatling), Some(compiler)) = (gatling(), tool("FLOODGATE_KOTLIN")) else {
        return;
    };
    let bench = Bench::new();
    let shop = bench.path("shop");
    put(&shop.join("build.gradle.kts"), "");
    let jars = format!("{}/*", compiler.display());
    let library = fs::read_dir(&compiler).unwrap();
    let mut library = library.map(|entry| entry.unwrap().path());
    let library = library
        .find(|path| path.to_string_lossy().contains("kotlin-stdlib-"))
        .unwrap();
    let all = [jars.as_str(), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"];
    // Its class path takes no patterns.
    let lib = fs::read_dir(gatling.trim_end_matches("/*")).unwrap();
    let lib = lib.map(|entry| entry.unwrap().path());
    let class_path = std::env::join_paths(lib.chain([library.clone()])).unwrap();
    let class_path = class_path.to_str().unwrap();
    compile(
        "java",
        &[
            "-cp",
            all[0],
            all[1],
            "-no-stdlib",
            "-no-reflect",
            "-cp",
            class_path,
        ],
        &shop.join("build/classes/kotlin/gatling"),
        &here("Browse.kt"),
    );
    let target = TestServer::start(Config::fast()).unwrap();
    bench.write("test.yaml", &definition("gatling", "shop", &target, ""));
    let ended = bench.floodgate(&["inspect", "test.yaml"]);
    let said = "is not on the class path: copy the jars that shop needs into its build/dependency";
    ended.refused(said);
    fs::create_dir_all(shop.join("build/dependency")).unwrap();
    fs::copy(&library, shop.join("build/dependency/kotlin-stdlib.jar")).unwrap();
    any_number_of_tasks("gatling", "shop", &bench);
}

#[test]
fn a_project_of_gradle_keeps_what_is_in_several_places_and_needs_no_definition() {
    let Some(gatling) = gatling() else {
        return;
    };
    let bench = Bench::new();
    let shop = bench.path("shop");
    put(&shop.join("build.gradle"), "");
    let ended = bench.floodgate(&["run", "shop"]);
    let said = "shop: is a Gradle project that is not compiled";
    ended.refused(said);

    let classes = shop.join("build/classes/java/gatling");
    compile("javac", &["-cp", &gatling], &classes, &here("Plugged.java"));
    let service = "META-INF/services/java.util.function.IntSupplier";
    for (place, provider) in [
        ("build/resources/gatling", "Ten"),
        ("build/resources/main", "Twenty"),
        ("one", "Thirty"),
        ("two", "Forty"),
    ] {
        let text = format!("shop.Plugged${provider}\n");
        put(&shop.join(place).join(service), &text);
    }
    fs::create_dir_all(shop.join("build/dependency")).unwrap();
    for name in ["one", "two"] {
        let mut jar = Command::new("jar");
        jar.args(["--create", "--file"])
            .arg(shop.join(format!("build/dependency/{name}.jar")));
        jar.arg("-C").arg(shop.join(name)).arg(".");
        assert!(jar.status().unwrap().success());
    }
    any_number_of_tasks("gatling", "shop/", &bench);

    // By itself; the folder's name is the test's.
    let target = TestServer::start(Config::fast()).unwrap();
    let shell = format!(
        "cd shop && export JDK_JAVA_OPTIONS=-DTARGET={}",
        target.url()
    );
    let ended = bench.spawn_limited(&shell, &["run", ".", "--json"]).end();
    let summary = ended.expect(0).summary();
    assert_eq!(
        (summary.test.as_str(), summary.status),
        ("shop", Status::Passed)
    );
    assert_eq!(target.counters().requests(), 100);

    compile("javac", &["-cp", &gatling], &classes, &here("Browse.java"));
    let ended = bench.floodgate(&["inspect", "shop"]);
    let said = "several simulations, name one as the parameter simulation: Browse, shop.Plugged";
    ended.refused(said);
}

#[test]
fn a_folder_of_no_project_is_refused() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("folder")).unwrap();
    let lacks = "there is no pom.xml, build.gradle or build.gradle.kts";
    for command in ["run", "inspect"] {
        let ended = bench.floodgate(&[command, "folder"]);
        ended.refused(lacks);
    }
    bench.write(
        "test.yaml",
        "version: 1\ntest: t\nengine: gatling\nscript: folder/\n",
    );
    let ended = bench.floodgate(&["run", "test.yaml"]);
    ended.refused(lacks);
}

/// A jar that is damaged, or of a newer Java, is told in a line, without a trace.
#[test]
fn a_jar_that_cannot_be_run_is_told_in_a_line() {
    let Some(home) = tool("FLOODGATE_GATLING") else {
        return;
    };
    let bench = Bench::new();
    simulation(&home, &bench, "Browse.java", "browse.jar");
    let whole = fs::read(bench.path("browse.jar")).unwrap();
    fs::write(bench.path("cut.jar"), &whole[..whole.len() / 2]).unwrap();
    let class = bench.path("classes/Browse.class");
    let mut bytes = fs::read(&class).unwrap();
    // Java 55, should it ever come.
    bytes[6..8].copy_from_slice(&99_u16.to_be_bytes());
    fs::write(class, bytes).unwrap();
    let mut jar = Command::new("jar");
    jar.args(["--create", "--file"])
        .arg(bench.path("newer.jar"));
    jar.arg("-C").arg(bench.path("classes")).arg(".");
    assert!(jar.status().unwrap().success());
    for (jar, told) in [
        ("cut.jar", "damaged or truncated"),
        ("newer.jar", "Browse was compiled for Java 55"),
    ] {
        let ended = bench.floodgate(&["run", jar]);
        ended.refused(told);
        assert_eq!(
            ended.stderr().trim().lines().count(),
            1,
            "{}",
            ended.stderr()
        );
    }
    let odd = bench.spawn_limited("export JDK_JAVA_OPTIONS=-Xodd", &["run", "browse.jar"]);
    odd.end().refused("Java does not know the option -Xodd");
}
