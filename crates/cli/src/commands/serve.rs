//! `floodgate serve`: the API on this machine, for whoever brings a token.

use crate::args::{EnvArgs, OutArgs};
use crate::clock::now_ms;
use crate::clockwork::by_the_clock;
use crate::commands::ui::stored;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::{keep_sweeping, open};
use crate::notices::keep_trying;
use crate::output::{print, say};
use crate::serving::Processes;
use crate::signals::Signals;
use crate::targets::TargetLists;
use async_trait::async_trait;
use floodgate_api::{
    Access, ConfigError, Fetch, Identities, Limits, Origin, RunOrder, Scheduler, Service,
    StartError, Starter, router,
};
use floodgate_control::Trail;
use floodgate_store::aws::call::Calls;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Arguments of `floodgate serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080")]
    pub listen: SocketAddr,
    /// JSON file of tokens: principals, their roles by project, and the SHA-256 of each token
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// JSON file of OpenID Connect issuers, and of rules that give roles to their identities
    #[arg(long, value_name = "FILE")]
    pub oidc: Option<PathBuf>,
    /// Requests per second of each principal in the long run; ten seconds' worth at once
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// Proxies in front, each of which adds the address of its client to x-forwarded-for; failed attempts are counted by address
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub proxies: u8,
    /// Runs at the same time; more would share the machine and measure each other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_runs: u16,
    /// JSON file of what the load of each project may be sent to, as the Terraform module has it; without it, anything
    #[arg(long, value_name = "FILE")]
    pub targets: Option<PathBuf>,
    /// Where pages lie that may read the API, such as those of `floodgate ui --files`; can be given more than once
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<Origin>,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
}

/// Serves the API until a signal ends it. Runs that go on are processes of their own, and come to their verdict. Meanwhile notifications
/// that were not taken are tried again.
///
/// # Errors
/// No way to tell who asks; an address that is taken; a folder or a file that cannot be read.
pub async fn serve(args: Args) -> Result<ExitCode> {
    let identities = Arc::new(identities(&args)?);
    let env = Environment::new(&EnvArgs::default(), &args.out.out)?;
    let out = &args.out.out;
    let (stores, folder) = open(out)?;
    let targets = args.targets.as_deref().map(TargetLists::open).transpose()?;
    let processes = Processes::new(stores.clone(), out, usize::from(args.max_runs))?;
    let processes = Arc::new(processes.bound_to(targets));
    let definitions = stored(&stores, out)?;
    let scheduled = stores.clone();
    let service = Service::new(stores.clone(), Trail::Here, definitions, now_ms)
        .starting(Box::new(Shared(Arc::clone(&processes))))
        .of(Arc::clone(&identities));
    let listening = |error| {
        let problem = format!(
            "{}: {error}; choose another address with --listen",
            args.listen
        );
        CliError::Usage(problem.into())
    };
    let listener = TcpListener::bind(args.listen).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    print(&format!("http://{address}\n"))?;
    say!("the API is at this address until Ctrl-C; http://{address}/openapi.json describes it");
    if !address.ip().is_loopback() {
        say!("it is not encrypted: put a proxy that speaks TLS in front of it");
    }
    let mut signals = Signals::new()?;
    let clockwork = Scheduler::new(scheduled, Arc::new(Shared(Arc::clone(&processes))));
    let access = Access::by_token(identities, Limits::per_second(args.rate), now_ms)
        .behind_proxies(args.proxies)
        .from_pages_at(args.allow_origin);
    let routes = router(service, access).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, routes);
    tokio::select! {
        ended = served => ended.map_err(|error| CliError::run("the API", error.to_string()))?,
        () = by_the_clock(&clockwork) => {}
        _ = signals.next() => {}
        () = keep_trying(&stores, out, &env) => {}
        () = keep_sweeping(&stores, &folder, &env) => {}
    }
    let left = processes.going_on();
    if left > 0 {
        let runs = if left == 1 { "run goes" } else { "runs go" };
        say!("{left} {runs} on to the verdict; floodgate abort stops one");
    }
    Ok(ExitCode::SUCCESS)
}

fn identities(args: &Args) -> Result<Identities> {
    if args.tokens.is_none() && args.oidc.is_none() {
        let problem = "name --tokens or --oidc: without them nobody could tell who asks, and whoever reaches the address could start load";
        return Err(CliError::Usage(problem.into()));
    }
    let usage = |error: ConfigError| CliError::Usage(error.into());
    let mut known = Identities::default();
    if let Some(path) = &args.tokens {
        known = known.with_tokens(path).map_err(usage)?;
    }
    if let Some(path) = &args.oidc {
        let fetch = Arc::new(Keys(Calls::new(&aws_config::SdkConfig::builder().build())));
        known = known.with_issuers(path, fetch).map_err(usage)?;
    }
    Ok(known)
}

/// Gets the keys of issuers.
struct Keys(Calls);

#[async_trait]
impl Fetch for Keys {
    async fn get(&self, url: &str) -> std::result::Result<Vec<u8>, String> {
        let found = self.0.get(url).await;
        found.map(|bytes| bytes.to_vec()).map_err(|e| e.to_string())
    }
}

/// One for the service, and one to ask what goes on.
struct Shared(Arc<Processes>);

#[async_trait]
impl Starter for Shared {
    async fn start(&self, order: RunOrder) -> std::result::Result<(), StartError> {
        self.0.start(order).await
    }
}
