//! `floodgate convert`: a definition from a recording, curl commands or an OpenAPI document.

use crate::error::{CliError, Result};
use crate::output::{counted, print, say};
use floodgate_convert::{Converted, Format, Options, convert as convert_source};
use std::fs::File;
use std::io::{ErrorKind, IsTerminal as _, Read, Write as _, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  floodgate convert shop.har --out shop.yaml             # a recording of a browser (DevTools, Network, \"Save all as HAR\")
  floodgate convert shop.har --host shop.example --host api.shop.example
  pbpaste | floodgate convert - --out login.yaml         # \"Copy as cURL\", one request or all
  floodgate convert openapi.yaml --from openapi > api.yaml

Passwords, tokens and cookies of the source are never written: the definition refers to them as ${secret:NAME}.";

/// Arguments of `floodgate convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A HAR, a file with curl commands, or an OpenAPI 3 document; - for standard input
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// What the source is [default: told by its content]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub from: Option<From>,
    /// Where to write the definition; bodies that are no text go into a folder beside it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Keep requests to this host, HOST or HOST:PORT; repeatable, the first is the target [default: the host with most requests]
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Keep images, fonts, styles and scripts
    #[arg(long = "static")]
    pub keep_static: bool,
    /// Leave out think times
    #[arg(long)]
    pub no_think: bool,
    /// Name of the test [default: from the name of FILE or SOURCE]
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
}

/// What a source may be.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum From {
    /// HTTP Archive
    Har,
    /// Commands for curl
    Curl,
    /// OpenAPI 3.0 or 3.1, YAML or JSON
    Openapi,
}

/// Converts a source. Nothing that is there is written over.
///
/// # Errors
/// A source that cannot be read or converted, a file that is there, or cannot be written.
pub fn convert(args: &Args) -> Result<ExitCode> {
    let folder = args.out.as_deref().and_then(Path::parent);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(exists(out));
    }
    let exists = |path: &str| folder.join(path).is_file();
    let options = Options {
        format: args.from.map(|from| match from {
            From::Har => Format::Har,
            From::Curl => Format::Curl,
            From::Openapi => Format::OpenApi,
        }),
        hosts: args.hosts.clone(),
        keep_static: args.keep_static,
        think: !args.no_think,
        name: args.test.clone().unwrap_or_else(|| name(args)),
        files: args.out.is_some(),
        exists: &exists,
    };
    let converted = convert_source(open(&args.source)?, &options)
        .map_err(|error| CliError::read(&args.source, error, None))?;
    match &args.out {
        None => print(&converted.text)?,
        Some(out) => write(out, &folder, &converted)?,
    }
    for note in &converted.notes {
        say!("note: {note}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The test is named after the definition, else after the source.
fn name(args: &Args) -> String {
    let path = args.out.as_deref().unwrap_or(&args.source);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem == "-" {
        "converted".into()
    } else {
        stem.into_owned()
    }
}

fn open(source: &Path) -> Result<Box<dyn Read>> {
    if source != Path::new("-") {
        if source.is_dir() {
            let remedy = "name a file in it";
            return Err(CliError::read(source, "is a folder", Some(remedy.into())));
        }
        return match File::open(source) {
            Ok(file) => Ok(Box::new(file)),
            // It says what may have been meant.
            Err(error) => Err(crate::files::read(source)
                .err()
                .unwrap_or_else(|| CliError::read(source, error, None))),
        };
    }
    if stdin().is_terminal() {
        let remedy = "pipe the source into it, or name its file";
        return Err(CliError::read(
            "-",
            "standard input is a terminal",
            Some(remedy.into()),
        ));
    }
    Ok(Box::new(stdin().lock()))
}

fn exists(path: &Path) -> CliError {
    CliError::usage(format!(
        "{} exists already; name another file, or move it away",
        path.display()
    ))
}

fn write(out: &Path, folder: &Path, converted: &Converted) -> Result<()> {
    let new = |path: &Path, content: &[u8]| {
        let written = File::create_new(path).and_then(|mut file| file.write_all(content));
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => CliError::write(path, error),
        })
    };
    // Bodies first: a definition that is there can be run.
    for (path, content) in &converted.files {
        let path = folder.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| CliError::write(folder, error))?;
        }
        new(&path, content)?;
    }
    new(out, converted.text.as_bytes())?;
    let (file, beside) = (
        out.display(),
        match converted.files.len() as u64 {
            0 => String::new(),
            n => format!(" and {} of bodies", counted(n, "file")),
        },
    );
    print(&format!(
        "wrote {file}{beside}; next: read it, then floodgate validate {file} and floodgate run {file}\n"
    ))
}
