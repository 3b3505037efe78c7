//! HTTP Digest (RFC 7616, and RFC 2069 for targets without `qop`): what targets have asked a VU for, and its answers.
//!
//! A VU is challenged once by each origin and answers from then on unasked, counting up, as browsers and curl do within a session:
//! until the target finds the nonce too old, or gives the next one itself.

mod answer;
mod challenge;

use super::credentials::Credentials;
use super::io::Request;
use crate::http::Origin;
use challenge::Challenge;
use std::rc::Rc;

/// Sessions a VU keeps; past it the one that was begun first goes.
const MAX_SESSIONS: usize = 16;
/// Challenges that one request answers: the first, and one more where its nonce was too old already.
const MAX_ANSWERS: u32 = 2;

/// What targets have asked a VU for.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Vec<Session>);

/// What one origin has asked one user for.
#[derive(Debug)]
struct Session {
    origin: Rc<Origin>,
    credentials: Rc<Credentials>,
    challenge: Challenge,
    /// The client's nonce, the same for the whole session: what it is made into with `-sess` must not change.
    cnonce: String,
    secret: String,
    /// How often the nonce was used.
    count: u32,
}

impl Sessions {
    /// The VU starts anew.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The value of `Authorization` for a request whose target has asked before.
    #[inline]
    pub(crate) fn authorization(&mut self, request: &Request) -> Option<String> {
        request.digest.as_ref()?;
        let at = self.position(request)?;
        let session = &mut self.0[at];
        session.count = session.count.wrapping_add(1);
        answer::value(
            &session.challenge,
            &session.credentials.username,
            &session.secret,
            &session.cnonce,
            session.count,
            request,
        )
    }

    /// Takes in what a 401 asks for, in all its headers `WWW-Authenticate`; whether there is an answer to try. `answers` is how
    /// many challenges this request has answered: another one means that the credentials are wrong, unless the nonce was too old.
    pub(crate) fn challenged<'a>(
        &mut self,
        request: &Request,
        values: impl Iterator<Item = &'a [u8]>,
        answers: u32,
    ) -> bool {
        let Some(credentials) = &request.digest else {
            return false;
        };
        // What did not do is not sent again unasked.
        let known = self.position(request).map(|at| self.0.remove(at).challenge);
        let Some(challenge) = Challenge::first(values) else {
            return false;
        };
        let same = known.is_some_and(|known| known.nonce == challenge.nonce);
        let fresh = !same && (answers == 0 || challenge.stale);
        if !fresh || answers >= MAX_ANSWERS {
            return false;
        }
        let cnonce = format!("{:032x}", fastrand::u128(..));
        if self.0.len() >= MAX_SESSIONS {
            self.0.remove(0);
        }
        self.0.push(Session {
            origin: Rc::clone(&request.origin),
            credentials: Rc::clone(credentials),
            secret: answer::secret(&challenge, credentials, &cnonce),
            challenge,
            cnonce,
            count: 0,
        });
        true
    }

    /// Takes in `Authentication-Info`: the nonce that the target wants next (RFC 7616 §3.5).
    pub(crate) fn learn(&mut self, request: &Request, info: &[u8]) {
        let parameters = challenge::parameters(std::str::from_utf8(info).unwrap_or_default());
        let next = challenge::find(&parameters, "nextnonce").filter(|nonce| !nonce.is_empty());
        if let (Some(next), Some(at)) = (next, self.position(request)) {
            let session = &mut self.0[at];
            if session.challenge.nonce != next {
                next.clone_into(&mut session.challenge.nonce);
                session.count = 0;
            }
        }
    }

    fn position(&self, request: &Request) -> Option<usize> {
        let credentials = request.digest.as_ref()?;
        self.0.iter().position(|session| {
            *session.origin == *request.origin && session.credentials == *credentials
        })
    }
}
