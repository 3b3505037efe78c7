//! The text of a definition.

use crate::draft::{Auth, Body, Content, Draft, Http, Part, Request, Step, literal};
use crate::yaml;
use std::fmt::Write as _;

/// Iterations a second: modest, whoever's server this is.
const RATE: u64 = 1;
/// What a request may take on average before the VUs are not enough, in milliseconds.
const ASSUMED_REQUEST_MS: u64 = 500;

/// Writes a definition.
pub(crate) fn write(draft: &Draft) -> String {
    let mut out = String::new();
    for paragraph in &draft.head {
        out.push_str(&yaml::comment(paragraph, 0));
    }
    if !draft.secrets.is_empty() {
        out.push_str("#\n");
        let intro = "Values that are not in this file. Set the environment variable before a run, or put the value into the file \
                     secrets/NAME of the execution folder:";
        out.push_str(&yaml::comment(intro, 0));
        for secret in &draft.secrets {
            let variable = variable(&secret.name);
            let _ = write!(out, "#   {variable}");
            let place = floodgate_records::printable::printable(&secret.place);
            let _ = writeln!(out, "   {place}");
        }
    }
    let _ = writeln!(out, "version: 1\ntest: {}\n", yaml::line(&draft.test));
    parameters(draft, &mut out);
    http(&draft.http, &mut out);
    scenario(draft, &mut out);
    out.push_str(
        "\n# What must hold, or the run fails. Bare numbers of times are milliseconds: put your own goals here.\nthresholds:\n  \
         http_req_failed: rate<0.01\n  http_req_duration: [p(95)<1000]\n  checks: rate>0.99\n",
    );
    out
}

/// The environment variable of a secret.
fn variable(name: &str) -> String {
    let upper = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_uppercase(),
        false => '_',
    };
    format!(
        "FLOODGATE_SECRET_{}",
        name.chars().map(upper).collect::<String>()
    )
}

fn parameters(draft: &Draft, out: &mut String) {
    out.push_str("# What may differ from run to run: floodgate run FILE --set target=http://localhost:8080 --set rate=5\nparameters:\n");
    for (name, url) in &draft.targets {
        let _ = writeln!(out, "  {name}: {}", yaml::line(&literal(url)));
    }
    let _ = writeln!(out, "  rate: {RATE} # iterations started per second");
    if let Some((name, _)) = draft.targets.first() {
        let _ = writeln!(out, "\ntarget: ${{param:{name}}}");
    }
}

fn http(http: &Http, out: &mut String) {
    let mut lines = String::new();
    if let Some(version) = http.version {
        let _ = writeln!(lines, "  version: \"{version}\"");
    }
    if http.insecure {
        lines.push_str("  insecure: true # certificates are not verified\n");
    }
    if http.follows_none {
        lines.push_str("  maxRedirects: 0 # as curl without -L\n");
    }
    if let Some(proxy) = &http.proxy {
        let _ = writeln!(lines, "  proxy: {}", yaml::line(proxy));
    }
    if !http.encodings.is_empty() {
        let _ = writeln!(lines, "  acceptEncoding: [{}]", http.encodings.join(", "));
    }
    if let Some(auth) = &http.auth {
        let _ = writeln!(lines, "  auth: {}", auth_line(auth));
    }
    if !http.headers.is_empty() {
        lines.push_str("  headers:\n");
        for (name, value) in &http.headers {
            let _ = writeln!(lines, "    {}: {}", yaml::key(name), yaml::line(value));
        }
    }
    if !lines.is_empty() {
        let _ = write!(out, "\nhttp:\n{lines}");
    }
}

fn scenario(draft: &Draft, out: &mut String) {
    let (requests, think_ms) = Step::size(&draft.steps);
    let pass_s = (think_ms + requests * ASSUMED_REQUEST_MS).div_ceil(1_000);
    // By Little's law, as many iterations are under way as start while one takes place.
    let vus = (pass_s * RATE * 3 / 2).clamp(2, 10_000);
    let _ = write!(
        out,
        "\nscenarios:\n  {}:\n    # A fixed rate of iterations, whether the target keeps up or not. One takes about {pass_s} s; so many VUs are needed\n    \
         # for each iteration a second. Other executors: ramping-arrival-rate, constant-vus, ramping-vus, …\n    \
         executor: constant-arrival-rate\n    rate: ${{param:rate}}\n    duration: 1m\n    preAllocatedVUs: {vus}\n    maxVUs: {}\n",
        yaml::key(&draft.scenario),
        (vus * 5).min(50_000),
    );
    let grace_s = pass_s * 3 / 2;
    if grace_s > 30 {
        let _ = writeln!(
            out,
            "    gracefulStop: {grace_s}s # or the last iterations would be cut off"
        );
    }
    out.push_str("    flow:\n");
    steps(&draft.steps, 6, out);
}

fn steps(all: &[Step], indent: usize, out: &mut String) {
    for step in all {
        match step {
            Step::Think { ms } => {
                let _ = writeln!(out, "{:indent$}- think: {}", "", time(*ms));
            }
            Step::Group {
                name,
                comments,
                steps: inner,
            } => {
                comments
                    .iter()
                    .for_each(|text| out.push_str(&yaml::comment(text, indent)));
                let _ = writeln!(
                    out,
                    "{:indent$}- group: {}\n{:indent$}  steps:",
                    "",
                    yaml::line(name),
                    ""
                );
                steps(inner, indent + 4, out);
            }
            Step::Choose(ways) => {
                let _ = writeln!(
                    out,
                    "{:indent$}# Each iteration goes one way; weights are relative.\n{:indent$}- choose:",
                    "", ""
                );
                for (name, inner) in ways {
                    out.push_str(&yaml::comment(name, indent + 4));
                    let _ = writeln!(out, "{0:1$}- weight: 1\n{0:1$}  steps:", "", indent + 4);
                    steps(inner, indent + 8, out);
                }
            }
            Step::Request(one) => request(one, indent, out),
        }
    }
}

/// A duration as people write it.
fn time(ms: u64) -> String {
    match (ms / 1_000, ms % 1_000) {
        (s, 0) => format!("{s}s"),
        (0, ms) => format!("{ms}ms"),
        (s, ms) => format!("{s}.{}s", format!("{ms:03}").trim_end_matches('0')),
    }
}

fn request(request: &Request, indent: usize, out: &mut String) {
    for text in &request.comments {
        out.push_str(&yaml::comment(text, indent));
    }
    let method = request.method.to_ascii_lowercase();
    let short = ["get", "post", "put", "patch", "delete", "head", "options"];
    let url = yaml::line(&request.url);
    if short.contains(&method.as_str()) {
        let _ = writeln!(out, "{:indent$}- {method}: {url}", "");
    } else {
        let method = yaml::inside(&request.method);
        let _ = writeln!(
            out,
            "{:indent$}- request: {{ method: {method}, url: {} }}",
            "",
            yaml::quoted(&request.url)
        );
    }
    let indent = indent + 2;
    let mut entry = |key: &str, value: &str| {
        let space = if value.starts_with('\n') { "" } else { " " };
        let _ = writeln!(out, "{:indent$}{key}:{space}{value}", "");
    };
    entry("name", &yaml::line(&request.name));
    if !request.params.is_empty() {
        entry("params", &exact_map(&request.params, indent));
    }
    if !request.headers.is_empty() {
        entry("headers", &map(&request.headers, indent));
    }
    if let Some(auth) = &request.auth {
        entry("auth", &auth_line(auth));
    }
    body(&request.body, indent, &mut entry);
    if let Some(timeout) = &request.timeout {
        entry("timeout", timeout);
    }
    if let Some(most) = request.redirects {
        entry("maxRedirects", &most.to_string());
    }
    if let Some(status) = request.expect {
        entry("expect", &status.to_string());
    }
    if !request.extract.is_empty() {
        entry("extract", &map(&request.extract, indent));
    }
    if !request.checks.is_empty() {
        let checks: Vec<_> = request
            .checks
            .iter()
            .map(|check| check_text(check))
            .collect();
        entry("checks", &format!("[{}]", checks.join(", ")));
    }
}

/// A check, which has quotes of its own only in values that it compares.
fn check_text(check: &str) -> String {
    let plain = check
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"$._=<> ".contains(&b));
    if plain {
        check.to_owned()
    } else {
        yaml::quoted(check)
    }
}

fn map(entries: &[(String, String)], indent: usize) -> String {
    let in_braces: Vec<_> = entries
        .iter()
        .map(|(k, v)| (yaml::key(k), yaml::inside(v)))
        .collect();
    // A name of a header that is given twice stands once, with a list.
    let names: std::collections::BTreeSet<_> = entries
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    if names.len() < entries.len() {
        return lists(entries, indent);
    }
    yaml::map_line(&in_braces, indent + 10).unwrap_or_else(|| {
        let lines = entries.iter().map(|(k, v)| {
            format!(
                "\n{:1$}{2}: {3}",
                "",
                indent + 2,
                yaml::key(k),
                yaml::line(v)
            )
        });
        lines.collect()
    })
}

/// Entries by name, those of one name as a list.
fn lists(entries: &[(String, String)], indent: usize) -> String {
    let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in entries {
        match grouped
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, values)) => values.push(value),
            None => grouped.push((name, vec![value])),
        }
    }
    let lines = grouped.into_iter().map(|(name, values)| {
        let value = match values.as_slice() {
            [one] => yaml::line(one),
            many => {
                let many: Vec<_> = many.iter().map(|value| yaml::inside(value)).collect();
                format!("[{}]", many.join(", "))
            }
        };
        format!("\n{:1$}{2}: {value}", "", indent + 2, yaml::key(name))
    });
    lines.collect()
}

fn auth_line(auth: &Auth) -> String {
    let user = |kind: &str, username: &str, password: &str| {
        let (username, password) = (yaml::inside(username), yaml::inside(password));
        format!("{{ {kind}: {{ username: {username}, password: {password} }} }}")
    };
    match auth {
        Auth::Basic { username, password } => user("basic", username, password),
        Auth::Digest { username, password } => user("digest", username, password),
        Auth::Bearer(token) => format!("{{ bearer: {} }}", yaml::inside(token)),
    }
}

fn body(body: &Body, indent: usize, entry: &mut dyn FnMut(&str, &str)) {
    match body {
        Body::None => {}
        Body::Json(value) => entry("json", &yaml::json(value, indent + 2)),
        Body::Form(fields) => entry("form", &exact_map(fields, indent)),
        Body::Text(text) => entry("body", &yaml::block_or_line(text, indent + 2)),
        Body::File {
            path,
            content_type: None,
        } => entry("file", &yaml::line(path)),
        Body::File {
            path,
            content_type: Some(content_type),
        } => {
            let (path, content_type) = (yaml::inside(path), yaml::inside(content_type));
            entry(
                "file",
                &format!("{{ path: {path}, contentType: {content_type} }}"),
            );
        }
        Body::Multipart(parts) => {
            let parts = parts
                .iter()
                .map(|one| format!("\n{:1$}- {2}", "", indent + 2, part(one)));
            entry("multipart", &parts.collect::<String>());
        }
    }
}

/// Fields of a form: names are told apart by case.
fn exact_map(fields: &[(String, String)], indent: usize) -> String {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in fields {
        match grouped.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(yaml::inside(value)),
            None => grouped.push((name.clone(), vec![yaml::inside(value)])),
        }
    }
    let entries: Vec<_> = grouped
        .into_iter()
        .map(|(name, values)| match values.as_slice() {
            [one] => (yaml::key(&name), one.clone()),
            many => (yaml::key(&name), format!("[{}]", many.join(", "))),
        })
        .collect();
    yaml::map_line(&entries, indent + 6).unwrap_or_else(|| {
        let lines = entries
            .iter()
            .map(|(k, v)| format!("\n{:1$}{k}: {v}", "", indent + 2));
        lines.collect()
    })
}

fn part(part: &Part) -> String {
    let mut entries = vec![("name".to_owned(), yaml::inside(&part.name))];
    match &part.content {
        Content::Text(text) => entries.push(("value".to_owned(), yaml::inside(text))),
        Content::File { path, file_name } => {
            entries.push(("file".to_owned(), yaml::inside(path)));
            entries.extend(
                file_name
                    .iter()
                    .map(|name| ("fileName".to_owned(), yaml::inside(name))),
            );
        }
    }
    entries.extend(
        part.content_type
            .iter()
            .map(|kind| ("contentType".to_owned(), yaml::inside(kind))),
    );
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{ {} }}", entries.join(", "))
}
