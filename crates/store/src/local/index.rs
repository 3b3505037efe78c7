//! What is known of records that will not change any more, so that a listing need not open each: the test, and whether the execution
//! had a folder.
//!
//! One line a record in a hidden file beside the records. It can be lost, cut off or damaged at any time: what it does not say is
//! read from the record, and noted again. It is never believed when a record is shown, only when one is passed over.

use super::{LocalStore, RECORDS};
use floodgate_records::execution::Execution;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// Hidden, so that no listing of records shows it.
const FILE: &str = ".index";
/// Lines of another layout say nothing.
const LAYOUT: &str = "1";

/// What is known of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    /// The test's name.
    pub(super) test: String,
    /// Whether the execution had a folder, without which it is not listed.
    pub(super) had_folder: bool,
}

/// What is known of a project's records.
pub(super) struct Index {
    path: PathBuf,
    known: HashMap<String, IndexEntry>,
    new: String,
}

impl Index {
    /// Reads what is known; nothing where that cannot be read.
    pub(super) fn read(store: &LocalStore, project: &str) -> Self {
        let path = store.root.join(RECORDS).join(project).join(FILE);
        let bytes = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let known = text.split('\n').filter_map(parse).collect();
        Self {
            path,
            known,
            new: String::new(),
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&IndexEntry> {
        self.known.get(id)
    }

    /// Notes what a record says, if that is for good.
    pub(super) fn note(&mut self, record: &Execution) {
        if !record.status.is_final() || self.known.contains_key(&record.id) {
            return;
        }
        let known = IndexEntry {
            test: record.test.clone(),
            had_folder: had_folder(record),
        };
        let folder = u8::from(known.had_folder);
        let (id, test) = (&record.id, &known.test);
        if test.contains(['\t', '\n']) {
            return;
        }
        // The last field ends the line with a mark: one that was cut off is none.
        let _ = writeln!(self.new, "{LAYOUT}\t{id}\t{folder}\t{test}\t.");
        self.known.insert(id.clone(), known);
    }
}

impl Drop for Index {
    /// Adds what is new. What cannot be written is found out again by whoever looks next.
    fn drop(&mut self) {
        if self.new.is_empty() {
            return;
        }
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        if let Ok(mut file) = file {
            // A line of somebody else that was cut off ends here.
            let _ = file.write_all(format!("\n{}", self.new).as_bytes());
        }
    }
}

/// Whether an execution with this record has had a folder.
pub(super) fn had_folder(record: &Execution) -> bool {
    record.started_ms.is_some() || record.completeness.is_some()
}

fn parse(line: &str) -> Option<(String, IndexEntry)> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let (layout, id, folder, test, end) = (field()?, field()?, field()?, field()?, field()?);
    let had_folder = match folder {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let known = IndexEntry {
        test: test.to_owned(),
        had_folder,
    };
    (layout == LAYOUT && end == ".").then(|| (id.to_owned(), known))
}
