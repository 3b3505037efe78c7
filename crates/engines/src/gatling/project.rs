//! A Maven or Gradle project that has been compiled, packed into one file that travels as a jar does.
//!
//! The file is a tar: `classes/00/…`, `classes/01/…` are the folders of the project's class path in their order, `lib/*.jar` the jars
//! that were copied beside them. A task unpacks it and has the class path of the project. Nothing is merged, as it would be in one
//! large jar: what two of them have under one name (`META-INF/services/…`, `reference.conf`, a licence) stays where it is. Entries are in
//! order and have no times, so that the bytes, and with them the test's version, follow from the contents alone.

use crate::archive::append;
use crate::error::LaunchError;
use crate::job::Job;
use crate::links::link_out;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The packed project's name; it lies in the project's folder, and runs from there.
const NAME: &str = "project.tar";
/// The most that is packed, in bytes: the function that prepares a run has it in memory, and each task takes it from the bucket in seconds.
const LARGEST: u64 = 128 << 20;
/// The most files that are packed, and that are looked at for their age.
const MOST_FILES: usize = 100_000;
/// Where folders of classes are in the packed file.
const CLASSES: &str = "classes";
/// Where jars are in it.
const LIBRARIES: &str = "lib";

/// A packed project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The script that it is, relative to the definition's folder: a file in the project's folder.
    pub name: String,
    /// The file (tar).
    pub bytes: Vec<u8>,
    /// What the reader of the record should know.
    pub warnings: Vec<String>,
}

/// Packs a job's script; `None` if it is not a folder.
///
/// # Errors
/// [`LaunchError::Script`] if the folder is not a project, is not compiled, or is more than 128 MiB or 100,000 files;
/// [`LaunchError::File`].
pub fn pack(job: &Job<'_>) -> Result<Option<Packed>, LaunchError> {
    match Project::of(job)? {
        Some(project) => project.pack().map(Some),
        None => Ok(None),
    }
}

/// Whether a folder is a Maven or Gradle project's.
pub fn is_project(folder: &Path) -> bool {
    Build::of(folder).is_some()
}

/// What builds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    Maven,
    Gradle,
}

impl Build {
    fn of(folder: &Path) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| folder.join(name).is_file());
        if has(&["pom.xml"]) {
            Some(Self::Maven)
        } else if has(&["build.gradle", "build.gradle.kts"]) {
            Some(Self::Gradle)
        } else {
            None
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Maven => "Maven",
            Self::Gradle => "Gradle",
        }
    }

    /// The folders of its class path, in order. (Gatling's plugin for Gradle puts main and test behind its own source set.)
    const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Maven => &["target/test-classes", "target/classes"],
            Self::Gradle => &[
                "build/classes/java/gatling",
                "build/classes/kotlin/gatling",
                "build/classes/scala/gatling",
                "build/resources/gatling",
                "build/classes/java/main",
                "build/classes/kotlin/main",
                "build/classes/scala/main",
                "build/resources/main",
                "build/classes/java/test",
                "build/classes/kotlin/test",
                "build/classes/scala/test",
                "build/resources/test",
            ],
        }
    }

    /// Where jars are copied to.
    const fn libraries(self) -> &'static str {
        match self {
            Self::Maven => "target/dependency",
            Self::Gradle => "build/dependency",
        }
    }
}

/// The folder of a project.
#[derive(Debug)]
pub(super) struct Project {
    /// As the user wrote it, relative to the job's folder.
    script: String,
    folder: PathBuf,
    build: Build,
}

impl Project {
    /// A job's script, if it is a folder.
    ///
    /// # Errors
    /// [`LaunchError::Script`] if the folder is not a project.
    pub(super) fn of(job: &Job<'_>) -> Result<Option<Self>, LaunchError> {
        let folder = job.folder.join(job.script);
        if !folder.is_dir() {
            return Ok(None);
        }
        let script = job.script.to_owned();
        match Build::of(&folder) {
            Some(build) => Ok(Some(Self {
                script,
                folder,
                build,
            })),
            None => Err(LaunchError::script(
                &script,
                "is a folder, but of no Maven or Gradle project: there is no pom.xml, build.gradle or build.gradle.kts; name the folder \
                 that has it, or a jar of the compiled simulation",
            )),
        }
    }

    /// The command that compiles it, and copies what it needs.
    fn command(&self) -> String {
        let wrapped = |wrapper: &str, plain| match self.folder.join(wrapper).is_file() {
            true => format!("./{wrapper}"),
            false => String::from(plain),
        };
        match self.build {
            Build::Maven => format!(
                "{} test-compile dependency:copy-dependencies",
                wrapped("mvnw", "mvn")
            ),
            Build::Gradle => format!("{} gatlingClasses", wrapped("gradlew", "gradle")),
        }
    }

    fn fail(&self, problem: String) -> LaunchError {
        LaunchError::script(&self.script, problem)
    }

    /// What to do if a class is missing.
    pub(super) fn remedy(&self) -> String {
        match self.build {
            Build::Maven => format!(
                "run `{}` in {}: it copies the jars that the project needs into target/dependency",
                self.command(),
                self.script
            ),
            Build::Gradle => format!(
                "copy the jars that {} needs into its build/dependency, by the task that docs/engines/gatling.md shows",
                self.script
            ),
        }
    }

    /// The project as one file.
    pub(super) fn pack(&self) -> Result<Packed, LaunchError> {
        self.pack_within(MOST_FILES, LARGEST)
    }

    fn pack_within(&self, most: usize, largest: u64) -> Result<Packed, LaunchError> {
        let places = self.build.classes().iter();
        let places: Vec<_> = places.filter(|p| self.folder.join(p).is_dir()).collect();
        let mut entries = BTreeMap::new();
        for (number, place) in places.iter().enumerate() {
            let inside = Path::new(CLASSES).join(format!("{number:02}"));
            for found in self.files(place, most)? {
                self.no_link_out(place, &found)?;
                entries.insert(inside.join(&found.relative), found);
            }
        }
        // Resources may be there alone: they are copied first.
        let is_class = |path: &PathBuf| path.extension().is_some_and(|end| end == "class");
        if !entries.keys().any(is_class) {
            return Err(self.fail(format!(
                "is a {} project that is not compiled ({} has no classes): run `{}` in it",
                self.build.name(),
                self.build.classes()[0],
                self.command(),
            )));
        }
        let compiled = entries.values().filter_map(|found| found.changed).max();
        let warnings = self.stale(compiled, most).into_iter().collect();
        let libraries = self.files(self.build.libraries(), most)?;
        let jar = |found: &Found| {
            found.relative.parent() == Some(Path::new(""))
                && found.relative.extension().is_some_and(|end| end == "jar")
        };
        for found in libraries.into_iter().filter(jar) {
            entries.insert(Path::new(LIBRARIES).join(&found.relative), found);
        }
        let (count, bytes) = (
            entries.len(),
            entries.values().map(|found| found.bytes).sum::<u64>(),
        );
        if count > most || bytes > largest {
            return Err(self.fail(format!(
                "its classes, resources and jars are {count} files with {bytes} bytes, more than {most} files or {largest} bytes: leave \
                 large files out of the class path, and name them in a definition under files"
            )));
        }
        Ok(Packed {
            name: self.packed_name(),
            bytes: write(&entries)?,
            warnings,
        })
    }

    /// Whether a file of a folder of classes lies in it, or in the project. The folder itself may be a link to where a build puts things.
    fn no_link_out(&self, place: &str, found: &Found) -> Result<(), LaunchError> {
        let inside = link_out(&self.folder, &Path::new(place).join(&found.relative))
            .and_then(|_| link_out(&self.folder.join(place), &found.relative));
        match inside {
            Some(to) => Err(self.fail(format!(
                "{place}/{} is a link that leads out of the project, to {}: copy what it leads to",
                found.relative.display(),
                to.display()
            ))),
            None => Ok(()),
        }
    }

    fn packed_name(&self) -> String {
        let parts = self
            .script
            .split('/')
            .filter(|part| !matches!(*part, "" | "."));
        parts.chain([NAME]).collect::<Vec<_>>().join("/")
    }

    /// The files below a folder of the project; none if it is not there.
    fn files(&self, place: &str, most: usize) -> Result<Vec<Found>, LaunchError> {
        let root = self.folder.join(place);
        let mut found = Vec::new();
        let mut open = vec![PathBuf::new()];
        while let Some(relative) = open.pop() {
            let folder = root.join(&relative);
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(LaunchError::file(&folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(LaunchError::file(&folder))?;
                let (path, relative) = (entry.path(), relative.join(entry.file_name()));
                // Follows links: the folders of a build may be some.
                let metadata = fs::metadata(&path).map_err(LaunchError::file(&path))?;
                if metadata.is_dir() {
                    open.push(relative);
                } else if metadata.is_file() {
                    found.push(Found {
                        relative,
                        path,
                        bytes: metadata.len(),
                        changed: metadata.modified().ok(),
                    });
                }
                if found.len() + open.len() > most {
                    return Err(self.fail(format!("{place} has more than {most} files")));
                }
            }
        }
        Ok(found)
    }

    /// A word if a source is newer than all that was compiled. What cannot be read is not looked at: it is not packed either.
    fn stale(&self, compiled: Option<SystemTime>, most: usize) -> Option<String> {
        let sources = self.files("src", most).ok()?;
        let newest = sources.into_iter().max_by_key(|found| found.changed)?;
        (newest.changed > compiled).then(|| {
            format!(
                "{}: src/{} is newer than the compiled classes: if it has changed since, run `{}`",
                self.script,
                newest.relative.display(),
                self.command()
            )
        })
    }
}

/// A file below a folder.
struct Found {
    relative: PathBuf,
    path: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
}

fn write(entries: &BTreeMap<PathBuf, Found>) -> Result<Vec<u8>, LaunchError> {
    let mut writer = tar::Builder::new(Vec::new());
    for (name, found) in entries {
        let fault = LaunchError::file(&found.path);
        let bytes = fs::read(&found.path).map_err(fault)?;
        append(&mut writer, name, &bytes).map_err(fault)?;
    }
    writer
        .into_inner()
        .map_err(LaunchError::file(Path::new(NAME)))
}

/// Unpacks a project into a folder; gives its folders of classes in their order, and that of its jars.
///
/// # Errors
/// [`LaunchError::File`] if it cannot be read or written, or is none.
pub(super) fn unpack(
    packed: &Path,
    into: &Path,
) -> Result<(Vec<PathBuf>, Option<PathBuf>), LaunchError> {
    let fault = LaunchError::file(packed);
    let mut archive = tar::Archive::new(io::BufReader::new(fs::File::open(packed).map_err(fault)?));
    archive.set_preserve_mtime(false);
    fs::create_dir_all(into).map_err(LaunchError::file(into))?;
    // Leaves out what leads out of the folder.
    archive.unpack(into).map_err(fault)?;
    let classes = into.join(CLASSES);
    let mut own = Vec::new();
    for entry in fs::read_dir(&classes).map_err(LaunchError::file(&classes))? {
        own.push(entry.map_err(LaunchError::file(&classes))?.path());
    }
    own.sort();
    let libraries = into.join(LIBRARIES);
    Ok((own, libraries.is_dir().then_some(libraries)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
