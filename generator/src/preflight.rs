//! What of a definition could not be run, found before anything starts: contents of data, PEM and body files, URLs, headers. It is
//! the generator's own reading and compiling, so that what passes here is what a task takes.

use crate::clock::Clock;
use crate::flow::{CompiledScenario, FileSource, Files, Given, Native, Place, collect_locals};
use crate::http::{SetupError, TransportOptions, Worker};
use floodgate_core::definition::{Definition, HttpOptions};

/// All faults of a definition of the native engine, a sentence each; its files are read from `base`. Without `resolved`, words
/// stand for some of its references, and only files are looked into: what a word makes of a URL says nothing.
pub fn faults(
    definition: &Definition,
    base: &(impl FileSource + ?Sized),
    resolved: bool,
) -> Vec<String> {
    if definition.engine.runs_scripts() {
        return Vec::new();
    }
    let (files, unreadable) = Files::load_all(definition, base);
    let mut faults: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
    if faults.is_empty() {
        for scenario in &definition.scenarios {
            let fault = transport(&scenario.http, &files).err();
            // Scenarios mostly share their options.
            faults.extend(fault.filter(|fault| !faults.contains(fault)));
        }
    }
    if faults.is_empty() && resolved {
        faults.extend(uncompiled(definition, &files));
    }
    faults
}

/// A worker for these options.
fn transport(http: &HttpOptions, files: &Files) -> Result<(), String> {
    let options = TransportOptions::from(http, |path| {
        let pem = files.pem(path).map(|pem| pem.to_vec());
        pem.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    });
    let made = options.and_then(|options| Worker::new(Clock::start(), &[options]));
    made.map(drop).map_err(|error| said(http, &error))
}

/// A refusal of certificates with the files that they came from.
fn said(http: &HttpOptions, error: &SetupError) -> String {
    let path = |path: &Option<String>| path.clone().unwrap_or_default();
    match error {
        SetupError::Pem { what, reason, .. } => {
            let file = match *what {
                "ca" => path(&http.ca),
                "cert" => path(&http.cert),
                _ => path(&http.key),
            };
            format!("file {file}, given as http.{what}, is not valid PEM: {reason}")
        }
        SetupError::Tls(rustls::Error::InconsistentKeys(_)) => format!(
            "http.cert {} and http.key {} do not belong together; give the key that the certificate was made for",
            path(&http.cert),
            path(&http.key)
        ),
        SetupError::Tls(reason) => {
            let named = [("ca", &http.ca), ("cert", &http.cert), ("key", &http.key)];
            let named = named
                .iter()
                .filter_map(|(key, path)| Some(format!("http.{key} {}", path.as_ref()?)));
            let named: Vec<_> = named.collect();
            format!("{}: {reason}", named.join(", "))
        }
        other => other.to_string(),
    }
}

fn uncompiled(definition: &Definition, files: &Files) -> Vec<String> {
    let Ok(worker) = Worker::new(Clock::start(), &[]) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    collect_locals(&definition.setup, &mut names);
    // What setup gives is not known yet; a word stands for it.
    let given: Given = names
        .into_iter()
        .map(|name| (name, "x".to_owned()))
        .collect();
    let fault = |definition: &Definition, index: usize, given: &Given| {
        let place = Place {
            execution: "",
            task: 0,
            given,
        };
        let wire = |request: &_| Native::wire(&worker, request, None);
        let compiled = CompiledScenario::compile(definition, index, files, place, wire);
        compiled.err().map(|error| error.to_string())
    };
    let setup = definition.once("setup", &definition.setup);
    let teardown = definition.once("teardown", &definition.teardown);
    let once = [fault(&setup, 0, &Given::new()), fault(&teardown, 0, &given)];
    let load = (0..definition.scenarios.len()).map(|index| fault(definition, index, &given));
    once.into_iter().chain(load).flatten().collect()
}
