//! A definition before it is written. All texts that a request sends are templates: `${` in them is meant.

use serde_json::Value;

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Paragraphs of the comment at the top.
    pub(crate) head: Vec<String>,
    /// The test's name.
    pub(crate) test: String,
    /// Base URLs by parameter; the first is the target.
    pub(crate) targets: Vec<(String, String)>,
    /// What all requests share.
    pub(crate) http: Http,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// Its steps; at least one.
    pub(crate) steps: Vec<Step>,
    /// References that need a value.
    pub(crate) secrets: Vec<Secret>,
    /// Files that the steps name.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// Options of all requests.
#[derive(Debug, Default)]
pub(crate) struct Http {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) auth: Option<Auth>,
    pub(crate) encodings: Vec<&'static str>,
    pub(crate) insecure: bool,
    /// A proxy without credentials.
    pub(crate) proxy: Option<String>,
    pub(crate) version: Option<&'static str>,
    /// Whether redirects are followed only where a request says so.
    pub(crate) follows_none: bool,
}

/// A value that the definition refers to instead of having it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) name: String,
    /// Where it is sent.
    pub(crate) place: String,
}

#[derive(Debug)]
pub(crate) enum Step {
    Think {
        ms: u64,
    },
    Group {
        name: String,
        comments: Vec<String>,
        steps: Vec<Self>,
    },
    /// One of several ways; each is a name, for a comment, and its steps.
    Choose(Vec<(String, Vec<Self>)>),
    Request(Box<Request>),
}

#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Lines before the step.
    pub(crate) comments: Vec<String>,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) auth: Option<Auth>,
    pub(crate) body: Body,
    /// A status that would count as a failure otherwise.
    pub(crate) expect: Option<u16>,
    /// The redirects that are followed, where others than usual are.
    pub(crate) redirects: Option<u32>,
    pub(crate) timeout: Option<String>,
    pub(crate) extract: Vec<(String, String)>,
    pub(crate) checks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    Basic { username: String, password: String },
    Digest { username: String, password: String },
    Bearer(String),
}

#[derive(Debug, Default, PartialEq)]
pub(crate) enum Body {
    #[default]
    None,
    Json(Value),
    Form(Vec<(String, String)>),
    Text(String),
    File {
        path: String,
        content_type: Option<String>,
    },
    Multipart(Vec<Part>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) content: Content,
    pub(crate) content_type: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    File {
        path: String,
        file_name: Option<String>,
    },
}

impl Step {
    /// How often requests are made in one pass, and how long it thinks, in milliseconds. Of several ways the longest counts.
    pub(crate) fn size(steps: &[Self]) -> (u64, u64) {
        let sum = |(n, ms), (more, longer)| (n + more, ms + longer);
        steps
            .iter()
            .map(|step| match step {
                Self::Think { ms } => (0, *ms),
                Self::Group { steps, .. } => Self::size(steps),
                Self::Choose(ways) => {
                    let sizes = ways.iter().map(|(_, steps)| Self::size(steps));
                    sizes.max().unwrap_or_default()
                }
                Self::Request(_) => (1, 0),
            })
            .fold((0, 0), sum)
    }
}

/// Text that stands for itself where a template stands.
pub(crate) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}
