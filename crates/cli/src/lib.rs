//! The command line: arguments become validated values, commands run, a verdict becomes an exit code.
//!
//! Results go to stdout, progress and messages to stderr, so that `--json` and `| less` just work.

// Both macros panic where a stream cannot be written, and a run must not end by that; and they show what a terminal would
// obey. `output` does neither.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod args;
mod clock;
mod clockwork;
mod cloud;
pub mod command;
pub mod commands;
mod deploy;
mod doctor;
pub mod env;
pub mod error;
mod export;
mod files;
mod limits;
pub mod load;
pub mod local;
mod memory;
mod notices;
mod order;
mod outcome;
mod output;
mod output_file;
mod pipeline;
mod reports;
mod script;
mod serving;
mod signals;
mod stores;
mod targets;
mod tools;
mod trigger;
pub mod view;

use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use command::{Cli, Command};
use commands::{
    abort, attach, audit, baseline, budget, capacity, compare, convert, demo, deploy as deploying,
    destroy as destroying, doctor as doctors, export as export_runs, generator, hit, import, init,
    inspect, notify as notifying, register, report, run, runs, schedule, schema, serve, show,
    trend, ui, validate,
};
use error::CliError;
use floodgate_generator::script::{GUARD, guarded};
use floodgate_records::status::{EXIT_INVALID, Status};
use output::say;
use std::ffi::OsString;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Duration;

/// Parses the arguments and does what they say.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    tell_panics_in_a_line();
    let arguments: Vec<_> = arguments.into_iter().collect();
    memory::abort_with_an_exit_code();
    let first = arguments.get(1).map(OsString::as_os_str);
    if first.is_some_and(|first| first == memory::SIFT) {
        memory::sift();
        return ExitCode::SUCCESS;
    }
    let limited = memory::is_limited();
    if limited {
        memory::with_one_heap(&arguments);
    }
    // Of generators and guards their coordinator tells.
    let tells = first.is_some_and(|first| first != "generator" && first != GUARD);
    let _sifted = (limited && tells).then(memory::Sifted::begin).flatten();
    if arguments.get(1).is_some_and(|first| first == GUARD) {
        let error = guarded(arguments.into_iter().skip(2));
        say!("floodgate: {error}");
        return ExitCode::from(Status::Errored.exit_code());
    }
    let arguments_given = arguments.clone();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are not a failure; a closed pipe is nobody's concern. Arguments that a
            // terminal would obey cost a message its colours.
            let text = error.render().to_string();
            if floodgate_records::printable::printable_lines(&text) == text {
                let _ = error.print();
            } else {
                output::say_lines(text.trim_end());
            }
            let unknown = error.get(ContextKind::InvalidArg).map(ToString::to_string);
            let asked = arguments_given
                .get(1)
                .is_some_and(|command| command == "run");
            if let Some((engine, word)) = unknown
                .filter(|_| asked)
                .as_deref()
                .and_then(floodgate_engines::registry::instead_of)
            {
                say!("of {engine}'s options: {word}");
            }
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(EXIT_INVALID),
            };
        }
    };
    match catch_unwind(|| dispatch(cli.command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            output::say_error(&error);
            ExitCode::from(error.exit_code())
        }
        // It has been told; its own exit code is none of ours.
        Err(_) => ExitCode::from(Status::Errored.exit_code()),
    }
}

/// A panic is a fault of this program, or a machine that has nothing left to give: one line says so, unless somebody asks for more.
fn tell_panics_in_a_line() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("for an unknown reason");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        say!(
            "floodgate panicked at {place}: {message}; with RUST_BACKTRACE=1 it says where it came from"
        );
    }));
}

fn dispatch(command: Command) -> error::Result<ExitCode> {
    limits::check(match &command {
        Command::Run(_)
        | Command::Capacity(_)
        | Command::Hit(_)
        | Command::Demo(_)
        | Command::Generator(_) => limits::FOR_LOAD,
        _ => limits::FOR_READING,
    })?;
    // The coordinator reads and merges now and then; generators bring their own threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // One thread for files stays: where no second can be started, it does their work as well.
        .thread_keep_alive(Duration::from_secs(u64::from(u32::MAX)))
        .build();
    let runtime = runtime.map_err(|e| CliError::run("start the runtime", e))?;
    runtime.block_on(Box::pin(async {
        drop(tokio::task::spawn_blocking(|| ()).await);
        match command {
            Command::Run(args) => Box::pin(run::run(args)).await,
            Command::Capacity(args) => Box::pin(capacity::capacity(args)).await,
            Command::Hit(args) => Box::pin(hit::hit(args)).await,
            Command::Inspect(args) => inspect::inspect(&args),
            Command::Register(args) => Box::pin(register::register(args)).await,
            Command::Import(args) => Box::pin(import::import(args)).await,
            Command::Validate(args) => validate::validate(&args),
            Command::Schema(args) => schema::schema(&args),
            Command::Init(args) => init::init(&args),
            Command::Convert(args) => convert::convert(&args),
            Command::Runs(args) => runs::runs(args).await,
            Command::Show(args) => show::show(args).await,
            Command::Report(args) => Box::pin(report::report(args)).await,
            Command::Export(args) => Box::pin(export_runs::export(args)).await,
            Command::Notify(args) => Box::pin(notifying::notify(args)).await,
            Command::Compare(args) => Box::pin(compare::compare(args)).await,
            Command::Trend(args) => Box::pin(trend::trend(args)).await,
            Command::Serve(args) => Box::pin(serve::serve(args)).await,
            Command::Ui(args) => Box::pin(ui::ui(args)).await,
            Command::Baseline(args) => baseline::baseline(args).await,
            Command::Budget(args) => Box::pin(budget::budget(args)).await,
            Command::Schedule(args) => Box::pin(schedule::schedule(args)).await,
            Command::Audit(args) => Box::pin(audit::audit(args)).await,
            Command::Abort(args) => abort::abort(args).await,
            Command::Attach(args) => attach::attach(args).await,
            Command::Deploy(args) => Box::pin(deploying::deploy(args)).await,
            Command::Destroy(args) => Box::pin(destroying::destroy(args)).await,
            Command::Doctor(args) => doctors::doctor(args).await,
            Command::Demo(args) => Box::pin(demo::demo(args)).await,
            Command::Generator(args) => generator::generator(args).await,
        }
    }))
}
