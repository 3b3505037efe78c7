//! Whether a test sends its load only where its project may, as far as that can be told before names are resolved: each task looks again
//! at every address that it connects to.

use floodgate_core::definition::model::{Definition, HttpOptions, OPEN_TARGET, ProxyChoice, Step};
use floodgate_core::targets::{Forbidden, Targets};
use floodgate_core::template::{Part, Template};
use floodgate_engines::{Confinement, EngineFacts, facts};
use floodgate_records::engine::Engine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the load of a project may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRules {
    /// Hosts, names below a domain, and networks, as [`floodgate_core::targets`] reads them; `None`: anything.
    pub allowed_targets: Option<Vec<String>>,
    /// Engines that may run although they cannot be kept to that list.
    #[serde(default)]
    pub unconfined_engines: Vec<String>,
}

/// Targets that a project may not load, all at once; or a list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(String);

impl TargetRules {
    /// Reads the list.
    ///
    /// # Errors
    /// An entry that is none.
    pub fn read(&self, project: &str) -> Result<Targets, TargetError> {
        let read = Targets::in_cloud(self.allowed_targets.as_deref());
        read.map_err(|error| {
            TargetError(format!("allowed_targets of project {project:?}: {error}"))
        })
    }

    /// Whether a test sends its load only where its project may; gives what the record should say.
    ///
    /// # Errors
    /// All that is certainly not allowed, at once, and an engine that cannot be kept to the list.
    pub fn judge(&self, definition: &Definition) -> Result<Vec<String>, TargetError> {
        let targets = self.read(&definition.project)?;
        let mut faults = BTreeSet::new();
        for (place, host) in hosts(definition) {
            let fault = targets.host(&host).err();
            faults.extend(fault.map(|why| format!("{place}: {why}")));
        }
        faults.extend(ways(&targets, "http", &definition.http));
        for scenario in &definition.scenarios {
            let place = format!("scenarios.{}.http", scenario.name);
            // Most take over those of the definition.
            if scenario.http != definition.http {
                faults.extend(ways(&targets, &place, &scenario.http));
            }
        }
        if !faults.is_empty() {
            let faults: Vec<_> = faults.into_iter().collect();
            return Err(TargetError(faults.join("; ")));
        }
        self.holds(definition.engine, &targets)
    }

    /// Whether the engine can be kept to the list.
    fn holds(&self, engine: Engine, targets: &Targets) -> Result<Vec<String>, TargetError> {
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
        if self.unconfined_engines.iter().any(|own| own == name) {
            return Ok(vec![format!(
                "the engine {name} was not kept to the targets of the project: {why}"
            )]);
        }
        Err(TargetError(format!(
            "engine: {name} cannot be kept to allowed_targets of the project: {why}; use the engine http{remedy}, or let the project run it all the same (unconfined_engines)"
        )))
    }
}

/// What stands between a request and its host.
fn ways(targets: &Targets, place: &str, http: &HttpOptions) -> Vec<String> {
    let told = |key: &str, fault: Forbidden| format!("{place}.{key}: {fault}");
    let hosts = http.hosts.iter();
    let hosts = hosts.filter_map(|own| targets.address(own.address).err());
    let mut faults: Vec<_> = hosts.map(|fault| told("hosts", fault)).collect();
    if let Some(ProxyChoice::Url(url)) = &http.proxy {
        let fault = targets.host(&url.host).err();
        faults.extend(fault.map(|fault| told("proxy", fault)));
    }
    if let Some(path) = &http.unix_socket {
        let fault = targets.elsewhere(&format!("unix socket {path}")).err();
        faults.extend(fault.map(|fault| told("unixSocket", fault)));
    }
    faults
}

/// The hosts that a test certainly sends requests to, and where in the definition they stand.
fn hosts(definition: &Definition) -> BTreeSet<(String, String)> {
    // The host of an open one is known to the tasks alone.
    let targets = [
        ("target", &definition.target),
        ("against", &definition.against),
    ];
    let known = targets.into_iter().filter_map(|(place, url)| {
        let url = url.as_deref().filter(|url| *url != OPEN_TARGET)?;
        Some((place.to_owned(), host_of(url, true)?))
    });
    let mut found: BTreeSet<_> = known.collect();
    for scenario in &definition.scenarios {
        of_steps(
            &format!("scenarios.{}", scenario.name),
            &scenario.flow,
            &mut found,
        );
    }
    of_steps("setup", &definition.setup, &mut found);
    of_steps("teardown", &definition.teardown, &mut found);
    found
}

fn of_steps(place: &str, steps: &[Step], found: &mut BTreeSet<(String, String)>) {
    for step in steps {
        if let Step::Request(request) = step {
            let host = of_template(&request.url);
            found.extend(host.map(|host| (place.to_owned(), host)));
        }
        for steps in step.blocks() {
            of_steps(place, steps, found);
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
