//! Which operations of an OpenAPI document requests are.

use crate::http::{Origin, absolute};
use floodgate_contract::{Contract, Operation};
use floodgate_core::definition::{Definition, RequestStep, Step};
use floodgate_core::template::Part;

/// Stands for what is not known before a request is made. No document will have it in a path of its own.
const FILLED_IN: &str = "floodgate-0";

/// Where the API is that a document describes.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The targets; empty if the definition has none.
    origins: Vec<Origin>,
    /// Their paths.
    bases: Vec<String>,
}

impl Place {
    pub(crate) fn of(definition: &Definition) -> Self {
        let targets = [&definition.target, &definition.against];
        let targets = targets.into_iter().flatten();
        let (origins, bases) = targets
            .filter_map(|target| absolute(None, target).ok())
            .map(|target| (target.origin, target.path_and_query))
            .unzip();
        Self { origins, bases }
    }

    /// Whether a request to this server is one to the API.
    pub(crate) fn has(&self, origin: &Origin) -> bool {
        self.origins.is_empty() || self.origins.contains(origin)
    }

    /// The operation of a request to the API.
    pub(crate) fn find<'c>(
        &self,
        contract: &'c Contract,
        method: &str,
        path_and_query: &str,
    ) -> Option<&'c Operation> {
        let path = path_and_query.split('?').next().unwrap_or_default();
        let bases: Vec<_> = self.bases.iter().map(String::as_str).collect();
        contract.find(method, path, &bases)
    }
}

/// The operations that flows use, as far as their URLs tell, each once.
pub(crate) fn used<'c>(definition: &Definition, contract: &'c Contract) -> Vec<&'c Operation> {
    let (place, mut found) = (Place::of(definition), Vec::<&Operation>::new());
    for scenario in &definition.scenarios {
        let target = scenario.target(definition);
        each_request(&scenario.flow, &mut |step| {
            let url = target_of(step, target);
            let url = url.and_then(|url| absolute(None, &url).ok());
            let Some(url) = url.filter(|url| place.has(&url.origin)) else {
                return;
            };
            let operation = place.find(contract, &step.method, &url.path_and_query);
            if let Some(operation) = operation
                && !found.iter().any(|known| std::ptr::eq(*known, operation))
            {
                found.push(operation);
            }
        });
    }
    found
}

fn each_request(steps: &[Step], see: &mut impl FnMut(&RequestStep)) {
    for step in steps {
        if let Step::Request(request) = step {
            see(request);
        }
        for steps in step.blocks() {
            each_request(steps, see);
        }
    }
}

/// The URL of a step with a word for each value; `None` if values decide about more than its path.
fn target_of(step: &RequestStep, target: Option<&str>) -> Option<String> {
    let mut url = String::new();
    for part in &step.url.parts {
        match part {
            Part::Literal(text) => url.push_str(text),
            Part::Variable(_) if url.is_empty() => return None,
            Part::Variable(_) => url.push_str(FILLED_IN),
        }
    }
    match url.starts_with('/') || url.is_empty() {
        true => Some(format!("{}{url}", target?)),
        false => Some(url),
    }
}
