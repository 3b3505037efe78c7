//! A script with everything that it imports and opens, as one file that `k6 run` takes.
//!
//! `k6 archive` makes it, but two of its archives of one script differ: in times, in the order of entries, and in the folder where the
//! script lies, which is in every path. What [`pack`] gives depends on the contents alone (and on k6's version, which k6 writes in), so
//! that its hash is the version of a test.

use super::inspect::inspect;
use super::tool::{Parameters, Tool, call, script, succeeded};
use crate::archive::append;
use crate::error::LaunchError;
use crate::inspection::Inspection;
use crate::job::Job;
use crate::links::link_out;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A packed script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The archive (tar), for `k6 run NAME.tar`.
    pub bytes: Vec<u8>,
    /// The files in it that lie in the script's folder, relative to it, without the script.
    pub files: Vec<String>,
    /// The parameters that the script and its modules read, see [`parameters`].
    pub parameters: BTreeMap<String, Option<String>>,
    /// The metrics that they declare, by their text.
    pub metrics: Vec<String>,
    /// What the reader of the record should know.
    pub warnings: Vec<String>,
}

/// All that can be known of a script before it runs, and the script as one file: what [`inspect()`] gives, with files and parameters.
///
/// # Errors
/// As of [`Tool::inspect`], [`inspect()`] and [`pack`].
pub fn examine(tool: &Tool, job: &Job<'_>) -> Result<(Inspection, Packed), LaunchError> {
    let mut inspection = inspect(job.script, &tool.inspect(job)?)?;
    let packed = pack(tool, job)?;
    inspection.files.clone_from(&packed.files);
    inspection.parameters.clone_from(&packed.parameters);
    inspection.metrics.clone_from(&packed.metrics);
    inspection.warnings.extend(packed.warnings.iter().cloned());
    Ok((inspection, packed))
}

/// Where the script's folder is in an archive.
const HOME: &str = "/test";
/// Whether a script exports a function of this name, by its text.
fn exports(script: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(script);
    let ends =
        |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
    text.match_indices(name).any(|(at, _)| {
        let statement = text[..at]
            .rsplit([';', '\n', '}'])
            .next()
            .unwrap_or_default();
        ends(&text[at + name.len()..]) && statement.contains("export")
    })
}

/// How many files from elsewhere are named.
const NAMED: usize = 10;
/// The most that is packed, in bytes.
const LARGEST: u64 = 512 << 20;

/// Packs a job's script. Parameters are not packed: they belong to the run. Options that come from the environment (`K6_VUS`) are.
///
/// # Errors
/// [`LaunchError::Script`] with k6's words, or if it is more than 512 MiB; [`LaunchError::File`].
pub fn pack(tool: &Tool, job: &Job<'_>) -> Result<Packed, LaunchError> {
    let made = job.scratch.join("k6.archive.tar");
    let mut arguments: Vec<OsString> = vec![
        "archive".into(),
        "--exclude-env-vars".into(),
        "--include-system-env-vars".into(),
    ];
    let given = Parameters::of(job);
    arguments.extend(given.arguments.iter().cloned());
    arguments.extend([
        "--archive-out".into(),
        made.clone().into(),
        script(job).into(),
    ]);
    let env = tool.surroundings(&given);
    let called = call(&tool.program, arguments, &env, job.folder)?;
    succeeded(called, job.script)?;
    let file = LaunchError::file(&made);
    let size = made.metadata().map_err(file)?.len();
    if size > LARGEST {
        return Err(LaunchError::script(
            job.script,
            format!(
                "with the files that it opens it is {size} bytes, more than {LARGEST}: give large data as data files of the test"
            ),
        ));
    }
    let packed = std::fs::read(&made)
        .and_then(|bytes| repack(&bytes, job.folder))
        .map_err(file)?;
    std::fs::remove_file(&made).map_err(file)?;
    no_link_out(job, &packed.files)?;
    Ok(packed)
}

/// Whether what the script opens in its own folder lies there. What it opens elsewhere by a path of its own stands in the warnings.
fn no_link_out(job: &Job<'_>, files: &[String]) -> Result<(), LaunchError> {
    // k6 names files from the folder that the script lies in.
    let below = Path::new(job.script).parent().unwrap_or(Path::new(""));
    let folder = job.folder.join(below);
    let own = Path::new(job.script).file_name();
    let out = files.iter().find_map(|name| {
        let is_script = own == Some(std::ffi::OsStr::new(name));
        let to = link_out(&folder, Path::new(name)).filter(|_| !is_script)?;
        Some((name, to))
    });
    match out {
        Some((name, to)) => Err(LaunchError::script(
            job.script,
            format!(
                "it opens {name}, a link that leads out of its folder, to {}: copy what it leads to, or open it by that path",
                to.display()
            ),
        )),
        None => Ok(()),
    }
}

/// Makes one of k6's archives anew: entries in order, no times, the script's folder as [`HOME`]. `real` is that folder, which k6 may have
/// made anonymous (`/home/nobody/…`).
fn repack(archive: &[u8], real: &Path) -> io::Result<Packed> {
    let mut entries = BTreeMap::new();
    let mut reader = tar::Archive::new(archive);
    for entry in reader.entries()? {
        let mut entry = entry?;
        // Folders come with their files, and the one link is the script, which k6 takes from `data`.
        if entry.header().entry_type().is_file() {
            let path = entry.path()?.into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            entries.insert(path, bytes);
        }
    }
    let metadata = entries
        .remove(Path::new("metadata.json"))
        .unwrap_or_default();
    let mut metadata: Value = serde_json::from_slice(&metadata)?;
    let folder = local(&metadata["pwd"])
        .unwrap_or_default()
        .trim_end_matches('/')
        .to_owned();
    let inside = format!("file{folder}/");
    let relative = |path: &Path| Some(path.to_str()?.strip_prefix(&inside)?.to_owned());
    let files: Vec<String> = entries.keys().filter_map(|path| relative(path)).collect();

    let is_code = |path: &Path| {
        path == Path::new("data")
            || path.starts_with("file")
                && matches!(
                    path.extension().and_then(|e| e.to_str()),
                    Some("js" | "mjs" | "cjs" | "ts")
                )
    };
    // The folder by its own name, from the one above: `../checkout/users.csv`.
    let own_name = Path::new(&folder).file_name();
    let from_above = own_name.map(|name| format!("../{}/", name.to_string_lossy()));
    let mut comes_from_above = false;
    let (mut parameters, mut metrics) = (BTreeMap::new(), BTreeSet::new());
    for (_, bytes) in entries.iter().filter(|(path, _)| is_code(path)) {
        let text = String::from_utf8_lossy(bytes);
        metrics.extend(self::metrics(&text));
        comes_from_above |= from_above.as_ref().is_some_and(|way| text.contains(way));
        for (name, default) in self::parameters(&text) {
            let known: &mut Option<String> = parameters.entry(name).or_default();
            *known = known.take().or(default);
        }
    }

    let mut warnings = Vec::new();
    if entries
        .get(Path::new("data"))
        .is_some_and(|script| exports(script, "handleSummary"))
    {
        warnings.push(
            "handleSummary() of the script is not called: each task would see its own part alone; floodgate show --json has the summary of all"
                .to_owned(),
        );
    }
    let outside: Vec<_> = entries
        .keys()
        .filter(|path| path.starts_with("file") && relative(path).is_none())
        .collect();
    let real = real.canonicalize().unwrap_or_else(|_| real.to_owned());
    let (real, folder_itself) = (format!("{}/", real.display()), format!("{folder}/"));
    let holds = |bytes: &[u8], path: &str| memchr::memmem::find(bytes, path.as_bytes()).is_some();
    let named = || {
        comes_from_above
            || entries
                .values()
                .any(|bytes| holds(bytes, &folder_itself) || holds(bytes, &real))
    };
    if folder.is_empty() {
        warnings.push("the script lies in the root folder: its version depends on that".to_owned());
    } else if !outside.is_empty() {
        // Paths from one folder into the other must stay true.
        let some = outside.iter().take(NAMED).map(|path| shown(path));
        let mut some = some.collect::<Vec<_>>().join(", ");
        if outside.len() > NAMED {
            some += &format!(" and {} more", outside.len() - NAMED);
        }
        warnings.push(format!("the script reads files outside of its folder, which travel with it ({some}): its version depends on where it lies"));
    } else if named() {
        warnings.push(format!("the script or a file of it names its folder {folder}: its version depends on where it lies"));
    } else {
        for key in ["pwd", "filename"] {
            if let Some(rest) = local(&metadata[key]).and_then(|path| path.strip_prefix(&folder)) {
                metadata[key] = format!("file://{HOME}{rest}").into();
            }
        }
        let moved = |path: PathBuf| {
            relative(&path).map_or(path, |rest| format!("file{HOME}/{rest}").into())
        };
        entries = entries
            .into_iter()
            .map(|(path, bytes)| (moved(path), bytes))
            .collect();
    }

    let mut writer = tar::Builder::new(Vec::new());
    append(
        &mut writer,
        Path::new("metadata.json"),
        &serde_json::to_vec_pretty(&metadata)?,
    )?;
    for (path, bytes) in &entries {
        append(&mut writer, path, bytes)?;
    }
    Ok(Packed {
        bytes: writer.into_inner()?,
        files,
        parameters,
        metrics: metrics.into_iter().collect(),
        warnings,
    })
}

/// The metrics that a script declares: `new Trend("name")` and its kin, also as `new metrics.Trend(…)`. The text is looked at, not run.
fn metrics(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for kind in ["Counter", "Gauge", "Rate", "Trend"] {
        for (at, _) in text.match_indices(kind) {
            let rest = text[at + kind.len()..].trim_start();
            let name = rest.strip_prefix('(').map(str::trim_start).and_then(quoted);
            found.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    found
}

/// The path of a `file://` URL.
fn local(url: &Value) -> Option<&str> {
    url.as_str()?.strip_prefix("file://")
}

fn shown(path: &Path) -> String {
    path.display().to_string().replacen("file", "", 1)
}

/// The parameters that a script reads: `__ENV.NAME` and `__ENV["NAME"]`, with a default where one follows as `|| "…"` or `?? "…"`.
/// The text is looked at, not run: a name that is put together at run time is not found, and one in a comment is.
pub fn parameters(text: &str) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    for (at, _) in text.match_indices("__ENV") {
        let rest = &text[at + "__ENV".len()..];
        let named = match rest.as_bytes().first() {
            Some(b'.') => {
                let rest = &rest[1..];
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                    .unwrap_or(rest.len());
                Some(rest.split_at(end))
            }
            Some(b'[') => quoted(rest[1..].trim_start())
                .and_then(|(name, rest)| Some((name, rest.trim_start().strip_prefix(']')?))),
            _ => None,
        };
        let Some((name, rest)) = named.filter(|(name, _)| !name.is_empty()) else {
            continue;
        };
        let rest = rest.trim_start();
        let default = rest.strip_prefix("||").or_else(|| rest.strip_prefix("??"));
        let default = default
            .and_then(|rest| quoted(rest.trim_start()))
            .map(|(text, _)| text.to_owned());
        let known: &mut Option<String> = found.entry(name.to_owned()).or_default();
        *known = known.take().or(default);
    }
    found
}

/// A string without escapes at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let (inner, rest) = text[1..].split_once(quote)?;
    let plain = !inner.contains('\\') && !inner.contains('\n') && !inner.contains("${");
    plain.then_some((inner, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An archive as k6 makes it.
    fn archive(folder: &str, files: &[(&str, &str)], time: u64) -> Vec<u8> {
        let mut writer = tar::Builder::new(Vec::new());
        let metadata = format!(
            r#"{{"type":"js","filename":"file://{folder}/test.js","pwd":"file://{folder}","k6version":"2.2.0"}}"#
        );
        let mut all = vec![
            ("metadata.json".to_owned(), metadata.as_str()),
            ("data".to_owned(), "import x"),
        ];
        all.extend(
            files
                .iter()
                .map(|(path, text)| (format!("file{path}"), *text)),
        );
        for (path, text) in all {
            let mut header = tar::Header::new_ustar();
            header.set_mtime(time);
            header.set_mode(0o600);
            header.set_size(text.len() as u64);
            writer
                .append_data(&mut header, path, text.as_bytes())
                .unwrap();
        }
        writer.into_inner().unwrap()
    }

    #[test]
    fn the_folder_and_the_time_do_not_matter() {
        let real = Path::new("/nonexistent/x");
        let long = format!("/home/nobody/{}/checkout", "x".repeat(150));
        let one = repack(
            &archive("/a", &[("/a/lib/b.js", "1"), ("/a/users.csv", "2")], 5),
            real,
        )
        .unwrap();
        let two = repack(
            &archive(
                &long,
                &[
                    (&format!("{long}/users.csv"), "2"),
                    (&format!("{long}/lib/b.js"), "1"),
                ],
                9,
            ),
            real,
        )
        .unwrap();
        assert_eq!(one, two);
        assert_eq!(one.files, ["lib/b.js", "users.csv"]);
        assert_eq!(one.warnings, [""; 0]);
        let names: Vec<_> = tar::Archive::new(&one.bytes[..])
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(
            names,
            [
                "metadata.json",
                "data",
                "file/test/lib/b.js",
                "file/test/users.csv"
            ]
        );
        assert!(String::from_utf8_lossy(&one.bytes).contains("file:///test/test.js"));
        assert_eq!(
            repack(&one.bytes, real).unwrap(),
            one,
            "packing again changes nothing"
        );
    }

    #[test]
    fn files_outside_stay_where_they_are() {
        let real = Path::new("/nonexistent/x");
        let packed = repack(
            &archive("/a/b", &[("/a/lib.js", "1"), ("/a/b/c.js", "2")], 0),
            real,
        )
        .unwrap();
        assert!(
            packed.warnings[0].contains("outside of its folder, which travel with it (/a/lib.js)"),
            "{:?}",
            packed.warnings
        );
        assert!(String::from_utf8_lossy(&packed.bytes).contains("file/a/b/c.js"));
        let packed = repack(
            &archive("/a/b", &[("/a/b/c.js", "open('/a/b/d.csv')")], 0),
            real,
        )
        .unwrap();
        assert!(
            packed.warnings[0].contains("names its folder /a/b"),
            "{:?}",
            packed.warnings
        );
        let packed = repack(
            &archive("/a/b", &[("/a/b/c.js", "open('/nonexistent/x/d.csv')")], 0),
            real,
        )
        .unwrap();
        assert_eq!(packed.warnings.len(), 1, "its real name counts too");
        let packed = repack(
            &archive("/a/b", &[("/a/b/c.js", "open('../b/d.csv')")], 0),
            real,
        )
        .unwrap();
        assert!(String::from_utf8_lossy(&packed.bytes).contains("file/a/b/c.js"));
        assert_eq!(packed.warnings.len(), 1, "so does its own from above");
        assert!(repack(b"no archive", real).is_err());
        assert!(repack(b"", real).is_err());
    }

    #[test]
    fn an_export_is_told_from_a_mention() {
        let of = |text: &str| exports(text.as_bytes(), "handleSummary");
        assert!(of("export function handleSummary(data) {}"));
        assert!(of("export const handleSummary = f"));
        assert!(of(
            "import x from 'y';\nfunction f() {}\nexport { f as handleSummary };"
        ));
        assert!(!of("// handleSummary is not here"));
        assert!(!of(
            "export default function () {}\nfunction handleSummary() {}"
        ));
        assert!(!of("export function handleSummaryOfMine() {}"));
    }

    #[test]
    fn metrics_are_found_by_their_declarations() {
        let text = "const a = new Trend('waiting', true), b = new metrics.Rate( \"ok\" ), c = new Counter(name); checkRate('x');";
        let found: Vec<_> = metrics(text).into_iter().collect();
        assert_eq!(
            found,
            ["ok", "waiting", "x"],
            "one too many hides no more than a doubt"
        );
    }

    #[test]
    fn parameters_are_found_with_their_defaults() {
        let text = r#"
            const base = __ENV.TARGET || 'http://127.0.0.1', again = __ENV.TARGET;
            const n = parseInt(__ENV["USERS"] ?? "5"), m = __ENV['MODE'], k = __ENV[name], e = __ENV, t = __ENV.T || `a${b}`;
        "#;
        let found = parameters(text);
        let shown: Vec<_> = found
            .iter()
            .map(|(name, default)| format!("{name}={}", default.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            shown,
            ["MODE=-", "T=-", "TARGET=http://127.0.0.1", "USERS=5"]
        );
    }
}
