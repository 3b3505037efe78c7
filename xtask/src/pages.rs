//! `cargo xtask pages`: the report's page and the console in a browser, and the types of their scripts.
//!
//! The browser is Debian's Chromium; packages of node lie in the user's cache, and are installed once for each list. Pages are written by a test of
//! the crate `report`; pictures of them are kept below `target`.

use crate::steps::Steps;
use crate::{node, python, repo};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Arguments of `cargo xtask pages`.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// What is installed, pinned: the browser's remote control, the check of accessibility, the check of types.
const PACKAGES: [&str; 3] = [
    "playwright-core@1.65.1",
    "axe-core@4.14.1",
    "typescript@7.0.2",
];
/// Changes with the list.
const FOLDER: &str = "pages-1";
/// Where the pages lie, told to the test that writes them.
const VARIABLE: &str = "FLOODGATE_PAGES";
const STEP: &str = "pages (chromium, axe, tsc)";
/// The oldest node that the packages run on.
const OLDEST_NODE: u32 = 20;

/// Runs it.
///
/// # Errors
/// If a page is not as it should be, or the browser cannot be had.
pub(crate) fn run(_: &Options) -> Result<()> {
    let mut steps = Steps::default();
    match set_up() {
        Ok(tools) => look(&mut steps, &tools)?,
        Err(why) => steps.fail(STEP, why),
    }
    steps.finish()
}

/// The same as a step of something greater, which is left out where the browser cannot be had.
pub(crate) fn test(steps: &mut Steps) {
    let began = Instant::now();
    let done = match set_up() {
        Ok(tools) => {
            steps.note("browser and packages of node", began.elapsed());
            look(steps, &tools)
        }
        Err(why) => {
            steps.leave_out(STEP, format!("{why}; no page is looked at"));
            Ok(())
        }
    };
    if let Err(error) = done {
        steps.fail(STEP, format!("{error:#}"));
    }
}

struct Tools {
    node: PathBuf,
    chromium: PathBuf,
    /// The folder that holds `node_modules`.
    packages: PathBuf,
}

fn look(steps: &mut Steps, tools: &Tools) -> Result<()> {
    let (target, sources) = (repo::target_dir()?, repo::root().join("xtask/src/pages"));
    let (pages, pictures) = (target.join("pages"), target.join("pages/pictures"));
    std::fs::create_dir_all(&pictures)?;
    let tsc = tools.packages.join("node_modules/.bin/tsc");
    let project = sources.join("tsconfig.json");
    steps.run(
        "types of the pages' scripts",
        Command::new(tsc).arg("--project").arg(project),
    );
    let mut write = repo::cargo(&["test", "--locked", "--workspace", "--lib", "--quiet"]);
    write.args(["--", "pages_for_the_browser"]);
    if !steps.run("write pages", write.env(VARIABLE, &pages)) {
        return Ok(());
    }
    steps.run(
        STEP,
        Command::new(&tools.node)
            .arg(sources.join("look.mjs"))
            .args([&tools.packages, &tools.chromium, &pages, &pictures]),
    );
    let browser = [&tools.node, &tools.chromium, &tools.packages];
    let browser = browser.map(|path| path.display().to_string()).join("\n");
    let mut console = repo::cargo(&["test", "--locked", "--workspace", "--test", "e2e"]);
    console.args(["--", "--nocapture", "console::"]);
    steps.run(
        "the console in a browser",
        console
            .env("FLOODGATE_BROWSER", browser)
            .env("FLOODGATE_PICTURES", &pictures),
    );
    eprintln!("── pictures: {}", pictures.display());
    Ok(())
}

fn set_up() -> Result<Tools, String> {
    let node = repo::find_program("node", None).ok_or("there is no node (package nodejs)")?;
    let version = version_of(&node).ok_or("node does not say its version")?;
    if version < OLDEST_NODE {
        return Err(format!("node {version} is older than {OLDEST_NODE}"));
    }
    Ok(Tools {
        node,
        chromium: chromium()?,
        packages: node::packages(FOLDER, &PACKAGES)?,
    })
}

/// The number before the first point.
fn version_of(node: &Path) -> Option<u32> {
    let said = Command::new(node).arg("--version").output().ok()?.stdout;
    let said = String::from_utf8(said).ok()?;
    said.trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// The browser, installed if need be and allowed.
fn chromium() -> Result<PathBuf, String> {
    let find = || {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        names.iter().find_map(|name| repo::find_program(name, None))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    let apt = repo::find_program("apt-get", None).ok_or("there is no chromium, and no apt-get")?;
    let packages = ["chromium", "fonts-dejavu-core"];
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    let arguments: Vec<&str> = install.into_iter().chain(packages).collect();
    let installed = python::quietly(&apt, &arguments).or_else(|_| {
        python::quietly(&apt, &["update", "-qq"]).and_then(|()| python::quietly(&apt, &arguments))
    });
    installed.map_err(|why| format!("apt-get install chromium: {why}"))?;
    find().ok_or_else(|| "chromium was installed and is not found".into())
}
