//! What an operation asks for to let somebody in, as references.

use super::document::Document;
use super::operation::{Operation, text};
use crate::draft::{Auth, Request};
use crate::secrets::Secrets;
use serde_json::Value;

/// Adds the credentials of the first way in that is not "nothing".
pub(super) fn apply(
    document: &Document,
    operation: &Operation<'_>,
    secrets: &mut Secrets,
    request: &mut Request,
) {
    let own = operation
        .about
        .get("security")
        .unwrap_or_else(|| document.get("security"));
    let ways = own.as_array().map_or(&[][..], Vec::as_slice);
    let Some(way) = ways
        .iter()
        .filter_map(Value::as_object)
        .find(|way| !way.is_empty())
    else {
        return;
    };
    for name in way.keys() {
        let schemes = document.member(document.get("components"), "securitySchemes");
        let scheme = document.member(schemes, name);
        scheme_of(name, scheme, secrets, request);
    }
}

fn scheme_of(name: &str, scheme: &Value, secrets: &mut Secrets, request: &mut Request) {
    let mut keep = |what: &str| {
        let place = format!(
            "{what} of the security scheme {}",
            name.chars().take(60).collect::<String>()
        );
        // The name stands for the value, which nobody knows here.
        secrets.keep(
            if what == "token" || what == "key" {
                name
            } else {
                what
            },
            &format!("{what} of {name}"),
            &place,
        )
    };
    match (
        text(scheme, "type"),
        text(scheme, "scheme").to_ascii_lowercase().as_str(),
    ) {
        ("http", "basic") => {
            request.auth = Some(Auth::Basic {
                username: keep("user"),
                password: keep("password"),
            });
        }
        ("http", "digest") => {
            request.auth = Some(Auth::Digest {
                username: keep("user"),
                password: keep("password"),
            });
        }
        ("http", "bearer") | ("oauth2" | "openIdConnect", _) => {
            request.auth = Some(Auth::Bearer(keep("token")));
        }
        ("apiKey", _) => {
            let (place, key) = (text(scheme, "in"), text(scheme, "name"));
            let is_token = !key.is_empty()
                && key.len() <= 200
                && key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#%&'*+-.^_`|~".contains(&b));
            match place {
                "header" if is_token => request.headers.push((key.to_owned(), keep("key"))),
                "query" if is_token => request.params.push((key.to_owned(), keep("key"))),
                "cookie" if is_token => {
                    let value = keep("key");
                    request
                        .headers
                        .push(("Cookie".to_owned(), format!("{key}={value}")));
                }
                _ => request
                    .comments
                    .push(format!("The security scheme {name} has no usable name.")),
            }
        }
        (kind, _) => request.comments.push(format!(
            "The security scheme {name} ({kind}) has no counterpart here."
        )),
    }
}
