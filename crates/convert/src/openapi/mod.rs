//! OpenAPI 3.0 and 3.1 (<https://spec.openapis.org/oas/v3.1.1.html>): each operation becomes a request, with what the document has as
//! examples.

mod document;
mod link;
mod operation;
mod request;
mod sample;
mod security;
mod servers;

use crate::compose::{CHECK_FIRST, shared, shared_auth};
use crate::draft::{Draft, Request, Step};
use crate::error::ConvertError;
use crate::options::{Options, slug};
use document::Document;
use operation::Operation;
use request::Writer;

/// The largest document in bytes.
pub(crate) const MAX_BYTES: usize = 32 << 20;
/// The most operations.
const MAX_OPERATIONS: usize = 400;

/// Makes a draft of a document.
///
/// # Errors
/// What is neither YAML nor JSON, another version, no operation.
pub(crate) fn draft(text: &str, options: &Options<'_>) -> Result<Draft, ConvertError> {
    let document = Document::read(text)?;
    let mut operations = operation::operations(&document);
    let (target, mut notes) = servers::target(&document, options)?;
    let deprecated = operations.len();
    operations.retain(|operation| !operation.deprecated);
    let deprecated = deprecated - operations.len();
    if operations.len() > MAX_OPERATIONS {
        notes.push(format!(
            "Only the first {MAX_OPERATIONS} of {} operations are here: split the document.",
            operations.len()
        ));
        operations.truncate(MAX_OPERATIONS);
    }
    if operations.is_empty() {
        return Err(ConvertError::Nothing {
            why: "the document has no operations below paths that are not deprecated".into(),
        });
    }
    let changing = operations
        .iter()
        .filter(|operation| !matches!(operation.method.as_str(), "GET" | "HEAD" | "OPTIONS"))
        .count();
    let title = document.title();
    let mut head = vec![format!(
        "Converted by floodgate convert from {} operation{} of the OpenAPI document {title}. {CHECK_FIRST}",
        operations.len(),
        if operations.len() == 1 { "" } else { "s" }
    )];
    head.append(&mut notes);
    if changing > 0 {
        let (one, s) = if changing == 1 {
            ("operation", "s")
        } else {
            ("operations", "")
        };
        head.push(format!(
            "{changing} {one} create{s}, change{s} or delete{s} something."
        ));
    }
    if deprecated > 0 {
        head.push(format!("Left out: {deprecated} × deprecated."));
    }
    let mut writer = Writer::new(&document);
    let groups = group(operations);
    let mut ways: Vec<(String, Vec<Step>)> = Vec::new();
    for (name, operations) in groups {
        let steps = writer.group(&operations);
        ways.push((
            name,
            steps
                .into_iter()
                .map(|request| Step::Request(Box::new(request)))
                .collect(),
        ));
    }
    head.extend(writer.notes());
    let mut draft = Draft {
        head,
        test: options.test(),
        scenario: slug(&options.test(), '-', 64),
        targets: vec![("target".into(), target)],
        ..Draft::default()
    };
    let mut all: Vec<&mut Request> = ways
        .iter_mut()
        .flat_map(|(_, steps)| steps)
        .filter_map(|step| match step {
            Step::Request(request) => Some(&mut **request),
            _ => None,
        })
        .collect();
    draft.http.auth = shared_auth(&mut all);
    draft.http.headers = shared(&mut all);
    draft.secrets = writer.into_secrets();
    draft.steps = match ways.len() {
        1 => ways.remove(0).1,
        _ => vec![Step::Choose(ways)],
    };
    Ok(draft)
}

/// Operations by their first tag, else by the first segment of their path; within one what creates comes first, and what deletes last.
fn group(operations: Vec<Operation<'_>>) -> Vec<(String, Vec<Operation<'_>>)> {
    let mut groups: Vec<(String, Vec<Operation<'_>>)> = Vec::new();
    for operation in operations {
        let name = operation.group();
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(operation),
            None => groups.push((name, vec![operation])),
        }
    }
    for (_, all) in &mut groups {
        let paths: Vec<String> = all.iter().map(|operation| operation.path.clone()).collect();
        let creates = |operation: &Operation<'_>| {
            operation.method == "POST"
                && paths.iter().any(|path| {
                    path.starts_with(&format!("{}/{{", operation.path.trim_end_matches('/')))
                })
        };
        all.sort_by_key(|operation| match operation.method.as_str() {
            "DELETE" => (2, usize::MAX - operation.path.matches('/').count()),
            _ if creates(operation) => (0, operation.path.matches('/').count()),
            _ => (1, 0),
        });
    }
    groups
}
