//! What is confidential in one place is left out of all others: of paths, queries, headers, bodies, names and comments.

use crate::draft::{Body, Content, Draft, Part, Request, Step, literal};
use crate::secrets::Secrets;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands for a secret where a definition takes no reference.
const MASK: &str = "***";

/// A secret as it may be written.
#[derive(Debug)]
struct Form {
    text: String,
    /// What it stands for.
    value: String,
    name: String,
    place: String,
}

/// Everything that must not be written.
#[derive(Debug)]
pub(super) struct Hidden {
    /// The longest first.
    forms: Vec<Form>,
}

/// A part of a text.
enum Piece {
    Open(String),
    /// A reference, or what stands for a secret.
    Done(String),
}

impl Hidden {
    pub(super) fn of(secrets: &Secrets) -> Self {
        let mut forms = Vec::new();
        for (value, name, place) in secrets.hidden() {
            for text in written(&value) {
                forms.push(Form {
                    text,
                    value: value.clone(),
                    name: name.clone(),
                    place: place.clone(),
                });
            }
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.text.len()));
        Self { forms }
    }

    /// A text that is shown and not sent.
    pub(super) fn in_words(&self, text: &str) -> String {
        self.replace(vec![Piece::Open(text.to_owned())], |_| MASK.to_owned())
    }

    fn is_in(&self, text: &str) -> bool {
        self.forms
            .iter()
            .any(|form| find(text, &form.text).is_some())
    }

    /// The URL of a request. Parameters with a secret go where they are encoded when they are sent.
    fn url(&self, request: &mut Request, secrets: &mut Secrets, lost: &mut usize) {
        // A host has no secrets: DNS, certificates and proxies see it.
        let path = request.url.find("://").map_or(0, |at| at + 3);
        let path = path + request.url[path..].find('/').unwrap_or(0);
        let (origin, rest) = request.url.split_at(path);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut path = path.to_owned();
        self.in_template(&mut path, secrets);
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if self.is_in(name) {
                *lost += 1;
            } else if self.is_in(value) {
                let decoded = |text: &str| {
                    let text = text.replace("$${", "${").replace('+', " ");
                    let bytes = percent_encoding::percent_decode_str(&text);
                    bytes.decode_utf8_lossy().into_owned()
                };
                let mut value = literal(&decoded(value));
                self.in_template(&mut value, secrets);
                request.params.push((decoded(name), value));
            } else {
                kept.push(pair);
            }
        }
        let mark = if kept.is_empty() { "" } else { "?" };
        request.url = format!("{origin}{path}{mark}{}", kept.join("&"));
    }

    /// A template whose values are sent as they are.
    fn in_template(&self, template: &mut String, secrets: &mut Secrets) {
        // As it is written here, encoded or not, is how it has to be sent.
        *template = self.replace(pieces(template), |form| {
            let place = match form.text == literal(&form.value) {
                true => form.place.clone(),
                false => format!("{}, encoded", form.place),
            };
            secrets.keep(&form.name, &form.text.replace("$${", "${"), &place)
        });
    }

    fn replace(&self, mut pieces: Vec<Piece>, mut by: impl FnMut(&Form) -> String) -> String {
        for form in &self.forms {
            let is_open = |piece: &Piece| matches!(piece, Piece::Open(text) if find(text, &form.text).is_some());
            if !pieces.iter().any(is_open) {
                continue;
            }
            let mut next = Vec::new();
            for piece in pieces {
                let Piece::Open(mut text) = piece else {
                    next.push(piece);
                    continue;
                };
                while let Some(at) = find(&text, &form.text) {
                    let behind = text.split_off(at + form.text.len());
                    text.truncate(at);
                    next.push(Piece::Open(std::mem::replace(&mut text, behind)));
                    next.push(Piece::Done(by(form)));
                }
                next.push(Piece::Open(text));
            }
            pieces = next;
        }
        let texts = pieces.into_iter().map(|piece| match piece {
            Piece::Open(text) | Piece::Done(text) => text,
        });
        texts.collect()
    }

    /// Leaves secrets out of all of a draft, and lists those that it refers to.
    pub(super) fn leave_out(&self, draft: &mut Draft, secrets: &mut Secrets) {
        draft
            .head
            .iter_mut()
            .for_each(|text| *text = self.in_words(text));
        self.values(&mut draft.http.headers, secrets);
        let files = &mut draft.files;
        self.steps(&mut draft.steps, files, secrets);
        draft.secrets = std::mem::take(&mut secrets.all);
        for secret in &mut draft.secrets {
            secret.place = self.in_words(&secret.place);
        }
    }

    fn steps(&self, steps: &mut [Step], files: &mut Vec<(String, Vec<u8>)>, secrets: &mut Secrets) {
        for step in steps {
            match step {
                Step::Request(request) => self.request(request, files, secrets),
                Step::Group { steps, .. } => self.steps(steps, files, secrets),
                Step::Choose(ways) => ways
                    .iter_mut()
                    .for_each(|(_, steps)| self.steps(steps, files, secrets)),
                Step::Think { .. } => {}
            }
        }
    }

    fn request(
        &self,
        request: &mut Request,
        files: &mut Vec<(String, Vec<u8>)>,
        secrets: &mut Secrets,
    ) {
        let mut lost = 0;
        self.url(request, secrets, &mut lost);
        lost += self.values(&mut request.params, secrets);
        lost += self.values(&mut request.headers, secrets);
        let comment = self.body(&mut request.body, files, secrets, &mut lost);
        request.comments.extend(comment);
        if lost > 0 {
            request.comments.push(format!(
                "{lost} × left out here: a parameter, a header or a field whose name has a secret in it."
            ));
        }
        for (_, extractor) in &mut request.extract {
            if extractor.starts_with("regex:") {
                let pieces = vec![Piece::Open(std::mem::take(extractor))];
                *extractor = self.replace(pieces, |_| ".+?".to_owned());
            }
        }
        for text in &mut request.comments {
            *text = self.in_words(text);
        }
    }

    /// Values with their names, which take no reference; gives how many had a secret in the name and are left out.
    fn values(&self, all: &mut Vec<(String, String)>, secrets: &mut Secrets) -> usize {
        let before = all.len();
        all.retain(|(name, _)| !self.is_in(name));
        for (_, value) in &mut *all {
            self.in_template(value, secrets);
        }
        before - all.len()
    }

    fn body(
        &self,
        body: &mut Body,
        files: &mut Vec<(String, Vec<u8>)>,
        secrets: &mut Secrets,
        lost: &mut usize,
    ) -> Option<String> {
        match body {
            Body::None => {}
            Body::Json(value) => self.json(value, secrets, lost),
            Body::Form(fields) => {
                *lost += self.values(fields, secrets);
                if fields.is_empty() {
                    *body = Body::None;
                }
            }
            Body::Text(text) => self.in_template(text, secrets),
            Body::File { path, .. } => {
                if self.drops(path, files) {
                    *body = Body::None;
                    return Some(
                        "The body is left out: it has values that must not be written to a file."
                            .into(),
                    );
                }
            }
            Body::Multipart(parts) => {
                let before = parts.len();
                parts.retain(|part| !matches!(&part.content, Content::File { path, .. } if self.drops(path, files)));
                let dropped = before - parts.len();
                parts.iter_mut().for_each(|part| self.part(part, secrets));
                if parts.is_empty() {
                    *body = Body::None;
                }
                return (dropped > 0).then(|| {
                    format!("{dropped} × left out of the form: a file with values that must not be written to one.")
                });
            }
        }
        None
    }

    fn part(&self, part: &mut Part, secrets: &mut Secrets) {
        self.in_template(&mut part.name, secrets);
        match &mut part.content {
            Content::Text(text) => self.in_template(text, secrets),
            Content::File { file_name, .. } => file_name
                .iter_mut()
                .for_each(|name| self.in_template(name, secrets)),
        }
    }

    fn json(&self, value: &mut Value, secrets: &mut Secrets, lost: &mut usize) {
        match value {
            Value::String(text) => self.in_template(text, secrets),
            Value::Number(number) => {
                let mut text = number.to_string();
                if self.is_in(&text) {
                    self.in_template(&mut text, secrets);
                    *value = Value::String(text);
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.json(item, secrets, lost)),
            Value::Object(map) => {
                let before = map.len();
                map.retain(|name, _| !self.is_in(name));
                *lost += before - map.len();
                map.values_mut()
                    .for_each(|item| self.json(item, secrets, lost));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Whether a file that would be written has a secret; then it is not written.
    fn drops(&self, path: &str, files: &mut Vec<(String, Vec<u8>)>) -> bool {
        let has = |bytes: &[u8]| self.is_in(&String::from_utf8_lossy(bytes));
        let Some(at) = files
            .iter()
            .position(|(own, bytes)| own == path && has(bytes))
        else {
            return false;
        };
        files.remove(at);
        true
    }
}

/// A value as templates, URLs, forms and JSON have it.
fn written(value: &str) -> Vec<String> {
    let upper = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    // Whoever writes a URL by hand leaves most signs as they are.
    let unreserved = ["-", ".", "_", "~"]
        .iter()
        .fold(upper.clone(), |text, sign| {
            text.replace(&format!("%{:02X}", sign.as_bytes()[0]), sign)
        });
    let lower = {
        let mut text = String::new();
        let mut parts = unreserved.split('%');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            text.push('%');
            text.push_str(&part[..2].to_ascii_lowercase());
            text.push_str(&part[2..]);
        }
        text
    };
    let json = Value::from(value).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let form = unreserved.replace("%20", "+");
    let mut all = vec![
        literal(value),
        literal(&json),
        upper,
        unreserved,
        lower,
        form,
    ];
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|text| seen.insert(text.clone()));
    all
}

/// Where a text is; one of letters alone is looked for as a word, since it may be the beginning of another.
fn find(text: &str, form: &str) -> Option<usize> {
    let is_word = form.bytes().all(|b| b.is_ascii_alphabetic());
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(form)
        .find(|(at, _)| {
            !is_word
                || !letter(text[..*at].chars().next_back())
                    && !letter(text[at + form.len()..].chars().next())
        })
        .map(|(at, _)| at)
}

/// A template as its text and its references.
fn pieces(template: &str) -> Vec<Piece> {
    let (mut all, mut text, mut rest) = (Vec::new(), String::new(), template);
    while let Some(at) = rest.find("${") {
        let end = rest[at..].find('}').map(|end| at + end + 1);
        let end = match end {
            Some(end) if !rest[..at].ends_with('$') => end,
            // `$${` stands for itself.
            _ => {
                text.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
                continue;
            }
        };
        text.push_str(&rest[..at]);
        all.push(Piece::Open(std::mem::take(&mut text)));
        all.push(Piece::Done(rest[at..end].to_owned()));
        rest = &rest[end..];
    }
    text.push_str(rest);
    all.push(Piece::Open(text));
    all
}
