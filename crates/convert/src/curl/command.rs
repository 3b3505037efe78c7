//! One command.

use super::Line;
use super::data::{FORM, Piece, beside, body, part, text_or_file, url_encoded};
use super::options::{Option_, long, short};
use crate::error::ConvertError;
use crate::options::Options;
use crate::recording::{Exchange, FormPart, Payload, User};
use floodgate_core::definition::{ProxyUrl, without_credentials};
use percent_encoding::percent_decode_str;
use url::Url;

/// What a command says, as far as it is read.
#[derive(Default)]
struct Command {
    urls: Vec<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    data: Vec<Piece>,
    is_json: bool,
    parts: Vec<FormPart>,
    upload: Option<String>,
    query: Vec<String>,
    get: bool,
    head: bool,
    user: Option<String>,
    digest: bool,
    bearer: Option<String>,
    cookies: Vec<String>,
    follows: bool,
    timeout: Option<String>,
    insecure: bool,
    proxy: Option<String>,
    version: Option<&'static str>,
    comments: Vec<String>,
}

/// What a command makes.
pub(super) struct Made {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) insecure: bool,
    pub(super) proxy: Option<String>,
    pub(super) version: Option<&'static str>,
}

/// The requests of a command: its words without `curl`.
///
/// # Errors
/// No URL, one that is not valid, a value that is missing.
pub(super) fn exchanges(
    words: &[String],
    line: &Line,
    place: &str,
    options: &Options<'_>,
) -> Result<Made, ConvertError> {
    let fail = |problem: String| ConvertError::Command {
        place: place.to_owned(),
        problem,
    };
    let mut command = Command {
        comments: [&line.comments[..], &line.notes[..]].concat(),
        ..Command::default()
    };
    read(words, &mut command, options).map_err(fail)?;
    if command.urls.is_empty() {
        return Err(fail("it has no URL".into()));
    }
    let urls = std::mem::take(&mut command.urls);
    let payload = command.payload(options);
    let mut payload = Some(payload);
    let mut exchanges = Vec::new();
    for text in urls {
        // Several URLs are rare, and their bodies rarer.
        let body = payload.take().unwrap_or_default();
        exchanges.push(command.exchange(&text, body, place).map_err(fail)?);
    }
    Ok(Made {
        exchanges,
        insecure: command.insecure,
        proxy: command.proxy,
        version: command.version,
    })
}

fn read(words: &[String], command: &mut Command, options: &Options<'_>) -> Result<(), String> {
    let mut words = words.iter();
    let mut only_urls = false;
    while let Some(word) = words.next() {
        if only_urls || !word.starts_with('-') || word == "-" {
            command.urls.push(word.clone());
        } else if word == "--" {
            only_urls = true;
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, given) = name
                .split_once('=')
                .map_or((name, None), |(name, value)| (name, Some(value.to_owned())));
            match long(name) {
                Some(option) if option.takes_value() => {
                    let value = given
                        .or_else(|| words.next().cloned())
                        .ok_or_else(|| format!("--{name} has no value"))?;
                    command.apply(option, &format!("--{name}"), &value, options)?;
                }
                Some(option) => command.apply(option, &format!("--{name}"), "", options)?,
                None => command.unknown(&format!("--{name}")),
            }
        } else {
            letters(&word[1..], &mut words, command, options)?;
        }
    }
    Ok(())
}

/// `-sSXPOST`: letters until one takes the rest, or the next word, as its value.
fn letters<'w>(
    all: &str,
    words: &mut impl Iterator<Item = &'w String>,
    command: &mut Command,
    options: &Options<'_>,
) -> Result<(), String> {
    for (at, letter) in all.char_indices() {
        let name = format!("-{letter}");
        match short(letter) {
            Some(option) if option.takes_value() => {
                let rest = &all[at + letter.len_utf8()..];
                let value = match rest.is_empty() {
                    true => words
                        .next()
                        .ok_or_else(|| format!("{name} has no value"))?
                        .as_str(),
                    false => rest,
                };
                return command.apply(option, &name, value, options);
            }
            Some(option) => command.apply(option, &name, "", options)?,
            None => command.unknown(&name),
        }
    }
    Ok(())
}

impl Command {
    fn unknown(&mut self, name: &str) {
        self.comments.push(format!(
            "curl's option {name} has no counterpart here and is left out."
        ));
    }

    fn apply(
        &mut self,
        option: Option_,
        name: &str,
        value: &str,
        options: &Options<'_>,
    ) -> Result<(), String> {
        use Option_ as O;
        match option {
            O::Method => self.method = Some(value.to_owned()),
            O::Header => self.header(value),
            O::Data => self.data.push(text_or_file(value)),
            O::DataBinary => self.data.push(text_or_file(value)),
            O::DataRaw => self.data.push(Piece::Text(value.to_owned())),
            O::DataUrlencode => self.data.push(url_encoded(value)),
            O::Json => {
                self.data.push(text_or_file(value));
                self.is_json = true;
            }
            O::Form | O::FormString => {
                self.parts
                    .push(part(value, option == O::FormString, options)?);
            }
            O::Upload => self.upload = Some(value.to_owned()),
            O::Get => self.get = true,
            O::Head => self.head = true,
            O::Url => self.urls.push(value.to_owned()),
            O::UrlQuery => match url_encoded(value.strip_prefix('+').unwrap_or(value)) {
                Piece::Text(text) => self.query.push(text),
                Piece::File(_) => self.unknown(name),
            },
            O::User => self.user = Some(value.to_owned()),
            O::Digest => self.digest = true,
            O::Bearer => self.bearer = Some(value.to_owned()),
            // Without = it is the name of a file.
            O::Cookie if value.contains('=') => self.cookies.push(value.to_owned()),
            O::Cookie => self.comments.push(
                "curl read cookies from a file, which is left out: record the login, too.".into(),
            ),
            O::Insecure => self.insecure = true,
            O::Location => self.follows = true,
            O::Compressed => self
                .headers
                .push(("Accept-Encoding".into(), "gzip, deflate, br, zstd".into())),
            O::Proxy => self.proxy(value),
            O::MaxTime => {
                self.timeout = value
                    .parse::<f64>()
                    .ok()
                    .filter(|s| (0.001..86_400.0).contains(s))
                    .map(|s| format!("{}ms", (s * 1_000.0).round() as u64));
            }
            O::Http11 => self.version = Some("1.1"),
            O::Http2 => self.version = Some("2").filter(|_| name.contains("prior")),
            O::UserAgent => self.headers.push(("User-Agent".into(), value.to_owned())),
            O::Range => self
                .headers
                .push(("Range".into(), format!("bytes={value}"))),
            O::Ignored | O::IgnoredValue => {}
            O::Named | O::NamedValue => self.unknown(name),
        }
        Ok(())
    }

    /// `Name: value`; `Name;` has no value, and `Name:` takes one of curl's own away.
    fn header(&mut self, text: &str) {
        let text = text.trim_start();
        if text.starts_with('@') {
            return self
                .comments
                .push("curl read headers from a file, which is left out.".into());
        }
        if let Some((name, value)) = text.split_once(':').filter(|(name, _)| !name.is_empty()) {
            let value = value.trim();
            if !value.is_empty() {
                self.headers
                    .push((name.trim().to_owned(), value.to_owned()));
            }
        } else if let Some(name) = text.strip_suffix(';') {
            self.headers.push((name.trim().to_owned(), String::new()));
        }
    }

    fn proxy(&mut self, value: &str) {
        let rest = match value.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => {
                return self.comments.push(format!(
                    "A proxy of the kind {} is not supported and left out.",
                    floodgate_records::printable::quoted(scheme)
                ));
            }
            None => value,
        };
        let (user, host) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(user, host)| (Some(user), host));
        if user.is_some() {
            self.comments.push("The proxy's user and password are left out: http.proxy may have them, as ${secret:NAME}.".into());
        }
        let host = host.trim_end_matches('/');
        // curl's own default.
        let port = if host.contains(':') { "" } else { ":1080" };
        let url = format!("http://{host}{port}");
        match ProxyUrl::parse(&url).is_ok() && !host.contains('$') {
            true => self.proxy = Some(url),
            false => self
                .comments
                .push("The proxy is not a valid URL and left out.".into()),
        }
    }

    fn has(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body, and with `-G` none: the data goes to the URL.
    fn payload(&mut self, options: &Options<'_>) -> Payload {
        if self.get {
            for piece in std::mem::take(&mut self.data) {
                match piece {
                    Piece::Text(text) => self.query.push(text),
                    Piece::File(_) => self
                        .comments
                        .push("Parameters from a file are left out.".into()),
                }
            }
            return Payload::None;
        }
        if !self.parts.is_empty() {
            return Payload::Multipart(std::mem::take(&mut self.parts));
        }
        if let Some(path) = self.upload.take() {
            self.method.get_or_insert_with(|| "PUT".to_owned());
            let mime = self.has("content-type").unwrap_or("").to_owned();
            return match beside(&path, options) {
                Ok(path) => Payload::File { path, mime },
                Err(why) => Payload::Lost { why },
            };
        }
        let default = if self.is_json {
            "application/json"
        } else {
            FORM
        };
        let mime = self.has("content-type").unwrap_or(default).to_owned();
        if self.is_json && self.has("accept").is_none() {
            self.headers
                .push(("Accept".into(), "application/json".into()));
        }
        let between = if self.is_json { "" } else { "&" };
        body(&self.data, between, &mime, options)
    }

    fn exchange(&self, text: &str, body: Payload, place: &str) -> Result<Exchange, String> {
        // A note of it may be written.
        let bare = text.split(['?', '#']).next().unwrap_or_default();
        let shown = floodgate_records::printable::quoted(&without_credentials(bare));
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let mut url =
            Url::parse(&full).map_err(|error| format!("the URL {shown} is not valid: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(format!("the URL {shown} is not an http:// or https:// URL"));
        }
        url.set_fragment(None);
        let own = (!url.username().is_empty()).then(|| {
            (
                url.username().to_owned(),
                url.password().unwrap_or("").to_owned(),
            )
        });
        // Neither can fail: there is a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if !self.query.is_empty() {
            let query: Vec<_> = url
                .query()
                .into_iter()
                .filter(|query| !query.is_empty())
                .map(str::to_owned)
                .chain(self.query.iter().cloned())
                .collect();
            url.set_query(Some(&query.join("&")));
        }
        let has_body = !matches!(body, Payload::None);
        let default = match (self.head, has_body || !self.data.is_empty()) {
            (true, _) => "HEAD",
            (_, true) => "POST",
            _ => "GET",
        };
        let method = self.method.as_deref().unwrap_or(default).to_owned();
        let valid = |b: u8| b.is_ascii_alphabetic() || b"!#$%&'*+-.^_`|~".contains(&b);
        if method.is_empty()
            || method.len() > 32
            || !method.bytes().all(valid)
            || method.eq_ignore_ascii_case("connect")
        {
            return Err(format!(
                "the method {} is not supported",
                floodgate_records::printable::quoted(&method)
            ));
        }
        let mut headers = self.headers.clone();
        headers.extend(
            self.bearer
                .iter()
                .map(|token| ("Authorization".to_owned(), format!("Bearer {token}"))),
        );
        if !self.cookies.is_empty() {
            headers.push(("Cookie".into(), self.cookies.join("; ")));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let given = self.user.as_ref().map(|user| {
            user.split_once(':')
                .map_or((user.clone(), String::new()), |(name, password)| {
                    (name.to_owned(), password.to_owned())
                })
        });
        let user =
            given.or_else(|| own.map(|(name, password)| (decoded(&name), decoded(&password))));
        Ok(Exchange {
            label: place.to_owned(),
            page: None,
            started_ms: None,
            took_ms: 0,
            method,
            url,
            headers,
            body,
            is_static: false,
            user: user.map(|(name, password)| User {
                name,
                password,
                digest: self.digest,
            }),
            timeout: self.timeout.clone(),
            follows: self.follows,
            comments: self.comments.clone(),
            response: None,
        })
    }
}
