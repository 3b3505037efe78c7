//! Content types: what a response has against what a document names.

/// Whether a content type is in a range of the document's: `application/json`, `text/*`, `*/*`. Parameters count where the range has
/// some.
pub(crate) fn is_in(range: &str, content_type: &str) -> bool {
    let (wanted, parameters) = split(range);
    let (given, own) = split(content_type);
    let fits = match wanted.strip_suffix("/*") {
        _ if wanted == "*/*" || wanted == given => true,
        Some(kind) => given.split('/').next() == Some(kind),
        None => false,
    };
    fits && parameters.iter().all(|wanted| own.contains(wanted))
}

/// Whether bodies of this type are JSON: RFC 6839 §3.1.
pub(crate) fn is_json(content_type: &str) -> bool {
    let (kind, _) = split(content_type);
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

/// How narrow a range is: the narrowest that fits counts.
pub(crate) fn width(range: &str) -> u8 {
    let (kind, parameters) = split(range);
    match (kind.as_str(), parameters.is_empty()) {
        ("*/*", _) => 3,
        (kind, _) if kind.ends_with("/*") => 2,
        (_, true) => 1,
        _ => 0,
    }
}

fn split(text: &str) -> (String, Vec<String>) {
    let mut parts = text.split(';').map(|part| {
        let part: String = part.chars().filter(|c| !c.is_whitespace()).collect();
        part.to_ascii_lowercase()
    });
    let kind = parts.next().unwrap_or_default();
    (kind, parts.filter(|part| !part.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_take_types() {
        for (range, given, fits) in [
            ("application/json", "application/json; charset=utf-8", true),
            ("application/json", "Application/JSON", true),
            ("application/*", "application/problem+json", true),
            ("*/*", "text/html", true),
            ("text/*", "application/json", false),
            (
                "application/json; version=2",
                "application/json;version=2",
                true,
            ),
            ("application/json; version=2", "application/json", false),
            ("application/json", "application/jsonp", false),
        ] {
            assert_eq!(is_in(range, given), fits, "{range} {given}");
        }
        assert!(is_json("application/vnd.a+json; x=1") && !is_json("application/x-ndjson"));
        assert!(width("a/b;c=d") < width("a/b") && width("a/*") < width("*/*"));
    }
}
