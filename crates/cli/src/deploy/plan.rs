//! The steps of a deployment, from what was found. Nothing is looked at here.

use super::artefacts::{ImageSource, Package};
use super::settings::Settings;
use std::path::PathBuf;

/// What was found before anything is done.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Where the functions come from.
    pub(super) package: Package,
    /// Of each engine.
    pub(super) images: Vec<ImageFacts>,
    /// Terraform's folder.
    pub(super) folder: PathBuf,
    /// The file that `--cloud` reads.
    pub(super) connection: PathBuf,
}

/// An engine's image.
#[derive(Clone, Debug)]
pub(super) struct ImageFacts {
    pub(super) engine: String,
    /// As tasks pull it.
    pub(super) name: String,
    /// Where it comes from; `None` if it is in its repository already.
    pub(super) source: Option<ImageSource>,
}

/// One step. Each can be taken again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The functions' zip comes into Terraform's folder.
    Functions(Package),
    /// Modules and variables are written, Terraform plans and applies.
    Stack,
    /// An image comes into its repository.
    Image {
        engine: String,
        name: String,
        source: ImageSource,
    },
    /// An image that is there.
    HasImage { engine: String, name: String },
    /// The connection file.
    Connection,
}

/// All steps, in their order: repositories are there before images, and the file that lets runs be started comes last.
pub(super) fn steps(facts: &Facts) -> Vec<Step> {
    let first = [Step::Functions(facts.package.clone()), Step::Stack];
    let images = facts.images.iter().map(|image| {
        let (engine, name) = (image.engine.clone(), image.name.clone());
        match &image.source {
            None => Step::HasImage { engine, name },
            Some(source) => Step::Image {
                engine,
                name,
                source: source.clone(),
            },
        }
    });
    first
        .into_iter()
        .chain(images)
        .chain([Step::Connection])
        .collect()
}

/// Whether Docker is needed.
pub(super) fn needs_docker(facts: &Facts) -> bool {
    facts.images.iter().any(|image| image.source.is_some())
}

impl Step {
    /// The step's name, and what it does.
    pub(super) fn shown(&self, facts: &Facts, settings: &Settings) -> (String, String) {
        let (name, does) = match self {
            Self::Functions(package) => ("functions", package.shown(settings)),
            Self::Stack => (
                "stack",
                format!(
                    "apply Terraform in {}, state in {}",
                    facts.folder.display(),
                    settings.state.shown()
                ),
            ),
            Self::Image {
                engine,
                name,
                source,
            } => {
                return (
                    format!("image of {engine}"),
                    format!("{}, push it as {name}", source.shown()),
                );
            }
            Self::HasImage { engine, name } => {
                return (format!("image of {engine}"), format!("{name} is there"));
            }
            Self::Connection => (
                "connection",
                format!("write {}", facts.connection.display()),
            ),
        };
        (name.to_owned(), does)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let image = |engine: &str, source| ImageFacts {
            engine: engine.to_owned(),
            name: format!("registry/{engine}:1"),
            source,
        };
        Facts {
            package: Package::Build("/clone".into()),
            images: vec![
                image("http", None),
                image(
                    "other",
                    Some(ImageSource::Archive("/x/generator-other.tar".into())),
                ),
            ],
            folder: "/state/1-eu-west-1-floodgate".into(),
            connection: ".floodgate/cloud.json".into(),
        }
    }

    #[test]
    fn the_steps_are_told_in_their_order() {
        let (facts, settings) = (facts(), Settings::new("floodgate", "eu-west-1"));
        let said = steps(&facts);
        let said = said.iter().map(|step| step.shown(&facts, &settings));
        let said: Vec<_> = said.map(|(name, does)| format!("{name}: {does}")).collect();
        assert!(
            said[0].starts_with("functions: build them with cargo xtask package"),
            "{said:?}"
        );
        assert!(
            said[1].starts_with("stack: apply Terraform in /state"),
            "{said:?}"
        );
        assert_eq!(said[2], "image of http: registry/http:1 is there");
        assert_eq!(
            said[3],
            "image of other: load /x/generator-other.tar, push it as registry/other:1"
        );
        assert_eq!(said[4], "connection: write .floodgate/cloud.json");
    }

    #[test]
    fn docker_is_needed_where_an_image_is_missing() {
        let mut facts = facts();
        assert!(needs_docker(&facts));
        facts.images.pop();
        assert!(!needs_docker(&facts));
    }
}
