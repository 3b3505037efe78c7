//! Records as items of the table, and back.

use crate::keys::check_name;
use crate::{Result, StoreError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use floodgate_records::execution::Execution;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io::{Read, Write};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The record as JSON text.
const DOC: &str = "doc";
/// The same, compressed by gzip, where the text is too large for an item.
const DOC_GZIP: &str = "doc_gzip";
/// The token of the write that made the item what it is.
pub(super) const WRITER: &str = "writer";
/// Bytes of a document. An item may have 400 KB with the names of its attributes, and keys are 1 KB at most:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items>
pub(super) const MAX_DOC: usize = 380_000;
/// Bytes of a document that was compressed: more was never written, and would be an attempt to fill the memory.
const MAX_UNPACKED: u64 = 64 << 20;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text attribute.
pub(super) fn str<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn project_key(project: &str) -> String {
    format!("PROJECT#{project}")
}

pub(super) fn execution_key(id: &str) -> String {
    format!("EXEC#{id}")
}

/// The first index's partition of a test.
pub(super) fn test_partition(project: &str, test: &str) -> String {
    format!("TEST#{project}#{test}")
}

/// The second index's only partition.
pub(super) const ALL: &str = "EXEC";

pub(super) fn to_json<T: Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::corrupt(what, error.to_string()).because(error))
}

pub(super) fn execution(execution: &Execution) -> Result<Item> {
    for name in [&execution.project, &execution.test, &execution.id] {
        check_name(name)?;
    }
    let mut item = Item::from([
        ("PK".to_owned(), text(project_key(&execution.project))),
        ("SK".to_owned(), text(execution_key(&execution.id))),
        (
            "GSI1PK".to_owned(),
            text(test_partition(&execution.project, &execution.test)),
        ),
        ("GSI1SK".to_owned(), text(&execution.id)),
        ("GSI2PK".to_owned(), text(ALL)),
        ("GSI2SK".to_owned(), text(&execution.id)),
        ("status".to_owned(), text(execution.status.as_str())),
        ("created_ms".to_owned(), number(execution.created_ms)),
    ]);
    let (name, doc) = pack(&execution.id, to_json(&execution.id, execution)?)?;
    item.insert(name.to_owned(), doc);
    Ok(item)
}

/// A document as an attribute: text that people and other tools can read, unless it is too large for that.
fn pack(id: &str, json: String) -> Result<(&'static str, AttributeValue)> {
    if json.len() <= MAX_DOC {
        return Ok((DOC, text(json)));
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let packed = gzip
        .write_all(json.as_bytes())
        .and_then(|()| gzip.finish())
        .map_err(|source| StoreError::Io {
            operation: "compress",
            key: id.to_owned(),
            source,
        })?;
    if packed.len() > MAX_DOC || json.len() as u64 > MAX_UNPACKED {
        return Err(StoreError::TooLarge {
            key: format!("record {id}, compressed"),
            bytes: packed.len() as u64,
            limit: MAX_DOC as u64,
            remedy: "use fewer thresholds or parameters",
        });
    }
    Ok((DOC_GZIP, AttributeValue::B(Blob::new(packed))))
}

/// The record in an item; `key` names it in errors.
pub(super) fn read_execution(key: &str, item: &Item) -> Result<Execution> {
    read_doc(key, item)
}

pub(super) fn read_doc<T: DeserializeOwned>(key: &str, item: &Item) -> Result<T> {
    let corrupt = |problem: String| StoreError::corrupt(key, problem);
    let parsed = match (item.get(DOC), item.get(DOC_GZIP)) {
        (Some(AttributeValue::S(json)), _) => serde_json::from_str(json),
        (_, Some(AttributeValue::B(packed))) => {
            let mut json = Vec::new();
            GzDecoder::new(packed.as_ref())
                .take(MAX_UNPACKED)
                .read_to_end(&mut json)
                .map_err(|error| {
                    corrupt(format!("attribute {DOC_GZIP}: {error}")).because(error)
                })?;
            serde_json::from_slice(&json)
        }
        _ => return Err(corrupt(format!("has no attribute {DOC} or {DOC_GZIP}"))),
    };
    parsed.map_err(|error| corrupt(format!("no record: {error}")).because(error))
}
