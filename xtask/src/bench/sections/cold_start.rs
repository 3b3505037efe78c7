//! How long a function takes from its program's start to its first request for work: what Lambda calls init.
//!
//! The packaged program runs against a runtime API of our own, a listener on this machine: the time ends when
//! `GET …/runtime/invocation/next` has arrived. Once with the program in the page cache, and once with its pages dropped, so
//! that every page that is touched is read from the disk, as on a new host.
//!
//! The function behind the API reads its settings before, from a listener of ours that stands for S3.

use crate::arch::Arch;
use crate::bench::context::Context;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::package;
use anyhow::{Context as _, Result, ensure};
use rustix::fs::{Advice, fadvise};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FUNCTIONS: [&str; 8] = [
    "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
];
/// Lambda gives init 10 s (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).
const LIMIT: Duration = Duration::from_secs(10);

/// One start.
struct Start {
    ms: f64,
    /// Pages of files in its memory by then, bytes: those that it touched and, by the kernel's fault-around, their neighbours.
    mapped: f64,
}

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let build = |program| package::build(program, Arch::NATIVE, package::PROFILE);
    let program = build(package::Program::Functions)?;
    let api = build(package::Program::Api)?;
    let store = settings()?;
    let started: Vec<(&str, &Path, Option<&str>)> = FUNCTIONS
        .iter()
        .map(|function| (*function, program.as_path(), None))
        .chain([("api", api.as_path(), Some(store.as_str()))])
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    set_socket_timeout(&listener, Timeout::Recv, Some(LIMIT))?;
    let mut cached: Vec<Vec<Start>> = started.iter().map(|_| Vec::new()).collect();
    let mut dropped: Vec<Vec<Start>> = started.iter().map(|_| Vec::new()).collect();
    for _ in 0..context.rounds {
        for (at, (function, program, store)) in started.iter().enumerate() {
            drop_pages(program)?;
            dropped[at].push(start(program, function, *store, &listener)?);
            cached[at].push(start(program, function, *store, &listener)?);
        }
    }
    let mut table = Table::new(&[
        "Function",
        "median ms",
        "min",
        "max",
        "pages dropped: median ms",
        "max",
        "MiB mapped in",
    ]);
    for ((function, ..), (cached, dropped)) in started.iter().zip(cached.iter().zip(&dropped)) {
        let ms = |starts: &[Start]| -> Vec<f64> { starts.iter().map(|s| s.ms).collect() };
        let least = ms(cached).into_iter().min_by(f64::total_cmp);
        let most = |starts: &[Start]| ms(starts).into_iter().max_by(f64::total_cmp);
        let mapped = median(cached.iter().map(|s| s.mapped / f64::from(1 << 20)));
        table.row([
            (*function).to_owned(),
            number(median(ms(cached)), 1),
            number(least, 1),
            number(most(cached), 1),
            number(median(ms(dropped)), 1),
            number(most(dropped), 1),
            number(mapped, 1),
        ]);
    }
    Ok(format!(
        "\n## Cold start of the functions\n\nFrom exec to the first GET of an invocation, {} rounds. The program has {:.1} MiB, that of the API {:.1} MiB.\n\n{}",
        context.rounds,
        mebibytes(&program)?,
        mebibytes(&api)?,
        table.finish()
    ))
}

fn mebibytes(program: &Path) -> Result<f64> {
    Ok(std::fs::metadata(program)?.len() as f64 / f64::from(1 << 20))
}

/// The URL of a store that has the API's settings, whatever it is asked for.
fn settings() -> Result<String> {
    const SETTINGS: &str = r#"{"schema": 1, "state_machines": {}, "requests_per_second": 20}"#;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{SETTINGS}",
        SETTINGS.len()
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let _ = lines.find(String::is_empty);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Ok(url)
}

/// Takes a file out of the page cache.
fn drop_pages(program: &Path) -> Result<()> {
    let file = std::fs::File::open(program)?;
    // Pages that were never written back cannot be dropped.
    file.sync_all()?;
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

fn start(
    program: &Path,
    function: &str,
    store: Option<&str>,
    listener: &TcpListener,
) -> Result<Start> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string()),
            ("FLOODGATE_FUNCTION", function.to_owned()),
        ])
        .envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "floodgate"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_SESSION_TOKEN", "test"),
            ("FLOODGATE_STACK", "floodgate"),
            ("FLOODGATE_BUCKET", "floodgate"),
            ("FLOODGATE_BUCKET_REGION", "eu-west-1"),
            ("FLOODGATE_TABLE", "floodgate"),
            (
                "FLOODGATE_STATE_MACHINE",
                "arn:aws:states:eu-west-1:000000000000:stateMachine:floodgate",
            ),
        ])
        .envs(store.map(|url| ("AWS_ENDPOINT_URL", url)))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let began = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let asked = asked(listener, began, child.id());
    // It waits for work that does not come; both fail only if it has ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    asked.with_context(|| format!("{function} has not asked for work"))
}

/// Waits for the request for work.
fn asked(listener: &TcpListener, began: Instant, pid: u32) -> Result<Start> {
    let (stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut line = String::new();
    // Open until all is read: a program whose runtime goes away ends.
    let mut asking = BufReader::new(stream);
    asking.read_line(&mut line)?;
    let ms = began.elapsed().as_secs_f64() * 1e3;
    ensure!(
        line.starts_with("GET /2018-06-01/runtime/invocation/next "),
        "it asked {line:?}"
    );
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mapped = rss_file(&status).context("/proc/PID/status has no RssFile")? as f64;
    Ok(Start { ms, mapped })
}

/// `RssFile` of `/proc/PID/status`, bytes: pages of files, those of the C library included.
fn rss_file(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssFile:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_files_are_read_from_the_kernels_account() {
        assert_eq!(
            rss_file("RssAnon:\t8 kB\nRssFile:\t  12 kB\n"),
            Some(12 * 1024)
        );
        assert_eq!(rss_file("RssAnon:\t8 kB\n"), None);
    }

    #[test]
    fn a_program_that_asks_for_something_else_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(b"GET /else HTTP/1.1\r\n").unwrap();
        let error = asked(&listener, Instant::now(), std::process::id())
            .err()
            .unwrap();
        assert!(error.to_string().contains("GET /else"), "{error}");
        std::io::Write::write_all(
            &mut std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap(),
            b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n",
        )
        .unwrap();
        let start = asked(&listener, Instant::now(), std::process::id()).unwrap();
        assert!(start.ms >= 0.0 && start.mapped > 0.0);
    }
}
