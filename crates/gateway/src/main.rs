//! The gateway as a program.

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use floodgate_gateway::server;
use floodgate_gateway::terraform::{World, render};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Enforces policies in front of an emulated AWS on loopback, for tests
#[derive(Parser)]
#[command(name = "floodgate-gateway")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Serve until standard input ends
    Serve {
        /// Port of 127.0.0.1 to listen on
        #[arg(long, env = "GATEWAY_PORT")]
        port: u16,
        /// Where the emulator listens
        #[arg(long, env = "FLOODGATE_UPSTREAM")]
        upstream: SocketAddr,
        /// Account that everything is in
        #[arg(long, default_value = "000000000000")]
        account: String,
    },
    /// Print the policies that Terraform would render, as JSON
    Render {
        /// Inputs of the root module, as a JSON object
        #[arg(long, default_value = "{}")]
        inputs: String,
        /// Account of the stack
        #[arg(long, default_value = "000000000000")]
        account: String,
        /// Home region of the stack
        #[arg(long, default_value = "eu-west-1")]
        region: String,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Serve {
            port,
            upstream,
            account,
        } => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            let listener = listener.with_context(|| format!("listen on 127.0.0.1:{port}"))?;
            end_with_starter();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(server::serve(listener, upstream, &account))
        }
        What::Render {
            inputs,
            account,
            region,
        } => {
            let inputs = serde_json::from_str(&inputs).context("--inputs")?;
            let rendering = render(&inputs, &World { account, region })?;
            let mut out = std::io::stdout();
            serde_json::to_writer_pretty(&mut out, &rendering)?;
            Ok(out.write_all(b"\n")?)
        }
    }
}

/// Ends this process once its standard input, a pipe that the starter holds, is closed: so it ends also when the starter is killed.
fn end_with_starter() {
    std::thread::spawn(|| {
        let mut ignored = Vec::new();
        // An error means that nobody is there either.
        let _ = std::io::stdin().read_to_end(&mut ignored);
        std::process::exit(0);
    });
}
