//! `floodgate deploy`: a stack from nothing, or brought up to date.

use crate::args::{Architecture, OutArgs, StackArgs};
use crate::deploy::{Deploy, deploy as deploying};
use crate::error::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `floodgate deploy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Engines on offer: http, k6, jmeter, gatling [default: as before, else http]
    #[arg(long = "engine", value_name = "NAME", value_delimiter = ',')]
    pub engines: Vec<String>,
    /// Processor of functions and generators [default: as before, else this machine's]
    #[arg(long = "arch", value_enum)]
    pub architecture: Option<Architecture>,
    /// A folder with the files of a release [default: beside this program, or here]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
    /// The functions' zip, in place of the release's
    #[arg(long, value_name = "ZIP")]
    pub functions: Option<PathBuf>,
    /// An image of the Docker engine for an engine, in place of the release's; repeatable
    #[arg(long = "image", value_name = "ENGINE=IMAGE")]
    pub images: Vec<String>,
    /// Tag of the images in the stack's repositories, where a tag stays what it is [default: this version]
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Further inputs of the Terraform module (terraform/README.md); repeatable, and kept until there are others
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Where the connection file is written.
    #[command(flatten)]
    pub out: OutArgs,
}

/// Deploys.
///
/// # Errors
/// What is missing or refused. The same command goes on from there.
pub async fn deploy(args: Args) -> Result<ExitCode> {
    Box::pin(deploying(&Deploy {
        stack: args.stack,
        engines: args.engines,
        architecture: args.architecture,
        functions: args.functions,
        images: args.images,
        artefacts: args.artefacts,
        tag: args.tag,
        var_files: args.var_files,
        dry_run: args.dry_run,
        out: args.out.out,
    }))
    .await?;
    Ok(ExitCode::SUCCESS)
}
