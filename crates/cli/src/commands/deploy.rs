//! `floodgate deploy`: a stack from nothing, or brought up to date.

use crate::args::{OutArgs, StackArgs};
use crate::deploy::{Architecture, Deploy, deploy as deploying};
use crate::error::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `floodgate deploy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Engines to offer: http, k6, jmeter, gatling [default: those of the last deployment, else http]
    #[arg(long = "engine", value_name = "NAME", value_delimiter = ',')]
    pub engines: Vec<String>,
    /// Processor of functions and generators [default: that of the last deployment, else this machine's]
    #[arg(long = "arch", value_enum)]
    pub architecture: Option<Architecture>,
    /// Folder with the files of a release [default: that of this program, or the current one]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
    /// Zip of the functions, instead of the release's
    #[arg(long, value_name = "ZIP")]
    pub functions: Option<PathBuf>,
    /// Local Docker image for an engine, instead of the release's; repeatable
    #[arg(long = "image", value_name = "ENGINE=IMAGE")]
    pub images: Vec<String>,
    /// Tag of the images in the stack's repositories; existing tags are never overwritten [default: this version]
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Inputs of the Terraform module (terraform/README.md); repeatable; kept until you pass others
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// Show what would be done, and do nothing
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
