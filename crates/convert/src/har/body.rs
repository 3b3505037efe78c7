//! Bodies in an archive.

use crate::recording::{FormPart, PartContent, Payload};
use base64::Engine as _;
use serde_json::Value;

/// The longest body of a response in which values are looked for, in bytes.
const MAX_RESPONSE: usize = 2 << 20;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// What a request sent.
pub(super) fn payload(request: &Value, headers: &[(String, String)]) -> Payload {
    let Some(data) = request.get("postData").filter(|data| !data.is_null()) else {
        return match request.get("bodySize").and_then(Value::as_i64) {
            Some(1..) => Payload::Lost {
                why: "the recording has its size and not its content".into(),
            },
            _ => Payload::None,
        };
    };
    let mut mime = text(data, "mimeType").to_owned();
    let by_header = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some((_, by_header)) =
        by_header.filter(|_| !mime.contains('/') || !mime.contains("boundary="))
    {
        mime.clone_from(by_header);
    }
    let kind = mime
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    let sent = text(data, "text");
    let params = data
        .get("params")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let base64 = text(data, "encoding").eq_ignore_ascii_case("base64");
    if kind == "multipart/form-data" {
        return multipart(sent, base64, &mime, params);
    }
    if sent.is_empty() && !params.is_empty() {
        let fields = params.iter().filter_map(|field| {
            let value = |key| text(field, key).to_owned();
            (!text(field, "name").is_empty())
                .then(|| (form_decoded(&value("name")), form_decoded(&value("value"))))
        });
        return Payload::Fields(fields.collect());
    }
    if base64 {
        return match base64::engine::general_purpose::STANDARD.decode(sent.trim()) {
            Ok(bytes) => bytes_or_text(bytes, mime),
            Err(error) => Payload::Lost {
                why: format!("its content says it is Base64, and is not: {error}"),
            },
        };
    }
    if sent.is_empty() {
        return Payload::None;
    }
    if is_mangled(sent, &kind) {
        return Payload::Lost {
            why: format!(
                "it is binary ({kind}), and the recorder kept it as text, which has lost it"
            ),
        };
    }
    Payload::Text {
        text: sent.to_owned(),
        mime,
    }
}

/// Text without control characters is text; what else there is are bytes.
pub(crate) fn bytes_or_text(bytes: Vec<u8>, mime: String) -> Payload {
    match String::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_binary) => Payload::Text { text, mime },
        Ok(text) => Payload::Bytes {
            bytes: text.into_bytes(),
            mime,
        },
        Err(error) => Payload::Bytes {
            bytes: error.into_bytes(),
            mime,
        },
    }
}

fn is_binary(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// Whether text was bytes once: recorders without an encoding for requests replace what is no text.
fn is_mangled(text: &str, kind: &str) -> bool {
    text.contains('\u{fffd}')
        || (text.chars().any(is_binary) && !kind.contains("json") && !kind.starts_with("text/"))
}

/// Parameters of browsers stand as they were sent.
fn form_decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(|text| text.into_owned())
        .unwrap_or(spaced)
}

fn multipart(sent: &str, base64: bool, mime: &str, params: &[Value]) -> Payload {
    let bytes = match base64 {
        true => base64::engine::general_purpose::STANDARD
            .decode(sent.trim())
            .unwrap_or_default(),
        false => sent.as_bytes().to_vec(),
    };
    let boundary = mime
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="));
    let mut parts = boundary
        .map(|boundary| split(&bytes, boundary.trim_matches('"')))
        .unwrap_or_default();
    if parts.is_empty() {
        parts = params.iter().filter_map(param).collect();
    }
    if parts.is_empty() {
        return Payload::Lost {
            why: "the recording does not have the parts of its form".into(),
        };
    }
    Payload::Multipart(parts)
}

fn param(param: &Value) -> Option<FormPart> {
    let optional = |key| {
        Some(text(param, key))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let value = text(param, "value");
    let file_name = optional("fileName");
    let content = match (&file_name, value) {
        (Some(_), "" | "(binary)") => PartContent::Lost,
        (_, value) => PartContent::Bytes(value.as_bytes().to_vec()),
    };
    Some(FormPart {
        name: optional("name")?,
        file_name,
        mime: optional("contentType"),
        content,
    })
}

/// The parts of a multipart body (RFC 7578), as far as it is one.
fn split(body: &[u8], boundary: &str) -> Vec<FormPart> {
    if boundary.is_empty() {
        return Vec::new();
    }
    let line = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, line.as_bytes()) {
        rest = &rest[at + line.len()..];
        if rest.starts_with(b"--") {
            break;
        }
        let end = find(rest, line.as_bytes()).unwrap_or(rest.len());
        parts.extend(one(&rest[..end]));
    }
    parts
}

fn one(part: &[u8]) -> Option<FormPart> {
    let part = part
        .strip_prefix(b"\r\n")
        .or_else(|| part.strip_prefix(b"\n"))?;
    let (head, content) = match find(part, b"\r\n\r\n") {
        Some(at) => (&part[..at], &part[at + 4..]),
        None => find(part, b"\n\n").map(|at| (&part[..at], &part[at + 2..]))?,
    };
    let content = content
        .strip_suffix(b"\r\n")
        .or_else(|| content.strip_suffix(b"\n"))
        .unwrap_or(content);
    let head = String::from_utf8_lossy(head);
    let line = |name: &str| {
        let found = head.lines().find_map(|line| {
            line.split_once(':')
                .filter(|(known, _)| known.trim().eq_ignore_ascii_case(name))
        });
        found.map(|(_, value)| value.trim().to_owned())
    };
    let disposition = line("content-disposition")?;
    let attribute = |name: &str| {
        let lead = format!("{name}=\"");
        let at = disposition
            .find(&format!("; {lead}"))
            .map(|at| at + 2)
            .or_else(|| disposition.find(&format!(";{lead}")).map(|at| at + 1))?;
        disposition[at + lead.len()..]
            .split('"')
            .next()
            .map(str::to_owned)
    };
    let file_name = attribute("filename");
    let lost = content.is_empty() && file_name.as_ref().is_some_and(|name| !name.is_empty());
    // What was replaced by U+FFFD is lost, too.
    let mangled = find(content, "\u{fffd}".as_bytes()).is_some();
    let content = match lost || mangled {
        true => PartContent::Lost,
        false => PartContent::Bytes(content.to_vec()),
    };
    Some(FormPart {
        name: attribute("name").filter(|name| !name.is_empty())?,
        file_name,
        mime: line("content-type"),
        content,
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// The body of a response as text, if it is text and not too long; taken out of the entry.
pub(super) fn response_body(entry: &mut Value, mime: &str, room: usize) -> Option<String> {
    let is_text = mime.starts_with("text/")
        || ["json", "xml", "html", "graphql", "urlencoded"]
            .iter()
            .any(|part| mime.contains(part));
    let content = entry.get_mut("response")?.get_mut("content")?;
    let base64 = text(content, "encoding").eq_ignore_ascii_case("base64");
    let Some(Value::String(body)) = content.get_mut("text").map(Value::take) else {
        return None;
    };
    let body = match base64 {
        true if body.len() <= 2 * MAX_RESPONSE && (is_text || mime.is_empty()) => {
            String::from_utf8(
                base64::engine::general_purpose::STANDARD
                    .decode(body.trim())
                    .ok()?,
            )
            .ok()?
        }
        true => return None,
        false => body,
    };
    let looks_like_text = is_text || mime.is_empty() && body.starts_with(['{', '[', '<']);
    (looks_like_text && body.len() <= MAX_RESPONSE.min(room) && !body.is_empty()).then_some(body)
}
