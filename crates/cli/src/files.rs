//! Files that the user names: read whole, with messages that help.

use crate::error::{Cause, CliError, Result};
use floodgate_core::syntax::nearest;
use floodgate_generator::flow::MAX_DATA_BYTES;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Reads a file.
///
/// # Errors
/// [`CliError::File`] with a remedy: the nearest name if there is none of this name, what a folder is not.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(fail(path, "is a folder", Some("name a file in it".into())));
    }
    std::fs::read(path).map_err(|error| why(path, error))
}

fn why(path: &Path, error: std::io::Error) -> CliError {
    match error.kind() {
        ErrorKind::NotFound => fail(path, "there is no such file", neighbour(path)),
        ErrorKind::PermissionDenied => fail(
            path,
            "permission denied",
            Some("make it readable for this user".into()),
        ),
        _ => fail(path, error, None),
    }
}

/// Reads a file that a definition names. Whoever wrote the definition may not be who runs it: a pipe would be waited for, and a
/// device has no end.
///
/// # Errors
/// As for [`read`], and what is not a file or larger than any that a definition may name.
pub(crate) fn read_named(path: &Path) -> Result<Vec<u8>> {
    let found = std::fs::metadata(path).map_err(|error| why(path, error))?;
    if !found.is_file() && !found.is_dir() {
        let remedy = "name a file of its own in the definition's folder";
        return Err(fail(
            path,
            "is a pipe, a socket or a device",
            Some(remedy.into()),
        ));
    }
    if found.len() > MAX_DATA_BYTES {
        let problem = format!(
            "has {} bytes; at most {MAX_DATA_BYTES} are read",
            found.len()
        );
        return Err(fail(path, problem, None));
    }
    read(path)
}

/// Reads a definition from standard input, to one byte past the largest that there may be.
///
/// # Errors
/// [`CliError::File`] if it cannot be read, is a terminal, or has nothing in it.
pub(crate) fn read_stdin() -> Result<Vec<u8>> {
    use std::io::IsTerminal as _;
    let stdin = std::io::stdin();
    let fail = |cause: Cause, remedy: &str| fail(Path::new("-"), cause, Some(remedy.into()));
    if stdin.is_terminal() {
        let problem = "standard input is a terminal";
        return Err(fail(
            problem.into(),
            "pipe a definition into it, or name its file",
        ));
    }
    let mut text = Vec::new();
    let mut bounded = stdin
        .lock()
        .take(floodgate_core::definition::MAX_SIZE as u64 + 1);
    bounded
        .read_to_end(&mut text)
        .map_err(|error| fail(error.into(), "name the definition's file"))?;
    if text.is_empty() {
        return Err(fail(
            "standard input is empty".into(),
            "pipe a definition into it",
        ));
    }
    Ok(text)
}

/// Reads a file where the folder of a project would do, too.
///
/// # Errors
/// As for [`read`]; of a folder it says what makes it a project's.
pub(crate) fn read_or_project(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        let problem = format!(
            "is a folder, and {}",
            floodgate_engines::registry::not_a_project()
        );
        return Err(fail(path, problem, Some("name a file in it".into())));
    }
    // to one byte past the largest that there may be: what has no end is as well too large
    let file = std::fs::File::open(path).map_err(|error| why(path, error))?;
    let mut text = Vec::new();
    file.take(floodgate_core::definition::MAX_SIZE as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|error| why(path, error))?;
    Ok(text)
}

/// The full path of what is there, without links.
///
/// # Errors
/// [`CliError::File`].
pub(crate) fn full(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| fail(path, error, None))
}

/// Reads a file as UTF-8.
///
/// # Errors
/// As for [`read`], and the place of the first byte that is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        let problem = format!(
            "is not UTF-8 text (byte {})",
            error.utf8_error().valid_up_to()
        );
        fail(path, problem, Some("save it as UTF-8".into()))
    })
}

fn fail(path: &Path, cause: impl Into<Cause>, remedy: Option<String>) -> CliError {
    CliError::read(path, cause, remedy)
}

/// The file beside it whose name is nearest.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Some(format!("nor is there a folder {}", folder.display()));
    };
    let names: Vec<_> = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    let found = nearest(
        path.file_name()?.to_str()?,
        names.iter().map(String::as_str),
    )?;
    let found = if folder == Path::new(".") {
        found.into()
    } else {
        folder.join(found)
    };
    Some(format!("did you mean {}?", found.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_a_folder_and_bytes_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("checkout.yaml"), "x").unwrap();
        std::fs::write(folder.path().join("bytes"), [b'a', 0xff]).unwrap();
        let message = |name: &str| {
            read_text(&folder.path().join(name))
                .unwrap_err()
                .to_string()
        };
        assert!(
            message("chekout.yaml").contains("no such file; did you mean"),
            "{}",
            message("chekout.yaml")
        );
        assert!(message("chekout.yaml").contains("checkout.yaml?"));
        assert!(message("").contains("is a folder"));
        assert!(message("nowhere/x").contains("nor is there a folder"));
        assert!(message("bytes").contains("not UTF-8 text (byte 1)"));
    }
}
