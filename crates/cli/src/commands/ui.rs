//! `floodgate ui`: the console on this machine.

use crate::args::{EnvArgs, PlaceArgs};
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_stored_open;
use crate::local::keep_sweeping;
use crate::output::{print, say};
use crate::signals::Signals;
use crate::stores::Executions;
use crate::trigger::trigger;
use async_trait::async_trait;
use floodgate_api::{Access, Caller, Definitions, Service, console_files, router};
use floodgate_control::{Stores, Trail, UNKNOWN_PRINCIPAL};
use floodgate_core::definition::model::Definition;
use floodgate_policy::{Grants, Role};
use floodgate_records::execution::PrincipalIs;
use floodgate_records::plan::Plan;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;

/// Bytes of a token: more than anybody can guess.
const TOKEN: usize = 16;

/// Arguments of `floodgate ui`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, short, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Write the console's files into this folder instead, for a server of files such as a bucket
    #[arg(long, value_name = "FOLDER", requires = "api", conflicts_with = "port")]
    pub files: Option<PathBuf>,
    /// With --files: the address of the API that the pages read, such as `https://api.example`
    #[arg(long, value_name = "URL", requires = "files")]
    pub api: Option<String>,
    /// Whose and where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Serves the console until a signal ends it. It prints the address, which holds a token: nobody else on this machine is let in.
///
/// # Errors
/// A port that is taken; a folder or a stack that is not there.
pub async fn ui(args: Args) -> Result<ExitCode> {
    if let (Some(folder), Some(api)) = (&args.files, &args.api) {
        return write_files(folder, api);
    }
    let place = args.place;
    let executions = Executions::open(&place.cloud, &place.project, &place.out).await?;
    let (by, trail) = match &executions {
        // The functions note it: a runner may write no records.
        Executions::Cloud { caller, .. } => (caller.clone(), Trail::AtTheEnd),
        Executions::Local { .. } => {
            let principal = trigger(|name| std::env::var(name).ok()).principal;
            (
                principal.unwrap_or_else(|| UNKNOWN_PRINCIPAL.into()),
                Trail::Here,
            )
        }
    };
    let stores = executions.stores().clone();
    let definitions = stored(&stores, &place.out.out)?;
    let service = Service::new(stores, trail, definitions, now_ms);
    let caller = Caller {
        name: by,
        is: PrincipalIs::Claimed,
        grants: match place.project.project.clone() {
            Some(project) => Grants::of([(project, Role::Admin)]),
            None => Grants::owner(),
        },
    };
    let listening = |error| {
        let problem = format!(
            "port {} of 127.0.0.1: {error}; choose another one with --port",
            args.port
        );
        CliError::Usage(problem.into())
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await;
    let listener = listener.map_err(listening)?;
    let port = listener.local_addr().map_err(listening)?.port();
    let token = token()?;
    print(&format!("http://127.0.0.1:{port}/?token={token}\n"))?;
    say!("the console is at this address until Ctrl-C; it is served to this machine alone");
    let mut signals = Signals::new()?;
    let routes = router(service, Access::on_loopback(port, token, caller));
    let served = axum::serve(listener, routes);
    tokio::select! {
        ended = served => ended.map_err(|error| CliError::run("the console", error.to_string()))?,
        _ = signals.next() => {}
        () = finish_what_is_left(&executions, &place.out.out) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A page would show a run for ever whose coordinator is gone. Those of a stack are finished by its functions.
async fn finish_what_is_left(executions: &Executions, out: &Path) {
    if let (Executions::Local { stores, folder }, Ok(env)) =
        (executions, Environment::new(&EnvArgs::default(), out))
    {
        keep_sweeping(stores, folder, &env).await;
    }
    std::future::pending::<()>().await;
}

/// Writes the console's files, which read the API at this address.
fn write_files(folder: &Path, api: &str) -> Result<ExitCode> {
    let files = console_files(api).map_err(|error| CliError::Usage(error.into()))?;
    for (path, text) in files {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| std::fs::write(&path, text));
        let told = |error| format!("--files: {}: {error}", path.display());
        written.map_err(|error| CliError::Usage(told(error).into()))?;
    }
    say!(
        "the console is in {}: put it on a server of files, and let the API be read from there",
        folder.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn token() -> Result<String> {
    let mut bytes = [0; TOKEN];
    getrandom::fill(&mut bytes)
        .map_err(|error| CliError::run("the console's token", error.to_string()))?;
    Ok(floodgate_records::printable::hex(bytes))
}

/// Definitions of runs that go on, as they are stored.
///
/// # Errors
/// As for [`Environment::new`].
pub(super) fn stored(stores: &Stores, out: &Path) -> Result<Box<dyn Definitions>> {
    Ok(Box::new(Stored {
        stores: stores.clone(),
        env: Environment::new(&EnvArgs::default(), out)?,
    }))
}

struct Stored {
    stores: Stores,
    env: Environment,
}

#[async_trait]
impl Definitions for Stored {
    async fn of(
        &self,
        plan: &Plan,
    ) -> std::result::Result<Definition, Box<dyn std::error::Error + Send + Sync>> {
        let given = plan.env.iter();
        let env = given.fold(self.env.clone(), |env, (name, value)| env.with(name, value));
        Ok(load_stored_open(&self.stores, plan, &env).await?)
    }
}
