//! What is kept of a response: the headers and the body only if a later step needs them.

use super::cookies;
use super::decompress::{self, Accepted, Coding};
use crate::exchange::ErrorCode;
use floodgate_records::failure::Excerpt;

/// What later steps need of a response; the rest is counted and thrown away without a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// All headers. `Location` of a 3xx response is kept in any case.
    pub headers: bool,
    /// The body, decompressed.
    pub body: bool,
}

/// Buffers that are larger than this are given back before the next request.
const IDLE_BYTES: usize = 16 * 1024;

/// Headers that this crate itself may need.
const NEEDED: [&str; 3] = ["set-cookie", "location", "content-encoding"];

/// Whether a header is one of those that this crate itself may need.
#[inline]
pub(super) fn may_be_needed(name: &str) -> bool {
    NEEDED
        .iter()
        .any(|needed| name.eq_ignore_ascii_case(needed))
}

/// The response of the exchange under way, and then of the last one.
#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) status: u16,
    keep: Keep,
    /// Whether cookies are to be seen.
    jar: bool,
    /// The content codings that the request asked for.
    accepted: Accepted,
    max_body: u64,
    /// Names and values of the kept headers, one after the other.
    text: Vec<u8>,
    /// Where the name and the value end in `text`.
    fields: Vec<(u32, u32)>,
    body: Vec<u8>,
    /// Bytes of the body, kept or not.
    body_bytes: u64,
    /// Whether this response is to be explained, whatever its status.
    explain: bool,
    /// The head as it came and the beginning of the body, of a response that has to be explained; given back with the next
    /// request, so that they cost memory only while requests fail.
    evidence: Option<Box<(Vec<u8>, Vec<u8>)>>,
}

/// The longest head that is kept as evidence, in bytes.
const EVIDENCE_HEAD: usize = 4 << 10;

impl Response {
    #[inline]
    pub(super) fn reset(&mut self, keep: Keep, jar: bool, max_body: u64, accepted: Accepted) {
        self.status = 0;
        self.keep = keep;
        self.jar = jar;
        self.accepted = accepted;
        self.max_body = max_body;
        self.body_bytes = 0;
        self.evidence = None;
        if !self.fields.is_empty() {
            self.text.clear();
            self.fields.clear();
        }
        if self.body.capacity() > IDLE_BYTES {
            self.body = Vec::new();
        } else {
            self.body.clear();
        }
    }

    /// Another attempt of the same request.
    pub(super) fn restart(&mut self) {
        self.reset(self.keep, self.jar, self.max_body, self.accepted);
    }

    /// Whether evidence is kept of the response to come, whatever its status.
    #[inline]
    pub(super) fn explain(&mut self, explain: bool) {
        self.explain = explain;
    }

    /// The final response's head, which `write` gives as HTTP/1.1 has it, where it has to be explained.
    #[inline]
    pub(super) fn head(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.explain || self.status >= 400 {
            self.begin_evidence(write);
        }
    }

    #[cold]
    fn begin_evidence(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut head = Vec::new();
        write(&mut head);
        head.truncate(EVIDENCE_HEAD);
        self.evidence = Some(Box::new((head, Vec::new())));
    }

    #[cold]
    fn more_evidence(&mut self, piece: &[u8]) {
        if let Some(evidence) = &mut self.evidence {
            let room = Excerpt::RAW_BYTES - evidence.1.len().min(Excerpt::RAW_BYTES);
            evidence
                .1
                .extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    /// What explains this response: its head and the beginning of its body, decompressed if all of it was kept.
    pub(super) fn take_evidence(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (head, excerpt) = *self.evidence.take()?;
        if self.keep.body {
            let end = self.body.len().min(Excerpt::RAW_BYTES);
            return Some((head, self.body[..end].to_vec()));
        }
        let whole = self.body_bytes == excerpt.len() as u64;
        let plain = coding(&head)
            .filter(|_| whole && !excerpt.is_empty())
            .and_then(|coding| decompress::decompress(coding, &excerpt, EVIDENCE_BODY).ok());
        Some((head, plain.unwrap_or(excerpt)))
    }

    /// A header of the final response.
    #[inline]
    pub(super) fn header(&mut self, status: u16, name: &str, value: &[u8]) {
        if self.keep.headers || self.needs(status, name) {
            self.text.extend_from_slice(name.as_bytes());
            let name_end = self.text.len() as u32;
            self.text.extend_from_slice(value);
            self.fields.push((name_end, self.text.len() as u32));
        }
    }

    /// Whether headers are kept that nobody in this crate needs.
    #[inline]
    pub(super) fn keeps_headers(&self) -> bool {
        self.keep.headers
    }

    /// What this crate itself needs; none but [`NEEDED`].
    #[inline]
    fn needs(&self, status: u16, name: &str) -> bool {
        match name.len() {
            10 => self.jar && name.eq_ignore_ascii_case("set-cookie"),
            8 => (300..400).contains(&status) && name.eq_ignore_ascii_case("location"),
            16 => self.keep.body && name.eq_ignore_ascii_case("content-encoding"),
            _ => false,
        }
    }

    /// Forgets headers: those of an interim response.
    pub(super) fn forget_headers(&mut self) {
        self.text.clear();
        self.fields.clear();
    }

    /// A body of that length is announced.
    #[inline]
    pub(super) fn announce(&mut self, length: u64) -> Result<(), ErrorCode> {
        if length > self.max_body {
            Err(ErrorCode::BodyTooLarge)
        } else {
            Ok(())
        }
    }

    /// A piece of the body.
    #[inline]
    pub(super) fn data(&mut self, piece: &[u8]) -> Result<(), ErrorCode> {
        self.body_bytes += piece.len() as u64;
        if self.body_bytes > self.max_body {
            return Err(ErrorCode::BodyTooLarge);
        }
        if self.keep.body {
            self.body.extend_from_slice(piece);
        } else if self.evidence.is_some() {
            self.more_evidence(piece);
        }
        Ok(())
    }

    /// The body is complete.
    #[inline]
    pub(super) fn finish(&mut self) -> Result<(), ErrorCode> {
        if self.keep.body && !self.fields.is_empty() && !self.body.is_empty() {
            self.decompress()
        } else {
            Ok(())
        }
    }

    /// Undoes the body's codings. A coding that is not known is nobody's to undo, and one that was not asked for may be none
    /// at all: such a body stays as it came, for a request must not fail because somebody looks at its answer.
    #[cold]
    fn decompress(&mut self) -> Result<(), ErrorCode> {
        let codings: Option<Vec<Coding>> = view(self)
            .headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"))
            .flat_map(|(_, value)| value.split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty())
            .map(Coding::named)
            .collect();
        let Some(codings) = codings else {
            return Ok(());
        };
        let asked = codings.iter().all(|&coding| self.accepted.has(coding));
        let decoded = if codings.len() > decompress::MAX_CODINGS {
            Err(ErrorCode::Decompression)
        } else {
            self.decoded(&codings)
        };
        match decoded {
            Ok(Some(body)) => {
                self.body = body;
                self.body_bytes = self.body.len() as u64;
                Ok(())
            }
            Err(ErrorCode::Decompression) if !asked => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// The body without its codings, the last of which was applied last; `None` if there are none.
    fn decoded(&self, codings: &[Coding]) -> Result<Option<Vec<u8>>, ErrorCode> {
        let mut decoded: Option<Vec<u8>> = None;
        for &coding in codings.iter().rev().filter(|&&c| c != Coding::Identity) {
            let body = decoded.as_deref().unwrap_or(&self.body);
            decoded = Some(decompress::decompress(coding, body, self.max_body)?);
        }
        Ok(decoded)
    }

    /// Whether a cookie is set.
    #[inline]
    pub(super) fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }
}

/// The largest body that is decompressed as evidence, in bytes.
const EVIDENCE_BODY: u64 = 64 << 10;

/// The one coding of a response's body, by its head.
fn coding(head: &[u8]) -> Option<decompress::Coding> {
    let text = String::from_utf8_lossy(head);
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let value = values
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"))
        .map(|(_, value)| value.trim())
        .next()?;
    decompress::Coding::named(value.as_bytes())
}

pub(super) fn view(response: &Response) -> ResponseView<'_> {
    ResponseView { response }
}

/// The last response of a client; valid until its next request.
#[derive(Clone, Copy, Debug)]
pub struct ResponseView<'a> {
    response: &'a Response,
}

impl<'a> ResponseView<'a> {
    /// The status code; 0 without a response.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The kept headers in order, names as they came.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let response = self.response;
        let mut start = 0;
        response.fields.iter().map(move |&(name_end, value_end)| {
            let (name_end, value_end) = (name_end as usize, value_end as usize);
            let name = std::str::from_utf8(&response.text[start..name_end]).unwrap_or_default();
            start = value_end;
            (name, &response.text[name_end..value_end])
        })
    }

    /// The first header of a name, without regard to case.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Names and values of the cookies that the response sets, in order (needs [`Keep::headers`] or cookies switched on).
    pub fn set_cookies(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .filter_map(|(_, value)| cookies::name_and_value(value))
    }

    /// The decompressed body; empty unless [`Keep::body`] was asked for.
    pub fn body(&self) -> &'a [u8] {
        &self.response.body
    }

    /// The body's length in bytes, kept or not; after decompression if it was kept.
    pub fn body_bytes(&self) -> u64 {
        self.response.body_bytes
    }
}
