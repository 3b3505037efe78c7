//! Reading a URL.

use super::{COMMON_OPTIONS, Credentials, References, Scheme, Secret, Target, TargetError};
use floodgate_records::reach::Reach;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use url::Url;

/// Options that refer to secrets.
const PASSWORD: &str = "password";
const TOKEN: &str = "token";

/// Reads a URL. References stand in the options `password` and `token` only: `?token=${env:NAME}`; without one, the variables of the
/// scheme are looked up.
///
/// # Errors
/// [`TargetError`]: an unknown scheme, a host that is missing, an option that the scheme does not have, a secret in the URL, and a
/// reference to something that is not set.
pub fn parse(
    schemes: &[&'static Scheme],
    given: &str,
    references: &dyn References,
) -> Result<Target, TargetError> {
    let shown = masked(given);
    let fail = |problem: String| TargetError::new(&shown, problem);
    let (name, rest) = given
        .split_once(':')
        .ok_or_else(|| fail(format!("is not a URL; write {}", forms(schemes))))?;
    let name = name.to_ascii_lowercase();
    let (scheme, tls) = find(schemes, &name).ok_or_else(|| {
        fail(format!(
            "there is no export to {name}:; write {}",
            forms(schemes)
        ))
    })?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut options = options(query);
    let mut target = Target {
        scheme,
        url: shown.clone(),
        host: String::new(),
        port: 0,
        tls,
        path: rest.to_owned(),
        user: None,
        credentials: Credentials::default(),
        options: BTreeMap::new(),
        reach: Reach::Anywhere,
        listener: None,
    };
    if scheme.default_port.is_some() {
        place(&mut target, &name, rest).map_err(&fail)?;
    }
    let credentials = Credentials {
        password: secret(&mut options, PASSWORD, scheme.password_env, references).map_err(&fail)?,
        token: secret(&mut options, TOKEN, scheme.token_env, references).map_err(&fail)?,
    };
    let known = || COMMON_OPTIONS.iter().chain(scheme.options);
    if let Some(unknown) = options
        .keys()
        .find(|name| !known().any(|known| known == name))
    {
        let known: Vec<_> = known().copied().collect();
        return Err(fail(format!(
            "{} has no option {unknown:?}; it has {}",
            scheme.shown,
            known.join(", ")
        )));
    }
    Ok(Target {
        credentials,
        options,
        ..target
    })
}

fn find(schemes: &[&'static Scheme], name: &str) -> Option<(&'static Scheme, bool)> {
    schemes.iter().find_map(|scheme| {
        let plain = scheme.names.contains(&name).then_some(false);
        let tls = plain.or_else(|| scheme.tls_names.contains(&name).then_some(true))?;
        Some((*scheme, tls))
    })
}

fn forms(schemes: &[&'static Scheme]) -> String {
    let all: Vec<_> = schemes.iter().map(|scheme| scheme.shown).collect();
    all.join(", ")
}

/// Host, port, user and path.
fn place(target: &mut Target, name: &str, rest: &str) -> Result<(), String> {
    let scheme = target.scheme;
    if !rest.starts_with("//") {
        return Err(format!("has no host; write {}", scheme.shown));
    }
    // A name that no browser knows: hosts are then left as they are.
    let url = Url::parse(&format!("{}:{rest}", name.replace('+', "-")))
        .map_err(|error| format!("{error}; write {}", scheme.shown))?;
    if url.password().is_some() {
        let variables = scheme.password_env.first().copied();
        let remedy = match variables {
            Some(variable) => format!("set {variable}, or write ?{PASSWORD}=${{env:NAME}}"),
            None => "leave it out: this sink has none".to_owned(),
        };
        return Err(format!(
            "a password stands in the URL, where logs and process lists show it; {remedy}"
        ));
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err(format!("has no host; write {}", scheme.shown));
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    target.host = decoded(host);
    target.port = url.port().or(scheme.default_port).unwrap_or_default();
    target.path = url.path().to_owned();
    target.user = Some(decoded(url.username())).filter(|user| !user.is_empty());
    Ok(())
}

fn options(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A name is written as it is: who looks for one in the text finds it.
            (name.to_owned(), decoded(value))
        })
        .collect()
}

/// Takes an option that refers to a secret, or looks the secret up.
fn secret(
    options: &mut BTreeMap<String, String>,
    name: &str,
    variables: &[&str],
    references: &dyn References,
) -> Result<Option<Secret>, String> {
    let given = options.remove(name);
    let Some(given) = given else {
        let set = variables
            .iter()
            .find_map(|variable| references.env(variable));
        return Ok(set.filter(|value| !value.is_empty()).map(Secret));
    };
    if variables.is_empty() {
        return Err(format!("this sink takes no {name}; leave it out"));
    }
    let reference = given
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let value = match reference.and_then(|reference| reference.split_once(':')) {
        Some(("env", variable)) => references.env(variable).ok_or_else(|| {
            format!("the variable {variable} is not set; set it, or leave {name} out")
        })?,
        Some(("secret", secret)) => references
            .secret(secret)
            .map_err(|problem| format!("the secret {secret} is not known: {problem}"))?,
        _ => {
            return Err(format!(
                "a {name} stands in the URL, where logs and process lists show it; set {}, or write ?{name}=${{env:NAME}}",
                variables[0]
            ));
        }
    };
    Ok(Some(Secret(value)))
}

/// The URL with `***` in place of what might be a secret.
fn masked(given: &str) -> String {
    let (before, query) = given.split_once('?').unwrap_or((given, ""));
    let mut shown = match before.split_once("//") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            match rest[..end].rfind('@') {
                Some(at) => {
                    let user = rest[..at].split(':').next().unwrap_or_default();
                    let hidden = if rest[..at].contains(':') { ":***" } else { "" };
                    format!("{scheme}//{user}{hidden}{}", &rest[at..])
                }
                None => before.to_owned(),
            }
        }
        None => before.to_owned(),
    };
    let hidden = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value))
                if [PASSWORD, TOKEN].contains(&name) && !value.starts_with("${") =>
            {
                format!("{name}=***")
            }
            _ => pair.to_owned(),
        });
    let hidden: Vec<_> = hidden.collect();
    if !hidden.is_empty() {
        shown = format!("{shown}?{}", hidden.join("&"));
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sink::{Run, Sink};

    fn none(_: &Target, _: &Run) -> Result<Box<dyn Sink>, TargetError> {
        unreachable!("no test opens it")
    }

    static STORE: Scheme = Scheme {
        names: &["store"],
        tls_names: &["store+https"],
        shown: "store://HOST/DB",
        default_port: Some(80),
        options: &["org"],
        password_env: &["STORE_PASSWORD"],
        token_env: &["STORE_TOKEN"],
        again_is_the_same: true,
        serves: false,
        open: none,
    };
    static FILE: Scheme = Scheme {
        names: &["file"],
        tls_names: &[],
        shown: "file:PATH",
        default_port: None,
        options: &[],
        password_env: &[],
        token_env: &[],
        again_is_the_same: true,
        serves: false,
        open: none,
    };

    struct Known;

    impl References for Known {
        fn env(&self, name: &str) -> Option<String> {
            (name == "KEY").then(|| "k&y".to_owned())
        }
        fn secret(&self, name: &str) -> Result<String, String> {
            match name {
                "db" => Ok("pass".to_owned()),
                _ => Err("look elsewhere".to_owned()),
            }
        }
    }

    fn read(url: &str) -> Result<Target, TargetError> {
        parse(&[&STORE, &FILE], url, &Known)
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target =
            read("store://ann@[::1]:99/a%20b?org=x%26y&token=${env:KEY}&password=${secret:db}")
                .unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.tls),
            ("::1", 99, false)
        );
        assert_eq!(target.authority(), "[::1]:99");
        assert_eq!(target.user.as_deref(), Some("ann"));
        assert_eq!(target.database().as_deref(), Some("a b"));
        assert_eq!(target.option("org"), Some("x&y"));
        assert_eq!(target.credentials.token.as_ref().unwrap().expose(), "k&y");
        assert_eq!(
            target.credentials.password.as_ref().unwrap().expose(),
            "pass"
        );
        let told = format!("{target} {target:?} {:?}", target.credentials);
        assert!(!told.contains("k&y") && !told.contains("pass\""), "{told}");
        let target = read("STORE+https://h/").unwrap();
        assert_eq!(
            (target.port, target.tls, target.database()),
            (80, true, None)
        );
        assert_eq!(
            read("file:a b/c%20.json?testid=7").unwrap().path,
            "a b/c%20.json"
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for (url, part) in [
            ("store://ann:hunter2@h/db", "set STORE_PASSWORD"),
            ("store://h/db?token=hunter2", "set STORE_TOKEN"),
            ("store://h/db?token=${env:NONE}", "NONE is not set"),
            ("store://h/db?token=${secret:none}", "look elsewhere"),
            ("store:h/db", "has no host"),
            ("store:///db", "has no host"),
            ("store://h:port/db", "store://HOST/DB"),
            (
                "store://h/db?orgs=1",
                "it has interval, max_series, testid, org",
            ),
            ("file:x?token=hunter2", "takes no token"),
            (
                "elsewhere://h",
                "there is no export to elsewhere:; write store://HOST/DB, file:PATH",
            ),
            ("nothing", "is not a URL"),
        ] {
            let error = read(url).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
