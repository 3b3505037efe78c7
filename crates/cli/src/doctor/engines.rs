//! The engines of scripts: none of them is needed for a definition of the native engine.

use floodgate_engines::{Installed, LaunchError, registry};
use floodgate_report::doctor::{Area, Check, State};

/// A program that is looked for.
struct Sought {
    name: &'static str,
    /// What needs it.
    whose: String,
    look: Box<dyn FnOnce() -> Result<Installed, LaunchError> + Send>,
}

/// Looks for each of them, at the same time: a JVM takes a moment to say its version.
pub(super) fn checks() -> Vec<Check> {
    let engines = registry::script_engines().map(|engine| {
        let name = engine.facts().engine.as_str();
        Sought {
            name,
            whose: format!("for scripts of {name}"),
            look: Box::new(|| engine.installed()),
        }
    });
    let java = registry::script_engines()
        .find(|engine| engine.facts().needs_java)
        .map(|engine| Sought {
            name: "java",
            whose: format!("for {}", registry::labels("and", |facts| facts.needs_java)),
            look: Box::new(|| engine.java().unwrap_or_else(|| engine.installed())),
        });
    std::thread::scope(|scope| {
        let looking: Vec<_> = engines
            .chain(java)
            .map(|sought| (sought.name, sought.whose, scope.spawn(sought.look)))
            .collect();
        let checks = looking
            .into_iter()
            .map(|(name, whose, found)| match found.join() {
                Ok(found) => judge(name, &whose, found),
                Err(_) => Check::ok(Area::Here, name, "could not be looked for").but(
                    State::Unknown,
                    "run floodgate doctor again with RUST_BACKTRACE=1",
                ),
            });
        checks.collect()
    })
}

fn judge(name: &str, whose: &str, found: Result<Installed, LaunchError>) -> Check {
    let said = |found: String| Check::ok(Area::Here, name, found);
    match found {
        Ok(found) => said(format!("{} in {}", found.version, found.at.display())),
        Err(LaunchError::NotFound { remedy, .. }) => {
            said(format!("not found, and needed {whose} alone")).but(State::Absent, remedy)
        }
        Err(LaunchError::Version { found, remedy, .. }) => {
            said(format!("{found} is not one that is run here")).but(State::Warning, remedy)
        }
        Err(error) => said(format!("could not be determined: {error}")).but(
            State::Unknown,
            format!("it affects {whose} only; reinstall it"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_missing_is_no_fault() {
        let of = |error| judge("rhino", "for scripts of rhino", Err(error));
        let check = of(LaunchError::NotFound {
            engine: "rhino",
            remedy: "install it".into(),
        });
        assert_eq!(check.state, State::Absent);
        assert_eq!(check.remedy.as_deref(), Some("install it"));
        let old = LaunchError::Version {
            engine: "rhino",
            found: "0.57.0".into(),
            remedy: "rhino 1.x and 2.x are".into(),
        };
        assert_eq!(of(old).state, State::Warning);
        let broken = LaunchError::File {
            path: "/x".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(of(broken).state, State::Unknown);
    }
}
