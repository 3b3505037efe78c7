//! The paths of servers, which stand in front of those of operations.

use serde_json::Value;

/// The paths of servers, without a slash at their end; the root without any servers.
pub(crate) fn prefixes(servers: Option<&Value>) -> Vec<String> {
    let servers = servers.and_then(Value::as_array).into_iter().flatten();
    let mut prefixes: Vec<_> = servers.filter_map(prefix).collect();
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    // The longest counts where several fit.
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    prefixes.dedup();
    prefixes
}

fn prefix(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str);
        url = url.replace(&format!("{{{name}}}"), default.unwrap_or_default());
    }
    Some(path(&url).trim_end_matches('/').to_owned())
}

/// The path of a URL, absolute or not.
fn path(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    match path.starts_with('/') || path.is_empty() {
        true => path.to_owned(),
        // Relative to where the document is, which nobody knows.
        false => format!("/{}", path.trim_start_matches("./")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_has_a_path() {
        let servers = json!([
            {"url": "https://{host}:{port}/{base}", "variables": {"host": {"default": "a.example"}, "port": {"default": "1"}, "base": {"default": "v2"}}},
            {"url": "/api/v3/"},
            {"url": "http://b.example"},
            {"url": "v4"},
        ]);
        assert_eq!(prefixes(Some(&servers)), ["/api/v3", "/v2", "/v4", ""]);
        assert_eq!(prefixes(None), [""]);
    }
}
