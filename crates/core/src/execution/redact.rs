//! What must not be in a sample of a failure: secrets, credentials, cookies, and what the test names.

use crate::definition::without_credentials;
use floodgate_records::failure::{FailureSample, Received, Sent};
use regex::{Captures, Regex, RegexBuilder};

/// What stands for a value that is left out.
pub(crate) const MASK: &str = "***";

/// Headers whose values are left out in any case.
const HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
];

/// Whether a header of this name is left out of samples in any case.
pub fn is_confidential(header: &str) -> bool {
    HEADERS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(header))
}

/// Parameters of URLs and fields of bodies whose values are left out in any case.
const FIELDS: [&str; 12] = [
    "password",
    "passwd",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "session",
    "sessionid",
];

/// Whether the value of a parameter or a field of this name is left out of samples in any case.
pub fn is_confidential_field(name: &str) -> bool {
    FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A value found under a name that is left out is left out elsewhere, too, from this length on: a shorter one is a common word.
const MIN_FOUND: usize = 6;
/// A secret is left out everywhere from this length in bytes on.
const MIN_SECRET: usize = 3;
/// A part of a secret that is a URL is left out alone from this length in bytes on: `api` and `/` are in many texts.
const MIN_PART: usize = 6;

/// Leaves out what must not be seen.
#[derive(Debug)]
pub struct Redactor {
    headers: Vec<String>,
    secrets: Vec<String>,
    fields: Option<Regex>,
}

impl Redactor {
    /// `names` are those of `run.redact`: of headers, of parameters in URLs, of fields in bodies. `secrets` are the values
    /// that `${secret:…}` stands for.
    pub fn new(names: &[String], secrets: impl IntoIterator<Item = String>) -> Self {
        let lower = |name: &str| name.to_ascii_lowercase();
        let own = names.iter().map(|name| lower(name));
        let mut secrets: Vec<_> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= MIN_SECRET)
            .collect();
        let parts: Vec<_> = secrets
            .iter()
            .flat_map(|secret| url_parts(secret))
            .collect();
        secrets.extend(parts);
        longest_first(&mut secrets);
        let fields: Vec<_> = FIELDS
            .iter()
            .copied()
            .chain(names.iter().map(String::as_str))
            .map(regex::escape)
            .collect();
        // `"name": value`, `name=value` and `<name>value`; a value that was cut off goes to the end.
        let pattern = format!(
            r#"(?P<lead>"(?:{0})"\s*:\s*|(?:^|[?&;\s,{{])(?:{0})=|<(?:{0})(?:\s[^>]*)?>)(?P<value>"(?:[^"\\]|\\.)*"?|[^&;,\s"<}}\]]+)"#,
            fields.join("|")
        );
        Self {
            headers: HEADERS.iter().map(|name| lower(name)).chain(own).collect(),
            secrets,
            // Names that are too many for a regular expression leave the fields of bodies to the secrets alone.
            fields: RegexBuilder::new(&pattern)
                .case_insensitive(true)
                .build()
                .ok(),
        }
    }

    /// Leaves out of a sample what must not be seen in it, and cuts its bodies to their final length.
    pub fn redact(&self, sample: &mut FailureSample) {
        let mut found = Vec::new();
        if let Some(Sent {
            url, headers, body, ..
        }) = &mut sample.request
        {
            *url = without_credentials(url);
            self.headers(headers, &mut found);
            self.fields(url, &mut found);
            body.iter_mut()
                .for_each(|body| self.fields(&mut body.text, &mut found));
        }
        if let Some(Received { headers, body, .. }) = &mut sample.response {
            self.headers(headers, &mut found);
            body.iter_mut()
                .for_each(|body| self.fields(&mut body.text, &mut found));
        }
        // An engine's words, and the names that it gives, have URLs in them.
        let said = [&mut sample.name].into_iter().chain(&mut sample.checks);
        for text in said.chain(&mut sample.message) {
            mask_credentials(text);
            self.fields(text, &mut found);
        }
        found.retain(|value| value.len() >= MIN_FOUND && value != MASK);
        longest_first(&mut found);
        for text in sample.texts() {
            for value in self.secrets.iter().chain(&found) {
                mask(text, value);
            }
        }
        let request = sample.request.iter_mut().flat_map(|r| &mut r.body);
        let response = sample.response.iter_mut().flat_map(|r| &mut r.body);
        request
            .chain(response)
            .for_each(floodgate_records::failure::Excerpt::cut);
        sample.cut();
    }

    /// Leaves out of a sentence what must not be seen in it.
    pub fn redact_text(&self, text: &mut String) {
        mask_credentials(text);
        self.fields(text, &mut Vec::new());
        for value in &self.secrets {
            mask(text, value);
        }
    }

    fn headers(&self, headers: &mut [(String, String)], found: &mut Vec<String>) {
        for (name, value) in headers {
            if self.headers.contains(&name.to_ascii_lowercase()) {
                // The whole value, what follows a scheme such as Bearer, and each cookie's.
                for part in value.split([' ', ';']) {
                    let of_cookie = part.split_once('=').map(|(_, value)| value);
                    let both = of_cookie.into_iter().chain([part]);
                    found.extend(both.map(|part| part.trim_matches('"').to_owned()));
                }
                found.push(std::mem::replace(value, MASK.to_owned()));
            } else {
                self.fields(value, found);
            }
        }
    }

    fn fields(&self, text: &mut String, found: &mut Vec<String>) {
        let Some(fields) = &self.fields else { return };
        let replaced = fields.replace_all(text, |c: &Captures<'_>| {
            let value = &c["value"];
            found.push(value.trim_matches('"').to_owned());
            let quote = if value.starts_with('"') { "\"" } else { "" };
            format!("{}{quote}{MASK}{quote}", &c["lead"])
        });
        *text = replaced.into_owned();
    }
}

/// What is secret of a URL that is a secret as a whole, as a target may echo it: user and password, the path, the query, the values in it.
/// Scheme and host are not.
fn url_parts(secret: &str) -> Vec<String> {
    let Some((_, rest)) = secret.split_once("://") else {
        return Vec::new();
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let both = user.split_once(':');
    let values = query.split('&').filter_map(|pair| pair.split_once('='));
    let parts = [user, path.trim_matches('/'), query]
        .into_iter()
        .chain(
            both.into_iter()
                .flat_map(|(name, password)| [name, password]),
        )
        .chain(values.map(|(_, value)| value));
    parts
        .filter(|part| part.len() >= MIN_PART)
        .flat_map(|part| [part.to_owned(), percent_decoded(part)])
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match byte.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                &behind[2..]
            }
            None => {
                bytes.push(first);
                behind
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Masks user and password of every URL in a text.
fn mask_credentials(text: &mut String) {
    const LEAD: &str = "://";
    let mut from = 0;
    while let Some(at) = text[from..].find(LEAD) {
        let begin = from + at + LEAD.len();
        let rest = &text[begin..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<');
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if let Some(end) = authority.rfind('@') {
            text.replace_range(begin..begin + end, MASK);
        }
        from = begin;
    }
}

/// Leaves values out of all texts of a sample, as they are, and as URLs, forms and JSON have them.
pub fn mask_values(sample: &mut FailureSample, values: &[String]) {
    let mut values: Vec<_> = values
        .iter()
        .filter(|value| value.len() >= MIN_SECRET)
        .cloned()
        .collect();
    longest_first(&mut values);
    for text in sample.texts() {
        for value in &values {
            mask(text, value);
        }
    }
}

fn longest_first(values: &mut Vec<String>) {
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
}

/// Masks a value as it is, and as URLs, forms and JSON have it.
fn mask(text: &mut String, value: &str) {
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let lower = percent_encoded(value, |byte| format!("%{byte:02x}"));
    let upper = percent_encoded(value, |byte| format!("%{byte:02X}"));
    let form = upper.replace("%20", "+");
    for form in [value.to_owned(), json, upper, lower, form] {
        if !form.is_empty() && text.contains(&form) {
            *text = text.replace(&form, MASK);
        }
    }
}

fn percent_encoded(value: &str, of: impl Fn(u8) -> String) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value
        .bytes()
        .map(|byte| {
            if unreserved(byte) {
                char::from(byte).to_string()
            } else {
                of(byte)
            }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_records::failure::Excerpt;
    use proptest::prelude::*;

    fn excerpt(text: &str) -> Option<Excerpt> {
        Excerpt::of(text.as_bytes(), text.len() as u64)
    }

    #[test]
    fn urls_in_an_engines_words_have_no_credentials_and_no_secrets() {
        let mut sample = FailureSample {
            name: "http://ann:pw@shop/a?token=abc".into(),
            message: Some(
                "Get \"https://a@b:c@shop/?x=1&api_key=k1\": EOF, see http://x/@y".into(),
            ),
            ..FailureSample::default()
        };
        Redactor::new(&[], []).redact(&mut sample);
        assert_eq!(sample.name, "http://***@shop/a?token=***");
        assert_eq!(
            sample.message.unwrap(),
            "Get \"https://***@shop/?x=1&api_key=***\": EOF, see http://x/@y"
        );
    }

    fn sample(secret: &str) -> FailureSample {
        let header = |name: &str, value: String| (name.to_owned(), value);
        FailureSample {
            name: format!("login {secret}"),
            message: Some(format!("refused {secret}")),
            request: Some(Sent {
                method: "POST".into(),
                url: format!("http://ann:{secret}@shop/a?x={secret}"),
                headers: vec![header("X-Any", format!("a {secret} b"))],
                body: excerpt(&format!("plain {secret}")),
            }),
            response: Some(Received {
                line: "HTTP/1.1 500".into(),
                headers: vec![header("X-Echo", secret.to_owned())],
                body: excerpt(&serde_json::json!({ "echo": secret }).to_string()),
            }),
            ..FailureSample::default()
        }
    }

    proptest! {
        #[test]
        fn a_secret_is_nowhere(secret in "[a-zA-Z0-9 \"\\\\/+=&%é]{4,40}") {
            let secret = format!("§{secret}§");
            let mut sample = sample(&secret);
            Redactor::new(&[], [secret]).redact(&mut sample);
            let text = serde_json::to_string(&sample).unwrap();
            prop_assert!(!text.contains('§'), "{}", text);
        }
    }

    #[test]
    fn a_secret_url_is_left_out_in_its_parts() {
        let secret = "https://annabel:p%26ssword@hooks.example/T0/PLANTT/?key=abc%20def&n=1";
        let mut text =
            "echo /T0/PLANTT/api of annabel with p&ssword and abc def at hooks.example".to_owned();
        let short = "http://h/api?a=1".to_owned();
        let redactor = Redactor::new(&[], [secret.to_owned(), short]);
        redactor.redact_text(&mut text);
        assert_eq!(
            text,
            "echo /***/api of *** with *** and *** at hooks.example"
        );
    }

    #[test]
    fn credentials_are_left_out_and_what_echoes_them_too() {
        let mut sample = FailureSample {
            request: Some(Sent {
                method: "POST".into(),
                url: "http://shop/a?token=abcdef123&page=2".into(),
                headers: vec![
                    ("Authorization".into(), "Basic YW5uOnMzY3IzdA==".into()),
                    ("COOKIE".into(), "sid=deadbeef; theme=dark".into()),
                    ("X-Own".into(), "ownvalue".into()),
                    ("Accept".into(), "*/*".into()),
                ],
                body: excerpt(r#"{"user":"ann","Password" : "p\"4ss","pin":1234}"#),
            }),
            response: Some(Received {
                line: "HTTP/1.1 401 Unauthorized".into(),
                headers: vec![("Set-Cookie".into(), "sid=newsession; Path=/".into())],
                body: excerpt(
                    "bad: YW5uOnMzY3IzdA== deadbeef abcdef123 ownvalue newsession&password=x1",
                ),
            }),
            ..FailureSample::default()
        };
        Redactor::new(&["x-own".into(), "pin".into()], []).redact(&mut sample);
        let (sent, received) = (sample.request.unwrap(), sample.response.unwrap());
        assert_eq!(sent.url, "http://shop/a?token=***&page=2");
        let values: Vec<_> = sent.headers.iter().map(|(_, v)| v.as_str()).collect();
        assert_eq!(values, ["***", "***", "***", "*/*"]);
        assert_eq!(
            sent.body.unwrap().text,
            r#"{"user":"ann","Password" : "***","pin":***}"#
        );
        assert_eq!(received.headers[0].1, "***");
        assert_eq!(
            received.body.unwrap().text,
            "bad: *** *** *** *** ***&password=***"
        );
    }

    #[test]
    fn what_is_harmless_stays() {
        let mut sample = FailureSample {
            request: Some(Sent {
                method: "GET".into(),
                url: "http://shop/tokens?page=1".into(),
                ..Sent::default()
            }),
            response: Some(Received {
                body: excerpt("<p>the token is missing</p>"),
                ..Received::default()
            }),
            ..FailureSample::default()
        };
        let before = sample.clone();
        Redactor::new(&[], ["".to_owned(), "ab".to_owned()]).redact(&mut sample);
        assert_eq!(sample, before);
    }
}
