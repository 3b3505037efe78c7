//! Files that a definition names, read once for all workers of a process.

use super::contract::used;
use super::data::{DataError, MAX_DATA_BYTES, Table};
use super::error::Problem;
use super::symbols::each_column;
use bytes::Bytes;
use floodgate_contract::{Contract, ContractError};
use floodgate_core::check::Check;
use floodgate_core::definition::{Body, Definition, HttpOptions, PartContent, Step};
use jsonschema::{PatternOptions, Validator};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The largest file that is sent as a body or a part of one, in bytes; it stays in memory.
pub const MAX_BODY_FILE_BYTES: u64 = 256 << 20;
/// The largest JSON Schema in bytes.
pub(super) const MAX_SCHEMA_BYTES: u64 = 1 << 20;
/// The largest PEM file in bytes.
pub const MAX_PEM_BYTES: u64 = 4 << 20;

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("file {path}: {source}")]
    Io {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder, a device or the like.
    #[error("file {path} is not a regular file")]
    NotAFile {
        /// Where it is.
        path: PathBuf,
    },
    /// It is larger than the bound.
    #[error("file {path} has {bytes} bytes, more than the {limit} allowed; use a smaller one")]
    TooLarge {
        /// Where it is.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// It is no JSON Schema.
    #[error("file {path} is not a JSON Schema: {problem}")]
    Schema {
        /// The path as the definition has it.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// It is no OpenAPI document, or one that cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A data file is at fault.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Where the files that a definition names are read from, by their paths in it.
pub trait FileSource {
    /// Opens a file of at most `limit` bytes.
    ///
    /// # Errors
    /// One that is missing, unreadable, no file or larger.
    fn open(&self, path: &str, limit: u64) -> Result<Box<dyn Read + '_>, FileError>;
}

/// A folder that relative paths start from.
impl FileSource for Path {
    fn open(&self, path: &str, limit: u64) -> Result<Box<dyn Read + '_>, FileError> {
        let path = self.join(path);
        let found = || -> io::Result<_> {
            // Looked at before it is opened: to open a pipe would wait for its writer.
            let metadata = std::fs::metadata(&path)?;
            Ok((metadata.is_file(), metadata.len()))
        };
        match found() {
            Err(source) => Err(FileError::Io { path, source }),
            Ok((false, _)) => Err(FileError::NotAFile { path }),
            Ok((true, bytes)) if bytes > limit => Err(FileError::TooLarge { path, bytes, limit }),
            Ok(_) => match File::open(&path) {
                Ok(file) => Ok(Box::new(file.take(limit))),
                Err(source) => Err(FileError::Io { path, source }),
            },
        }
    }
}

/// Files that are in memory already.
impl FileSource for BTreeMap<String, Bytes> {
    fn open(&self, path: &str, limit: u64) -> Result<Box<dyn Read + '_>, FileError> {
        let named = || PathBuf::from(path);
        match self.get(path) {
            None => Err(FileError::Io {
                path: named(),
                source: io::ErrorKind::NotFound.into(),
            }),
            Some(content) if content.len() as u64 > limit => Err(FileError::TooLarge {
                path: named(),
                bytes: content.len() as u64,
                limit,
            }),
            Some(content) => Ok(Box::new(&content[..])),
        }
    }
}

/// What the files of a definition hold.
#[derive(Debug, Default)]
pub struct Files {
    bodies: BTreeMap<String, Bytes>,
    pems: BTreeMap<String, Bytes>,
    tables: Vec<Arc<Table>>,
    schemas: BTreeMap<String, Arc<Validator>>,
    contract: Option<Arc<Contract>>,
}

impl Files {
    /// Reads everything that the native engine needs.
    ///
    /// # Errors
    /// The first file that is missing, unreadable, too large or malformed.
    pub fn load(
        definition: &Definition,
        base: &(impl FileSource + ?Sized),
    ) -> Result<Self, FileError> {
        let (files, faults) = Self::load_all(definition, base);
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(files),
        }
    }

    /// The same with all faults, in the order of the definition.
    pub fn load_all(
        definition: &Definition,
        base: &(impl FileSource + ?Sized),
    ) -> (Self, Vec<FileError>) {
        let (mut files, mut faults) = (Self::default(), Vec::new());
        files.load_bodies(&definition.setup, base, &mut faults);
        files.load_bodies(&definition.teardown, base, &mut faults);
        for scenario in &definition.scenarios {
            files.load_bodies(&scenario.flow, base, &mut faults);
            files.load_pems(&scenario.http, base, &mut faults);
        }
        if !(definition.setup.is_empty() && definition.teardown.is_empty()) {
            files.load_pems(&definition.http, base, &mut faults);
        }
        let mut wanted: Vec<Vec<String>> = vec![Vec::new(); definition.data.len()];
        for scenario in &definition.scenarios {
            each_column(scenario, &mut |source, column| {
                let index = definition.data.iter().position(|data| data.name == source);
                if let Some(columns) = index.map(|index| &mut wanted[index])
                    && !columns.iter().any(|known| known == column)
                {
                    columns.push(column.to_owned());
                }
            });
        }
        for (data, wanted) in definition.data.iter().zip(&wanted) {
            let table = base
                .open(&data.file, MAX_DATA_BYTES)
                .and_then(|file| Ok(Table::read(&data.file, data.format, file, wanted)?));
            match table {
                Ok(table) => files.tables.push(Arc::new(table)),
                Err(fault) => faults.push(fault),
            }
        }
        if let Some(spec) = &definition.contract {
            match contract(&spec.file, definition, base) {
                Ok(contract) => files.contract = Some(Arc::new(contract)),
                Err(fault) => faults.push(fault),
            }
        }
        (files, faults)
    }

    /// What responses are checked against.
    pub fn contract(&self) -> Option<&Arc<Contract>> {
        self.contract.as_ref()
    }

    /// The content of a file that a body is made of, by its path in the definition.
    pub fn body(&self, path: &str) -> Option<&Bytes> {
        self.bodies.get(path)
    }

    /// The content of a certificate or key file, by its path in the definition.
    pub fn pem(&self, path: &str) -> Option<&Bytes> {
        self.pems.get(path)
    }

    /// The schema of a file, by its path in the definition.
    pub(crate) fn schema(&self, path: &str) -> Result<Arc<Validator>, Problem> {
        let schema = self.schemas.get(path).cloned();
        schema.ok_or_else(|| Problem::MissingFile(path.to_owned()))
    }

    /// The data sources, in the order of the definition.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    fn load_bodies(
        &mut self,
        steps: &[Step],
        base: &(impl FileSource + ?Sized),
        faults: &mut Vec<FileError>,
    ) {
        for step in steps {
            for steps in step.blocks() {
                self.load_bodies(steps, base, faults);
            }
            if let Some(file) = step.condition().and_then(Check::file) {
                self.load_schema(file, base, faults);
            }
            let Step::Request(request) = step else {
                continue;
            };
            for file in request.checks.iter().filter_map(Check::file) {
                self.load_schema(file, base, faults);
            }
            match &request.body {
                Body::File { path, .. } => self.load_body(path, base, faults),
                Body::Multipart(parts) => {
                    for part in parts {
                        if let PartContent::File { path, .. } = &part.content {
                            self.load_body(path, base, faults);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn load_schema(
        &mut self,
        path: &str,
        base: &(impl FileSource + ?Sized),
        faults: &mut Vec<FileError>,
    ) {
        if self.schemas.contains_key(path) {
            return;
        }
        let schema = read(base, path, MAX_SCHEMA_BYTES).and_then(|text| compiled(path, &text));
        match schema {
            Ok(schema) => drop(self.schemas.insert(path.to_owned(), Arc::new(schema))),
            Err(fault) => faults.push(fault),
        }
    }

    fn load_body(
        &mut self,
        path: &str,
        base: &(impl FileSource + ?Sized),
        faults: &mut Vec<FileError>,
    ) {
        load(&mut self.bodies, path, base, MAX_BODY_FILE_BYTES, faults);
    }

    fn load_pems(
        &mut self,
        http: &HttpOptions,
        base: &(impl FileSource + ?Sized),
        faults: &mut Vec<FileError>,
    ) {
        for path in [&http.ca, &http.cert, &http.key].into_iter().flatten() {
            load(&mut self.pems, path, base, MAX_PEM_BYTES, faults);
        }
    }
}

/// An OpenAPI document, ready for the operations that the flows use.
fn contract(
    path: &str,
    definition: &Definition,
    base: &(impl FileSource + ?Sized),
) -> Result<Contract, FileError> {
    let text = read(base, path, floodgate_contract::MAX_BYTES)?;
    let contract = Contract::read(path, &text)?;
    let mut faults = Vec::new();
    for operation in used(definition, &contract) {
        let unusable = operation.compile().err();
        faults.extend(unusable.into_iter().flatten());
    }
    faults.sort_by(|a, b| a.place.cmp(&b.place));
    faults.dedup();
    if !faults.is_empty() {
        let name = path.to_owned();
        return Err(ContractError::Broken { name, faults }.into());
    }
    Ok(contract)
}

/// A schema made ready. What it refers to has to stand in it: nothing is fetched. Its patterns are matched in linear time.
fn compiled(path: &str, text: &[u8]) -> Result<Validator, FileError> {
    let fault = |problem: String| FileError::Schema {
        path: path.to_owned(),
        problem,
    };
    let schema = super::json::parse(text).map_err(|error| fault(error.to_string()))?;
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| fault(error.to_string()))
}

/// Reads a file once, however often it is named.
fn load(
    into: &mut BTreeMap<String, Bytes>,
    path: &str,
    base: &(impl FileSource + ?Sized),
    limit: u64,
    faults: &mut Vec<FileError>,
) {
    if !into.contains_key(path) {
        let content = read(base, path, limit).unwrap_or_else(|fault| {
            faults.push(fault);
            Bytes::new()
        });
        into.insert(path.to_owned(), content);
    }
}

fn read(base: &(impl FileSource + ?Sized), path: &str, limit: u64) -> Result<Bytes, FileError> {
    let mut content = Vec::new();
    match base.open(path, limit)?.read_to_end(&mut content) {
        Ok(_) => Ok(content.into()),
        Err(source) => Err(FileError::Io {
            path: path.into(),
            source,
        }),
    }
}
