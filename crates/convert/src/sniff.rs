//! What a source is, told by its beginning.

use crate::error::ConvertError;
use crate::options::Format;

/// How much of a source is looked at, in bytes.
pub(crate) const WINDOW: usize = 64 << 10;

/// The format of what begins like this.
///
/// # Errors
/// Nothing that is known; what it may be is said.
pub(crate) fn format(beginning: &[u8]) -> Result<Format, ConvertError> {
    let unknown = |hint: &str| {
        Err(ConvertError::Unknown {
            hint: hint.to_owned(),
        })
    };
    if beginning.starts_with(&[0x1f, 0x8b]) || beginning.starts_with(b"PK") {
        return unknown("; it is compressed: unpack it first");
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start();
    if text.is_empty() {
        return unknown(": it is empty");
    }
    if text.starts_with('{') {
        return json(text);
    }
    let lines = || text.lines().map(str::trim_end);
    if lines().any(is_curl) {
        return Ok(Format::Curl);
    }
    if lines().any(|line| has_key(line, "openapi")) {
        return Ok(Format::OpenApi);
    }
    if lines().any(|line| has_key(line, "swagger")) {
        return unknown(
            ": it is OpenAPI 2 (Swagger); convert it to OpenAPI 3 first, for example with swagger2openapi",
        );
    }
    if text.starts_with('<') {
        return unknown(
            ": it is HTML or XML; export the recording as HAR, and JMeter plans run as they are: floodgate run FILE.jmx",
        );
    }
    unknown("; --from says what it is")
}

/// Whether a line is a command of curl, behind whatever prompts are copied with it.
pub(crate) fn is_curl(line: &str) -> bool {
    let line = line
        .trim_start()
        .trim_start_matches(['$', '#', '>', '%'])
        .trim_start();
    let word = line
        .split(|c: char| c.is_whitespace() || c == '\\' || c == '^')
        .next()
        .unwrap_or("");
    let program = word.rsplit(['/', '\\']).next().unwrap_or(word);
    program == "curl" || program.eq_ignore_ascii_case("curl.exe")
}

/// Whether a line has this key at the top level of YAML.
fn has_key(line: &str, key: &str) -> bool {
    let bare = line.strip_prefix(['"', '\'']).unwrap_or(line);
    let rest = bare
        .strip_prefix(key)
        .map(|rest| rest.trim_start_matches(['"', '\'']).trim_start());
    rest.is_some_and(|rest| rest.starts_with(':'))
}

fn json(text: &str) -> Result<Format, ConvertError> {
    // The first of these keys decides: a HAR may hold an OpenAPI document, and has `log` first.
    let found = [
        "\"log\"",
        "\"openapi\"",
        "\"swagger\"",
        "\"item\"",
        "\"_postman_id\"",
        "\"entries\"",
    ]
    .into_iter()
    .filter_map(|key| Some((text.find(key)?, key)))
    .min();
    match found.map(|(_, key)| key) {
        Some("\"log\"" | "\"entries\"") => Ok(Format::Har),
        Some("\"openapi\"") => Ok(Format::OpenApi),
        Some("\"swagger\"") => Err(ConvertError::Unknown {
            hint: ": it is OpenAPI 2 (Swagger); convert it to OpenAPI 3 first, for example with swagger2openapi".into(),
        }),
        Some("\"_postman_id\"" | "\"item\"") => Err(ConvertError::Unknown {
            hint: ": it is a Postman collection; export it as OpenAPI, or copy its requests as cURL".into(),
        }),
        _ => Err(ConvertError::Unknown { hint: "; --from says what it is".into() }),
    }
}
