//! Where a request goes: URLs of a definition, of templates and of redirects.
//!
//! A relative URL is appended to the target (`https://h/base` and `/x` make `https://h/base/x`). What the definition
//! spells out is kept as it is, but for characters that no URL may hold. A value in the path is percent-encoded as one
//! segment, a value in the query as one value. A value that stands where scheme, host or port are chosen (`${next}`,
//! `https://${host}/`) is taken as that part of a URL, and the whole is parsed anew for each request.

use super::encode::{Encoding, encode, url_literal};
use super::error::Problem;
use super::io::Request;
use super::symbols::SymbolTable;
use super::text::{Scope, Text};
use crate::exchange::ErrorCode;
use crate::http::{Origin, Target, absolute};
use floodgate_core::template::{Part, Template};
use std::rc::Rc;

/// The URL of a step.
#[derive(Debug)]
pub(crate) enum Address {
    /// A server that is always the same.
    Fixed {
        origin: Rc<Origin>,
        authority: Rc<str>,
        /// Path and query.
        path: Text,
    },
    /// Anything may change.
    Rendered {
        /// What relative URLs are appended to.
        target: Option<Rc<str>>,
        url: Text,
        /// Parameters, without a leading `?`.
        query: Text,
    },
}

/// User and password that a URL spells out.
pub(crate) type UserInfo = (String, String);

impl Address {
    /// The address of a step, and the credentials in its URL.
    pub(crate) fn compile(
        target: Option<&str>,
        url: &Template,
        params: &[(String, Template)],
        names: &SymbolTable<'_>,
    ) -> Result<(Self, Option<UserInfo>), Problem> {
        let mut parts = url.parts.clone();
        let leading = match parts.first() {
            Some(Part::Literal(text)) => Some(text.as_str()),
            Some(Part::Variable(_)) => None,
            None => Some(""),
        };
        if let Some(text) = leading.filter(|text| !is_absolute(text)) {
            let target = target.ok_or_else(|| Problem::NoTarget(url.source.clone()))?;
            let joined = append(target, text);
            match parts.first_mut() {
                Some(first) => *first = Part::Literal(joined),
                None => parts.push(Part::Literal(joined)),
            }
        }
        if let Some(Part::Literal(text)) = parts.first()
            && let Some(at) = authority_end(text, parts.len() == 1)
        {
            let Target {
                origin,
                credentials,
                ..
            } = absolute(None, &text[..at])?;
            let rest = text[at..].to_owned();
            parts[0] = Part::Literal(rest);
            let path = path(&parts, params, names)?;
            let authority = origin.authority().into();
            return Ok((
                Self::Fixed {
                    origin: Rc::new(origin),
                    authority,
                    path,
                },
                credentials,
            ));
        }
        let whole = Template {
            parts,
            source: url.source.clone(),
        };
        let url = Text::compile(&whole, names, Encoding::Raw)?;
        let mut query = Text::default();
        push_params(&mut query, params, names, "")?;
        Ok((
            Self::Rendered {
                target: target.map(Rc::from),
                url,
                query,
            },
            None,
        ))
    }

    /// Whether it is the same for every request.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed { path, .. } if path.as_literal().is_some())
    }

    /// Fills in origin, authority, path and query of a request.
    pub(crate) fn render(
        &self,
        scope: &mut Scope<'_>,
        request: &mut Request,
    ) -> Result<(), ErrorCode> {
        match self {
            Self::Fixed {
                origin,
                authority,
                path,
            } => {
                request.origin = Rc::clone(origin);
                request.authority = Rc::clone(authority);
                request.path_and_query.clear();
                path.render(scope, &mut request.path_and_query);
            }
            Self::Rendered { target, url, query } => {
                let mut text = url.rendered(scope);
                if !is_absolute(&text) {
                    text = append(target.as_deref().ok_or(ErrorCode::BadUrl)?, &text);
                }
                let target = absolute(None, &text).map_err(|_| ErrorCode::BadUrl)?;
                // Credentials that come out of a value would have to become a header; that is not what values are for.
                if target.credentials.is_some() {
                    return Err(ErrorCode::BadUrl);
                }
                request.authority = target.origin.authority().into();
                request.origin = Rc::new(target.origin);
                request.path_and_query = target.path_and_query;
                if query.as_literal() != Some("") {
                    request
                        .path_and_query
                        .push(if request.path_and_query.contains('?') {
                            '&'
                        } else {
                            '?'
                        });
                    query.render(scope, &mut request.path_and_query);
                }
            }
        }
        Ok(())
    }
}

fn is_absolute(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
    })
}

fn append(target: &str, relative: &str) -> String {
    let slash = if relative.is_empty() || relative.starts_with(['/', '?', '#']) {
        ""
    } else {
        "/"
    };
    format!("{}{slash}{relative}", target.trim_end_matches('/'))
}

/// Where path, query or fragment begin; `None` if the authority goes on in a value (`whole`: there is none).
fn authority_end(text: &str, whole: bool) -> Option<usize> {
    let start = is_absolute(text).then(|| text.find("://").map(|at| at + 3))??;
    let end = text[start..]
        .find(['/', '?', '#', '\\'])
        .map(|at| start + at);
    end.or(whole.then_some(text.len()))
}

fn path(
    parts: &[Part],
    params: &[(String, Template)],
    names: &SymbolTable<'_>,
) -> Result<Text, Problem> {
    let mut text = Text::default();
    let (mut in_query, mut last) = (false, None);
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(literal) => {
                let (literal, fragment) = literal
                    .split_once('#')
                    .map_or((literal.as_str(), false), |(l, _)| (l, true));
                let mut written = String::from(if index == 0 && !literal.starts_with('/') {
                    "/"
                } else {
                    ""
                });
                url_literal(literal, &mut written);
                text.push_literal(&written);
                in_query |= literal.contains('?');
                last = literal.chars().last();
                if fragment {
                    break;
                }
            }
            Part::Variable(variable) => {
                text.push_variable(
                    variable,
                    names,
                    if in_query {
                        Encoding::Query
                    } else {
                        Encoding::Path
                    },
                )?;
                last = None;
            }
        }
    }
    let joint = match (in_query, last) {
        (false, _) => "?",
        (true, Some('?' | '&')) => "",
        (true, _) => "&",
    };
    push_params(&mut text, params, names, joint)?;
    Ok(text)
}

fn push_params(
    text: &mut Text,
    params: &[(String, Template)],
    names: &SymbolTable<'_>,
    mut joint: &'static str,
) -> Result<(), Problem> {
    for (name, value) in params {
        let mut literal = String::from(joint);
        encode(name, Encoding::Query, &mut literal);
        text.push_literal(&literal);
        text.push_literal("=");
        text.push_template(value, names, Encoding::Query, |s, out| {
            encode(s, Encoding::Query, out);
        })?;
        joint = "&";
    }
    Ok(())
}
