//! Where requests go.

use super::document::Document;
use crate::error::ConvertError;
use crate::options::Options;
use crate::recording::host;
use serde_json::Value;
use url::Url;

/// Where a document leads that names no server.
const NOWHERE: &str = "http://127.0.0.1:8080";

/// The target, and what is to be said about it.
///
/// # Errors
/// A host that is asked for and is none of its servers.
pub(super) fn target(
    document: &Document,
    options: &Options<'_>,
) -> Result<(String, Vec<String>), ConvertError> {
    let servers = document
        .get("servers")
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let urls: Vec<String> = servers.iter().filter_map(url).collect();
    let parsed: Vec<(Url, &String)> = urls
        .iter()
        .filter_map(|text| Some((usable(text)?, text)))
        .collect();
    let chosen = match options.hosts.first() {
        None => parsed.first(),
        Some(asked) => {
            let bare = asked
                .split_once("://")
                .map_or(asked.as_str(), |(_, rest)| rest)
                .to_ascii_lowercase();
            let found = parsed
                .iter()
                .find(|(url, _)| host(url) == bare || url.host_str() == Some(&bare));
            Some(found.ok_or_else(|| ConvertError::NoSuchHost {
                asked: asked.clone(),
                there: parsed.iter().map(|(url, _)| host(url)).collect(),
            })?)
        }
    };
    let mut notes = Vec::new();
    let others: Vec<_> = urls
        .iter()
        .filter(|text| chosen.is_none_or(|(_, known)| *known != *text))
        .map(String::as_str)
        .take(5)
        .collect();
    let target = match chosen {
        Some((url, _)) => url.as_str().trim_end_matches('/').to_owned(),
        None => {
            notes.push(
                "The document names no server that can be used: the target is a guess.".to_owned(),
            );
            let path = urls.first().filter(|path| {
                path.starts_with('/') && Url::parse(&format!("{NOWHERE}{path}")).is_ok()
            });
            let path = path.map_or("", |path| path.trim_end_matches('/'));
            if path.contains(['?', '#', '\\', '$', ' ']) {
                NOWHERE.to_owned()
            } else {
                format!("{NOWHERE}{path}")
            }
        }
    };
    if !others.is_empty() && chosen.is_some() {
        notes.push(format!(
            "Other servers of the document: {}.",
            others.join(", ")
        ));
    }
    Ok((target, notes))
}

/// A server's URL with the defaults of its variables.
fn url(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    for (name, variable) in server
        .get("variables")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let default = variable
            .get("default")
            .or_else(|| variable.get("enum")?.get(0));
        let default = default.map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        url = url.replace(&format!("{{{name}}}"), &default.unwrap_or_default());
    }
    Some(url)
}

/// A URL that a target may be.
fn usable(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
    })?;
    url.set_query(None);
    url.set_fragment(None);
    // Neither can fail: there is a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (!url.as_str().contains(['$', '\\', '{']) && !url.path().contains("%7B")).then_some(url)
}
