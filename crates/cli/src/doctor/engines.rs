//! The engines of scripts: none of them is needed for a definition of the native engine.

use floodgate_engines::LaunchError;
use floodgate_engines::installed::{self, Installed};
use floodgate_report::doctor::{Area, Check, State};

type Look = fn() -> Result<Installed, LaunchError>;

/// Looks for each of them, at the same time: a JVM takes a moment to say its version.
pub(super) fn checks() -> Vec<Check> {
    const ENGINES: [(&str, Look); 4] = [
        ("k6", installed::k6),
        ("jmeter", installed::jmeter),
        ("gatling", installed::gatling),
        ("java", installed::java),
    ];
    std::thread::scope(|scope| {
        let looking = ENGINES.map(|(name, look)| (name, scope.spawn(look)));
        let checks = looking.map(|(name, found)| match found.join() {
            Ok(found) => judge(name, found),
            Err(_) => Check::ok(Area::Here, name, "could not be looked for").but(
                State::Unknown,
                "run floodgate doctor again with RUST_BACKTRACE=1",
            ),
        });
        checks.into()
    })
}

fn judge(name: &str, found: Result<Installed, LaunchError>) -> Check {
    let said = |found: String| Check::ok(Area::Here, name, found);
    let whose = match name {
        "java" => "for JMeter and Gatling".to_owned(),
        name => format!("for scripts of {name}"),
    };
    match found {
        Ok(found) => said(format!("{} in {}", found.version, found.at.display())),
        Err(LaunchError::NotFound { remedy, .. }) => {
            said(format!("not found, and needed {whose} alone")).but(State::Absent, remedy)
        }
        Err(LaunchError::Version { found, remedy, .. }) => {
            said(format!("{found} is not one that is run here")).but(State::Warning, remedy)
        }
        Err(error) => said(format!("cannot be told: {error}")).but(
            State::Unknown,
            format!("it matters {whose} alone; install it anew"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_missing_is_no_fault() {
        let missing = LaunchError::NotFound {
            engine: "k6",
            remedy: "install it".into(),
        };
        let check = judge("k6", Err(missing));
        assert_eq!(check.state, State::Absent);
        assert_eq!(check.remedy.as_deref(), Some("install it"));
        let old = LaunchError::Version {
            engine: "k6",
            found: "0.57.0".into(),
            remedy: "k6 1.x and 2.x are".into(),
        };
        assert_eq!(judge("k6", Err(old)).state, State::Warning);
        let broken = LaunchError::File {
            path: "/x".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(judge("k6", Err(broken)).state, State::Unknown);
    }
}
