//! `floodgate hit`: a definition made on the spot, run like any other.

use crate::args::{OutArgs, ShowArgs};
use crate::env::{Environment, secret_variable};
use crate::error::{CliError, Result};
use crate::load::{Origin, load_text};
use crate::local::{LocalRun, execute};
use crate::outcome::{Output, show};
use crate::reports::ReportFiles;
use floodgate_convert::{is_secret_header, is_secret_value, secret_members};
use floodgate_core::definition::{HostOverride, without_credentials};
use floodgate_core::rate::Rate;
use floodgate_core::units::{format_duration, parse_duration};
use floodgate_records::execution::TriggerKind;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Default duration.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);
/// Default number of VUs of a closed loop.
const DEFAULT_CONNECTIONS: u64 = 64;
/// Default maximum of VUs for an arrival rate: more than a target that takes one second needs, by
/// Little's law, within what a process can hold.
const MOST_VUS: u64 = 10_000;
/// Default timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Arguments of `floodgate hit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URL to request; http:// is the default scheme
    #[arg(value_name = "URL")]
    pub url: String,
    /// Connections, each a virtual user in a closed loop [default: 64]; with --rate, the maximum
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub connections: Option<u64>,
    /// Requests per second at a constant arrival rate (open loop), whatever the target does; also 0.5, 10/m, 1/3s
    #[arg(short, long, value_name = "PER_S", conflicts_with = "requests", value_parser = rate)]
    pub rate: Option<PerSecond>,
    /// Duration: 20s, 1m30s; a bare number is seconds [default: 10s]
    #[arg(short, long, short_alias = 'z', value_name = "TIME", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Total number of requests; with --duration, the run ends at whichever comes first
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: Option<u64>,
    /// HTTP method [default: GET, with a body POST]
    #[arg(short, long, value_name = "METHOD")]
    pub method: Option<String>,
    /// A header, as "Name: value"; repeatable
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// The request body, or @FILE
    #[arg(short, long, value_name = "TEXT|@FILE")]
    pub body: Option<String>,
    /// Credentials: Basic, with --digest by challenge
    #[arg(short, long, value_name = "USER:PASSWORD", value_parser = user)]
    pub user: Option<Credentials>,
    /// Answer challenges of HTTP Digest with the credentials of --user
    #[arg(long, requires = "user")]
    pub digest: bool,
    /// Speak HTTP/2 only, with prior knowledge if the URL is http://
    #[arg(long)]
    pub http2: bool,
    /// Do not verify certificates
    #[arg(long)]
    pub insecure: bool,
    /// The proxy, `http://[USER:PASSWORD@]HOST[:PORT]`, or none [default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY]
    #[arg(short = 'x', long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Connect to an address instead of resolving a name, as `HOST[:PORT]=ADDRESS[:PORT]`; repeatable
    #[arg(long = "host", value_name = "HOST=ADDRESS", value_parser = host)]
    pub hosts: Vec<(String, String)>,
    /// Connect to this Unix socket, whatever the URL's host
    #[arg(long, value_name = "PATH")]
    pub unix_socket: Option<PathBuf>,
    /// Request timeout; a bare number is seconds [default: 60s]
    #[arg(short, long, value_name = "TIME", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// With --rate: maximum virtual users; beyond that, requests are late and then dropped
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub max_vus: Option<u64>,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// A rate as it is written, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct PerSecond {
    text: String,
    /// Requests a second, rounded up.
    whole: u64,
}

/// The most requests a second.
const MOST_RATE: f64 = 10_000_000.0;

fn rate(text: &str) -> std::result::Result<PerSecond, String> {
    let rate = Rate::parse(text).map_err(|e| e.to_string())?;
    let per_s = rate.per_second(Duration::from_secs(1));
    if rate.is_zero() || per_s > MOST_RATE {
        return Err(format!("must be above 0, and at most {MOST_RATE} a second"));
    }
    Ok(PerSecond {
        text: text.to_owned(),
        whole: per_s.ceil() as u64,
    })
}

impl PerSecond {
    fn json(&self) -> Value {
        let number = self.text.parse::<u64>();
        number.map_or_else(|_| json!(self.text), |number| json!(number))
    }
}

/// Users of wrk and oha write `-d 20` for seconds; a definition's bare numbers are milliseconds, as in k6.
fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let bare = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !text.is_empty();
    let duration = parse_duration(&if bare {
        format!("{text}s")
    } else {
        text.to_owned()
    })
    .map_err(|e| {
        let allowed = "a time such as 20s or 1m30s (a bare number is seconds)";
        e.allowed(allowed).to_string()
    })?;
    if duration.is_zero() {
        Err("must be longer than 0".into())
    } else {
        Ok(duration)
    }
}

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: String,
}

impl std::fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credentials({:?})", self.username)
    }
}

fn user(text: &str) -> std::result::Result<Credentials, String> {
    let (username, password) = text
        .split_once(':')
        .ok_or("has no \":\"; write USER:PASSWORD")?;
    Ok(Credentials {
        username: username.to_owned(),
        password: password.to_owned(),
    })
}

fn header(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("has no \":\"; write \"Name: value\"")?;
    let name = name.trim();
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    {
        return Err(format!("{name:?} is not a valid header name"));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn host(text: &str) -> std::result::Result<(String, String), String> {
    let (from, to) = text
        .split_once('=')
        .ok_or("has no \"=\"; write HOST=ADDRESS")?;
    HostOverride::parse(from, to).map_err(|error| error.to_string())?;
    Ok((from.to_owned(), to.to_owned()))
}

/// A definition made from arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// JSON text as [`floodgate_core::definition`] reads it.
    pub definition: Value,
    /// The folder that the body's file lies in.
    pub base_dir: PathBuf,
    /// What its references to secrets stand for, by the variable: nothing that a run leaves has them.
    pub secrets: BTreeMap<String, String>,
}

/// Secrets of a definition that is made on the spot.
#[derive(Default)]
struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// A reference that stands for this text.
    fn keep(&mut self, text: &str) -> String {
        let name = format!("hit-{}", self.0.len() + 1);
        self.0.insert(secret_variable(&name), text.to_owned());
        format!("${{secret:{name}}}")
    }

    /// A text with references in the place of these parts of it.
    fn keep_parts(&mut self, text: &str, parts: &[Range<usize>]) -> Value {
        json!(with_parts(text, parts, literal, |part| self.keep(part)))
    }
}

impl Args {
    fn full_url(&self) -> String {
        if self.url.contains("://") {
            self.url.clone()
        } else {
            format!("http://{}", self.url)
        }
    }

    /// The URL as records and reports show it.
    fn shown_url(&self) -> String {
        let url = self.full_url();
        let parts = secret_parts(&url);
        with_parts(&url, &parts, str::to_owned, |_| "***".to_owned())
    }

    /// The definition that these arguments stand for.
    ///
    /// # Errors
    /// [`CliError::Usage`]: a URL without a host, a body file without a name.
    pub fn definition(&self) -> Result<Hit> {
        let url = self.full_url();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
        // whatever its case (RFC 3986 §3.1)
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(CliError::usage(format!(
                "{:?} is not an http:// or https:// URL",
                self.url
            )));
        }
        if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
            return Err(CliError::usage(format!("{:?} names no host", self.url)));
        }
        let mut base_dir = PathBuf::from(".");
        let mut request = json!({ "name": literal(&self.shown_url()) });
        let method = self
            .method
            .as_deref()
            .unwrap_or(if self.body.is_some() { "POST" } else { "GET" })
            .to_uppercase();
        let mut secrets = Secrets::default();
        let own = secrets.keep_parts(&url, &secret_parts(&url));
        request["request"] = json!({ "method": method, "url": own });
        match self
            .body
            .as_deref()
            .map(|body| body.strip_prefix('@').ok_or(body))
        {
            Some(Ok(path)) => {
                let path = Path::new(path);
                let name = path.file_name().and_then(|n| n.to_str());
                let name = name.ok_or_else(|| {
                    CliError::usage(format!("--body @{}: names no file", path.display()))
                })?;
                request["file"] = json!(name);
                if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                    base_dir = folder.to_owned();
                }
            }
            Some(Err(text)) => {
                let members = secret_members(text).into_iter();
                let parts: Vec<_> = members.map(|member| member.value).collect();
                request["body"] = secrets.keep_parts(text, &parts);
            }
            None => {}
        }
        let definition = json!({
            "version": 1,
            "project": "local",
            "test": "hit",
            "http": self.http(&mut secrets),
            "scenarios": { "hit": self.scenario(request) },
        });
        Ok(Hit {
            definition,
            base_dir,
            secrets: secrets.0,
        })
    }

    fn http(&self, secrets: &mut Secrets) -> Value {
        let mut http =
            json!({ "timeout": format_duration(self.timeout.unwrap_or(DEFAULT_TIMEOUT)) });
        if self.http2 {
            http["version"] = json!("2");
        }
        if self.insecure {
            http["insecure"] = json!(true);
        }
        if let Some(proxy) = &self.proxy {
            http["proxy"] = match without_credentials(proxy) == *proxy {
                true => json!(proxy),
                false => json!(secrets.keep(proxy)),
            };
        }
        for (from, to) in &self.hosts {
            http["hosts"][from] = json!(to);
        }
        if let Some(path) = &self.unix_socket {
            // a definition is read elsewhere, too
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            http["unixSocket"] = json!(path.to_string_lossy());
        }
        let mut headers = serde_json::Map::new();
        for (name, value) in &self.headers {
            let value = match is_secret_header(name) || is_secret_value(value) {
                true => json!(secrets.keep(value)),
                false => json!(literal(value)),
            };
            // A name given twice is sent twice, whatever its case.
            let known = headers
                .keys()
                .find(|k| k.eq_ignore_ascii_case(name))
                .cloned();
            match known.and_then(|known| headers.get_mut(&known)) {
                Some(Value::Array(values)) => values.push(value),
                Some(one) => *one = json!([one.take(), value]),
                None => {
                    headers.insert(name.clone(), value);
                }
            }
        }
        if !headers.is_empty() {
            http["headers"] = Value::Object(headers);
        }
        if let Some(Credentials { username, password }) = &self.user {
            let scheme = if self.digest { "digest" } else { "basic" };
            http["auth"][scheme] =
                json!({ "username": literal(username), "password": secrets.keep(password) });
        }
        http
    }

    fn scenario(&self, request: Value) -> Value {
        let duration = self.duration.unwrap_or(DEFAULT_DURATION);
        let connections = self.connections.unwrap_or(DEFAULT_CONNECTIONS);
        let mut scenario = match (&self.rate, self.requests) {
            (Some(rate), _) => {
                // As in wrk2, -c is the limit if it is given; otherwise the rate decides how many may be needed.
                let most = self
                    .max_vus
                    .or(self.connections)
                    .unwrap_or(rate.whole.clamp(DEFAULT_CONNECTIONS, MOST_VUS));
                json!({
                    "executor": "constant-arrival-rate",
                    "rate": rate.json(),
                    "duration": format_duration(duration),
                    "preAllocatedVUs": connections.min(rate.whole).min(most),
                    "maxVUs": most,
                })
            }
            (None, Some(requests)) => json!({
                "executor": "shared-iterations",
                "vus": connections.min(requests),
                "iterations": requests,
                "maxDuration": format_duration(self.duration.unwrap_or(Duration::from_secs(600))),
            }),
            (None, None) => json!({
                "executor": "constant-vus",
                "vus": connections,
                "duration": format_duration(duration),
            }),
        };
        scenario["flow"] = json!([request]);
        scenario
    }
}

/// Text that stands for itself where a definition takes templates.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// What of a URL nobody may see: user and password, parameters whose names suggest a secret, and values that look like one.
fn secret_parts(url: &str) -> Vec<Range<usize>> {
    let from = url.find("://").map_or(0, |at| at + 3);
    let authority = url[from..].find(['/', '?', '#']);
    let authority = authority.map_or(url.len(), |length| from + length);
    let user = url[from..authority].rfind('@').map(|at| from..from + at);
    let mut parts: Vec<_> = user.into_iter().collect();
    let fragment = url.find('#').unwrap_or(url.len());
    for from in [authority, fragment] {
        let to = if from == fragment {
            url.len()
        } else {
            fragment
        };
        let text = url[from..to].trim_start_matches('#');
        let from = to - text.len();
        let members = secret_members(text).into_iter().map(|member| member.value);
        parts.extend(members.map(|value| from + value.start..from + value.end));
    }
    let mut at = authority;
    for word in url[authority..].split(['/', '?', '&', '=', '#']) {
        let own = at..at + word.len();
        at = own.end + 1;
        let is_known = parts
            .iter()
            .any(|part| part.start < own.end && own.start < part.end);
        if is_secret_value(word) && !is_known {
            parts.push(own);
        }
    }
    parts.sort_by_key(|part| part.start);
    parts
}

/// A text made of what its parts become, and of what the rest becomes.
fn with_parts(
    text: &str,
    parts: &[Range<usize>],
    rest: impl Fn(&str) -> String,
    mut part: impl FnMut(&str) -> String,
) -> String {
    let (mut out, mut done) = (String::new(), 0);
    for range in parts {
        out += &rest(&text[done..range.start]);
        out += &part(&text[range.clone()]);
        done = range.end;
    }
    out + &rest(&text[done..])
}

/// Puts load on one URL.
///
/// # Errors
/// See [`CliError`].
pub async fn hit(args: Args) -> Result<ExitCode> {
    let Hit {
        definition,
        base_dir,
        secrets,
    } = args.definition()?;
    let out = &args.out.out;
    let env = Environment::new(&crate::args::EnvArgs::default(), out)?;
    let env = secrets
        .into_iter()
        .fold(env, |env, (name, value)| env.with(name, value));
    let text = definition.to_string();
    let origin = Origin {
        name: "the command line".into(),
        base_dir,
    };
    let test = load_text(text.into_bytes(), origin, &[], &env)?;
    let run = LocalRun {
        test: &test,
        env: &env,
        generators: 1,
        out,
        id: None,
        show: args.show,
        title: Some(args.shown_url()),
        target: Some(args.shown_url()),
        kind: Some(TriggerKind::Hit),
        ordered: None,
        debug_requests: 0,
        metrics: None,
    };
    let finished = Box::pin(execute(run)).await?;
    let output = Output {
        show: args.show,
        files: &ReportFiles::default(),
        out,
    };
    let min_ratio = test.parsed().definition.run.min_applied_load;
    let code = exit_code(&finished.summary, args.rate.is_none(), min_ratio);
    Ok(show(&finished, &output, code).await)
}

/// A closed loop goes as fast as it can, so it saturates the generator or the target, whichever is slower, and gates
/// nothing: it has done what was asked if all was sent and measured. The status and its warning stay `inconclusive`, since
/// the figures are the generator's as much as the target's.
fn exit_code(summary: &Summary, closed: bool, min_ratio: f64) -> u8 {
    let whole = summary.completeness.missing_ratio() == 0.0;
    let sent = summary.applied.http_reqs > 0;
    // What nobody answered was not measured, whatever the loop.
    let answered = summary.requests.iter().any(|r| r.responses > 0);
    let applied = summary.applied.ratio.is_none_or(|ratio| ratio >= min_ratio);
    if closed && summary.status == Status::Inconclusive && whole && sent && answered && applied {
        return Status::Passed.exit_code();
    }
    summary.status.exit_code()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
