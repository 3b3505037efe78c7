//! What nobody else of a machine may see: parameters of a script, which secrets may be among. Arguments of a process can be read by all
//! users (`/proc/PID/cmdline`), its environment and a file of mode 0600 by its own only.

use crate::error::LaunchError;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a new file that only this user may read.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), LaunchError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(bytes));
    written.map_err(LaunchError::file(path))
}

/// Properties as `java.util.Properties` loads them: Latin-1, all else as Unicode escapes of four hexadecimal digits.
pub(crate) fn properties<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in all {
        escape(name, &mut text);
        text.push('=');
        escape(value, &mut text);
        text.push('\n');
    }
    text
}

fn escape(value: &str, into: &mut String) {
    for unit in value.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(plain) if plain.is_ascii_alphanumeric() || "-._/".contains(plain) => {
                into.push(plain);
            }
            _ => *into += &format!("\\u{unit:04x}"),
        }
    }
}

/// An argument as a line of a file that `java` is given as `@FILE`
/// (<https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#java-command-line-argument-files>).
pub(crate) fn java_argument(argument: &[u8], into: &mut Vec<u8>) {
    into.push(b'"');
    for &byte in argument {
        match byte {
            b'"' | b'\\' => into.extend([b'\\', byte]),
            b'\n' => into.extend(b"\\n"),
            b'\r' => into.extend(b"\\r"),
            b'\t' => into.extend(b"\\t"),
            0x0c => into.extend(b"\\f"),
            other => into.push(other),
        }
    }
    into.extend(b"\"\n");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_its_owners_alone_and_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, b"x").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(write(&path, b"y").is_err());
    }

    #[test]
    fn values_stay_what_they_are() {
        let text = properties([("users", "5"), ("a key", "x=1 #\u{e9}\u{1f600}\\n")]);
        let expected =
            "users=5\na\\u0020key=x\\u003d1\\u0020\\u0023\\u00e9\\ud83d\\ude00\\u005cn\n";
        assert_eq!(text, expected);
        let mut line = Vec::new();
        java_argument(b"-Da=b \"c\"\\\n", &mut line);
        assert_eq!(line, b"\"-Da=b \\\"c\\\"\\\\\\n\"\n");
    }
}
