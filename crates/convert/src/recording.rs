//! What was recorded, whatever it was recorded with.

use url::Url;

/// Requests in order, with what is known of their responses.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// What it is, for the comment at the top.
    pub(crate) about: String,
    pub(crate) exchanges: Vec<Exchange>,
    /// Titles of pages by number.
    pub(crate) pages: Vec<String>,
    /// What was left out or could not be read.
    pub(crate) notes: Vec<String>,
    pub(crate) insecure: bool,
    pub(crate) proxy: Option<String>,
    pub(crate) version: Option<&'static str>,
}

/// A request, and its response if there is one.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// What messages call it: `entry 3`.
    pub(crate) label: String,
    /// Number of its page.
    pub(crate) page: Option<usize>,
    /// When it was sent, Unix milliseconds; `None` if nobody noted it.
    pub(crate) started_ms: Option<i64>,
    pub(crate) took_ms: i64,
    pub(crate) method: String,
    /// Without user and password.
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Payload,
    /// Whether the browser fetched it for the looks of a page.
    pub(crate) is_static: bool,
    pub(crate) user: Option<User>,
    pub(crate) timeout: Option<String>,
    /// Whether redirects were followed by whoever sent it, and are not entries of their own.
    pub(crate) follows: bool,
    /// Lines for the step's comment.
    pub(crate) comments: Vec<String>,
    pub(crate) response: Option<Response>,
}

/// Credentials of Basic or Digest.
#[derive(Debug, Clone, Default)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) digest: bool,
}

/// A body that was sent.
#[derive(Debug, Default)]
pub(crate) enum Payload {
    #[default]
    None,
    Text {
        text: String,
        mime: String,
    },
    Bytes {
        bytes: Vec<u8>,
        mime: String,
    },
    /// A file that is said to lie beside the definition.
    File {
        path: String,
        mime: String,
    },
    Fields(Vec<(String, String)>),
    Multipart(Vec<FormPart>),
    /// It was sent, and nobody kept it.
    Lost {
        why: String,
    },
}

#[derive(Debug)]
pub(crate) struct FormPart {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) content: PartContent,
}

#[derive(Debug)]
pub(crate) enum PartContent {
    Bytes(Vec<u8>),
    /// A file that is said to lie beside the definition.
    Named(String),
    Lost,
}

#[derive(Debug, Default)]
pub(crate) struct Response {
    /// 0 if there was none.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// Text only, up to a bound.
    pub(crate) body: Option<String>,
    pub(crate) mime: String,
    /// Cookies that redirects on the way set.
    pub(crate) hop_cookies: Vec<(String, String)>,
}

impl Response {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Cookies that it sets, by name.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let set = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        // Several cookies of one header stand on lines of their own in recordings of Chrome and Firefox.
        set.flat_map(|(_, value)| value.lines())
            .filter_map(|line| line.split(';').next()?.split_once('='))
            .map(|(name, value)| {
                (
                    name.trim().to_owned(),
                    value.trim().trim_matches('"').to_owned(),
                )
            })
            .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            .collect()
    }
}

impl Exchange {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// When its response was there.
    pub(crate) fn ended_ms(&self) -> Option<i64> {
        Some(self.started_ms?.saturating_add(self.took_ms.max(0)))
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.as_ref().map_or(0, |response| response.status)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// `scheme://host[:port]`.
pub(crate) fn origin(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or(""))
}

/// `host[:port]`, as `--host` has it.
pub(crate) fn host(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or(""))
}
