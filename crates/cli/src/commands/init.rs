//! `floodgate init`: a commented definition to start from.

use crate::error::{CliError, Result};
use crate::output::print;
use floodgate_core::definition::starter;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `floodgate init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write it
    #[arg(value_name = "FILE", default_value = "floodgate.yaml")]
    pub file: PathBuf,
}

/// Writes the starter, and never over a file that is there.
///
/// # Errors
/// A file that is there, or cannot be written.
pub fn init(args: &Args) -> Result<ExitCode> {
    write_new(&args.file, &starter(&test_name(&args.file)))?;
    let file = args.file.display();
    print(&format!(
        "wrote {file}; next: edit its target, then floodgate validate {file} and floodgate run {file}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The test is named after the file, unless that has the name which nobody chose.
fn test_name(file: &Path) -> String {
    match file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .as_ref()
    {
        "floodgate" => "first-test".into(),
        stem => stem.to_owned(),
    }
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let written =
        std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => CliError::usage(format!(
            "{} exists already; name another file, or move it away",
            path.display()
        )),
        _ => CliError::write(path, error),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        init(&Args { file: file.clone() }).unwrap();
        let first = std::fs::read_to_string(&file).unwrap();
        assert!(matches!(
            init(&Args { file: file.clone() }),
            Err(CliError::Usage(_))
        ));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
        assert!(first.contains("test: \"a\""), "{first}");
        assert_eq!(test_name(Path::new("x/floodgate.yaml")), "first-test");
    }
}
