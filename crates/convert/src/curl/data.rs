//! What `-d`, `-F` and their kin send.

use crate::options::Options;
use crate::recording::{FormPart, PartContent, Payload};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A piece of a body.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    File(String),
}

/// The type of what `-d` sends.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A path below the definition's folder, if it is one and is there.
pub(super) fn beside(path: &str, options: &Options<'_>) -> Result<String, String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let shown = floodgate_records::printable::quoted(path);
    if path == "-" {
        return Err("it came from standard input".into());
    }
    let inside = !path.is_empty()
        && path.len() <= 400
        && !path.starts_with('/')
        && !path.contains([':', '\\', '$'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, ".." | ""));
    match inside && (options.exists)(path) {
        true => Ok(path.to_owned()),
        false if inside => Err(format!(
            "it is the file {shown}, which is not beside the definition: put it there and add file: {shown}"
        )),
        false => Err(format!(
            "it is the file {shown}: put it beside the definition and add file: NAME"
        )),
    }
}

/// `--data-urlencode`: `content`, `=content`, `name=content`, `@file`, `name@file`.
pub(super) fn url_encoded(text: &str) -> Piece {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match text.find(['=', '@']) {
        Some(at) if text[at..].starts_with('=') => {
            let name = &text[..at];
            let lead = if name.is_empty() {
                String::new()
            } else {
                format!("{name}=")
            };
            Piece::Text(format!("{lead}{}", encode(&text[at + 1..])))
        }
        Some(at) => Piece::File(text[at + 1..].to_owned()),
        None => Piece::Text(encode(text)),
    }
}

/// `-d` and `--data-binary`: text, or `@file`.
pub(super) fn text_or_file(text: &str) -> Piece {
    text.strip_prefix('@').map_or_else(
        || Piece::Text(text.to_owned()),
        |path| Piece::File(path.to_owned()),
    )
}

/// The body that pieces make.
pub(super) fn body(pieces: &[Piece], between: &str, mime: &str, options: &Options<'_>) -> Payload {
    match pieces {
        [] => Payload::None,
        [Piece::File(path)] => match beside(path, options) {
            Ok(path) => Payload::File {
                path,
                mime: mime.to_owned(),
            },
            Err(why) => Payload::Lost { why },
        },
        pieces => {
            let texts: Option<Vec<&str>> = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    Piece::File(_) => None,
                })
                .collect();
            match texts {
                Some(texts) if texts.iter().all(|text| text.is_empty()) => Payload::None,
                Some(texts) => {
                    crate::har::bytes_or_text(texts.join(between).into_bytes(), mime.to_owned())
                }
                None => Payload::Lost {
                    why: "it is made of text and files".into(),
                },
            }
        }
    }
}

/// `-F name=value`, `name=@file`, `name=<file`, with `;type=` and `;filename=`.
pub(super) fn part(text: &str, is_text: bool, options: &Options<'_>) -> Result<FormPart, String> {
    let (name, value) = text.split_once('=').ok_or("a form's field has no =")?;
    if is_text {
        return Ok(FormPart {
            name: name.to_owned(),
            file_name: None,
            mime: None,
            content: PartContent::Bytes(value.as_bytes().to_vec()),
        });
    }
    let (value, attributes) = attributes(value);
    let attribute = |name: &str| {
        attributes
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| unquoted(value))
    };
    let mime = attribute("type");
    let (content, file_name) = match value.strip_prefix(['@', '<']) {
        Some(path) => {
            let path = unquoted(path);
            let own = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let name = attribute("filename").unwrap_or(own);
            let content = beside(&path, options).map_or(PartContent::Lost, PartContent::Named);
            (content, Some(name))
        }
        None => (PartContent::Bytes(unquoted(value).into_bytes()), None),
    };
    Ok(FormPart {
        name: name.to_owned(),
        file_name,
        mime,
        content,
    })
}

/// A value, and what stands behind its semicolons if that is what curl knows.
fn attributes(value: &str) -> (&str, Vec<(&str, &str)>) {
    let known = |part: &str| {
        ["type=", "filename=", "encoder=", "headers="]
            .iter()
            .any(|lead| part.trim_start().starts_with(lead))
    };
    let mut end = value.len();
    let mut found = Vec::new();
    while let Some(at) = value[..end]
        .rfind(';')
        .filter(|at| known(&value[at + 1..end]))
    {
        found.extend(value[at + 1..end].trim().split_once('='));
        end = at;
    }
    (&value[..end], found)
}

fn unquoted(text: &str) -> String {
    match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}
