//! Whether a test sends its load only where its project may, as far as that can be told before names are resolved: each task looks again
//! at every address that it connects to.

use crate::error::{FunctionError, Result};
use crate::stack_config::ProjectRules;
use floodgate_core::definition::model::{Definition, HttpOptions, OPEN_TARGET, ProxyChoice, Step};
use floodgate_core::targets::Targets;
use floodgate_core::template::{Part, Template};
use floodgate_engines::{Confinement, EngineFacts, facts};
use floodgate_records::engine::Engine;
use std::collections::BTreeSet;

/// Checks it; gives what the record should say.
///
/// # Errors
/// All that is certainly not allowed, at once, and an engine that cannot be kept to the list.
pub(super) fn targets(rules: &ProjectRules, definition: &Definition) -> Result<Vec<String>> {
    let listed = rules.allowed_targets.as_deref();
    let targets = Targets::in_cloud(listed).map_err(|error| {
        FunctionError::errored(format!(
            "allowed_targets of project {:?}: {error}",
            definition.project
        ))
    })?;
    let mut faults = BTreeSet::new();
    for host in hosts(definition) {
        faults.extend(targets.host(&host).err().map(|why| why.to_string()));
    }
    let own = definition.scenarios.iter().map(|scenario| &scenario.http);
    for http in own.chain([&definition.http]) {
        faults.extend(ways(&targets, http));
    }
    if !faults.is_empty() {
        let faults: Vec<_> = faults.into_iter().collect();
        return Err(FunctionError::errored(faults.join("; ")));
    }
    holds(rules, definition.engine, &targets)
}

/// Whether the engine can be kept to the list.
fn holds(rules: &ProjectRules, engine: Engine, targets: &Targets) -> Result<Vec<String>> {
    let EngineFacts {
        label, confinement, ..
    } = facts(engine);
    let name = engine.as_str();
    let (why, remedy) = match confinement {
        Confinement::NamesAndAddresses => return Ok(Vec::new()),
        _ if !targets.is_listed() => return Ok(Vec::new()),
        Confinement::Addresses if !targets.names_hosts() => return Ok(Vec::new()),
        Confinement::Addresses => (
            format!("{label} refuses addresses, and cannot tell which names they belong to"),
            ", list networks only",
        ),
        Confinement::Nothing => ("it connects to whatever its script names".to_owned(), ""),
    };
    if rules.unconfined_engines.iter().any(|own| own == name) {
        return Ok(vec![format!(
            "the engine {name} was not kept to the targets of the project: {why}"
        )]);
    }
    Err(FunctionError::errored(format!(
        "the engine {name} cannot be kept to allowed_targets of the project: {why}; use the engine http{remedy}, or let the project run it all the same (unconfined_engines in the Terraform module)"
    )))
}

/// What stands between a request and its host.
fn ways(targets: &Targets, http: &HttpOptions) -> Vec<String> {
    let mut faults = Vec::new();
    for own in &http.hosts {
        faults.extend(targets.address(own.address).err());
    }
    if let Some(ProxyChoice::Url(url)) = &http.proxy {
        faults.extend(targets.host(&url.host).err());
    }
    if let Some(path) = &http.unix_socket {
        faults.extend(targets.elsewhere(&format!("unix socket {path}")).err());
    }
    faults.iter().map(ToString::to_string).collect()
}

/// The hosts that a test certainly sends requests to.
fn hosts(definition: &Definition) -> BTreeSet<String> {
    // The host of an open one is known to the tasks alone.
    let targets = [&definition.target, &definition.against];
    let known = targets.into_iter().filter_map(Option::as_deref);
    let mut found: BTreeSet<_> = known
        .filter(|url| *url != OPEN_TARGET)
        .filter_map(|url| host_of(url, true))
        .collect();
    for scenario in &definition.scenarios {
        of_steps(&scenario.flow, &mut found);
    }
    of_steps(&definition.setup, &mut found);
    of_steps(&definition.teardown, &mut found);
    found
}

fn of_steps(steps: &[Step], found: &mut BTreeSet<String>) {
    for step in steps {
        if let Step::Request(request) = step {
            found.extend(of_template(&request.url));
        }
        for steps in step.blocks() {
            of_steps(steps, found);
        }
    }
}

fn of_template(url: &Template) -> Option<String> {
    match url.parts.as_slice() {
        [Part::Literal(text)] => host_of(text, true),
        [Part::Literal(text), ..] => host_of(text, false),
        _ => None,
    }
}

/// The host at the beginning of a URL; `None` where the text ends before the host certainly does, unless it is the `whole` URL.
fn host_of(text: &str, whole: bool) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let end = rest.find(['/', '\\', '?', '#']);
    let authority = match end {
        Some(end) => &rest[..end],
        None if whole => rest,
        None => return None,
    };
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => place.split(':').next().unwrap_or(place),
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found_where_it_is_certain() {
        let of = |text: &str, whole| host_of(text, whole);
        assert_eq!(
            of("https://Shop.example:8443/a?b", true).unwrap(),
            "shop.example"
        );
        assert_eq!(
            of("http://ann:pw@shop.example", true).unwrap(),
            "shop.example"
        );
        assert_eq!(
            of("http://[fd00:ec2::254]:80/x", true).unwrap(),
            "fd00:ec2::254"
        );
        assert_eq!(
            of("http://shop.example/item/", false).unwrap(),
            "shop.example"
        );
        // What follows may be more of the name.
        assert_eq!(of("http://shop.", false), None);
        assert_eq!(of("/path", true), None);
    }
}
