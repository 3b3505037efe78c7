//! What of a definition could not be run, found before anything starts: contents of data, PEM and body files, URLs, headers. It is
//! the generator's own reading and compiling, so that what passes here is what a task takes.

use crate::clock::Clock;
use crate::flow::{CompiledScenario, FileSource, Files, Native, Place};
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
    let place = Place {
        execution: "",
        task: 0,
    };
    let compiled = (0..definition.scenarios.len()).map(|index| {
        CompiledScenario::compile(definition, index, files, place, |request| {
            Native::wire(&worker, request, None)
        })
    });
    compiled
        .filter_map(|compiled| Some(compiled.err()?.to_string()))
        .collect()
}
