//! The tests that need the emulated cloud, as steps of something greater.

use crate::demo::demo;
use crate::emulator::{
    Cloud, Deployed, LOCALSTACK, Missing, Programs, VARIABLE, localstack, permissions,
};
use crate::steps::Steps;
use crate::{engines, repo, terraform};
use std::time::Instant;

/// Runs the tests of the run in the cloud, on MiniStack, and of every branch of the state machine, on LocalStack; or of the former only
/// those whose name has something in it.
pub(crate) fn test(steps: &mut Steps, only: Option<&str>) {
    match only {
        Some(name) => runs(steps, name, false),
        None => {
            branches(steps);
            runs(steps, "runs::", true);
            through_a_deployment(steps);
        }
    }
}

/// The demo through a stack by `floodgate deploy`, until `floodgate destroy`.
fn through_a_deployment(steps: &mut Steps) {
    let name = "cloud: floodgate deploy, the demo, floodgate destroy";
    eprintln!("\n── {name}");
    if let Err(why) = terraform::is_usable() {
        return steps.leave_out(name, format!("{why:#}"));
    }
    let mut cloud = match Cloud::start(Programs::Tested, Deployed::ByCommand) {
        Ok(cloud) => cloud,
        Err(why) => return without(steps, name, &why),
    };
    let start = Instant::now();
    let passed = demo(&cloud);
    if passed.is_err() {
        cloud.keep_logs();
    }
    permissions::account(steps, cloud.gateway(), false);
    let settled = passed.and_then(|()| cloud.is_settled());
    let outcome = settled.and_then(|()| cloud.destroy()).and(cloud.stop());
    match outcome {
        Ok(()) => steps.note(name, start.elapsed()),
        Err(why) => steps.fail(name, format!("{why:#}")),
    }
}

fn branches(steps: &mut Steps) {
    let name = "cloud: every branch of the state machine (LocalStack)";
    eprintln!("\n── {name}: setting up");
    let started = localstack::set_up()
        .map_err(|why| Missing(why).into())
        .and_then(|python| localstack::Localstack::start(&python));
    match started {
        Ok(localstack) => {
            let mut tests = cloud_tests("branches::");
            steps.run(name, tests.env(LOCALSTACK, localstack.url()));
        }
        Err(why) => without(steps, name, &why),
    }
}

fn runs(steps: &mut Steps, filter: &str, all: bool) {
    let name = "cloud: runs on MiniStack";
    eprintln!("\n── {name}: setting up");
    let start = Instant::now();
    let cloud = match Cloud::start(Programs::Tested, Deployed::ByScript) {
        Ok(cloud) => cloud,
        Err(why) => return without(steps, name, &why),
    };
    steps.note("cloud: set-up", start.elapsed());
    if all {
        stores(steps, &cloud);
    }
    let mut tests = cloud_tests(filter);
    // The scenarios mostly wait: more at once than there are cores.
    tests.arg("--test-threads=6");
    // The command line asks an engine what a script would do before it starts anything.
    tests.envs(engines::environment());
    let passed = steps.run(name, tests.env(VARIABLE, cloud.description()));
    if !passed {
        cloud.keep_logs();
    }
    let complete = all && passed && cloud.has_all_engines();
    permissions::account(steps, cloud.gateway(), complete);
    let start = Instant::now();
    match cloud.stop() {
        Ok(()) => steps.note("cloud: taken down", start.elapsed()),
        Err(why) => steps.fail("cloud: taken down", format!("{why:#}")),
    }
}

/// The conformance suite of the stores, on S3 and DynamoDB.
fn stores(steps: &mut Steps, cloud: &Cloud) {
    let mut tests = repo::cargo(&["test", "--locked", "--workspace", "--test", "aws"]);
    steps.run(
        "cloud: stores on MiniStack",
        tests.env("FLOODGATE_TEST_ENDPOINT", cloud.url()),
    );
}

fn cloud_tests(filter: &str) -> std::process::Command {
    repo::cargo(&[
        "test",
        "--locked",
        "--workspace",
        "--test",
        "cloud",
        "--",
        "--include-ignored",
        filter,
    ])
}

/// A stack that could not be brought up: left out where the machine lacks something, else failed.
fn without(steps: &mut Steps, name: &str, why: &anyhow::Error) {
    let said = format!("{why:#}");
    if why.is::<Missing>() {
        steps.leave_out(name, said);
    } else {
        steps.fail(name, said);
    }
}
