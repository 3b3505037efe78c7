//! What a deployment is told, what of it is remembered, and what Terraform is told in turn. Nothing is looked at here.

use floodgate_core::cost;
use floodgate_records::engine::Engine;
use floodgate_store::aws::call::domain;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The engines that there are.
pub(super) const ENGINES: &[&str] = Engine::WORDS;

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// The stack.
    pub(super) stack: String,
    /// Its home region.
    pub(super) region: String,
    /// Engines that are on offer.
    pub(super) engines: BTreeSet<String>,
    /// Of functions and generators.
    pub(super) architecture: Architecture,
    /// Where Terraform's state lies.
    pub(super) state: State,
    /// The tag of images: this program's version unless another is said, and never that of an earlier deployment.
    #[serde(skip, default = "own_version")]
    pub(super) tag: String,
    /// An emulator in place of AWS, which tells of itself each time.
    #[serde(skip)]
    pub(super) endpoint: Option<String>,
}

/// A processor, as Lambda and Fargate name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Graviton, a fifth cheaper
    Arm64,
    /// The other
    #[value(name = "x86_64")]
    X86_64,
}

/// Where Terraform's state lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Below a folder on this machine.
    Folder(PathBuf),
    /// In a bucket that is there already.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
}

fn own_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl Architecture {
    /// This machine's: what can be built here without more.
    pub(super) const NATIVE: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::X86_64
    };

    const fn of_aws(self) -> cost::Architecture {
        match self {
            Self::Arm64 => cost::Architecture::Arm64,
            Self::X86_64 => cost::Architecture::X86_64,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        self.of_aws().as_str()
    }

    /// As Docker names it.
    pub(super) const fn of_docker(self) -> &'static str {
        self.of_aws().container()
    }
}

impl State {
    /// `s3://BUCKET/KEY`, or a folder.
    ///
    /// # Errors
    /// A sentence about a URL that is none of an object.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            let path =
                std::path::absolute(text).map_err(|error| format!("--state {text}: {error}"))?;
            return Ok(Self::Folder(path));
        };
        match rest.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() && !key.ends_with('/') => {
                Ok(Self::S3 {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                })
            }
            _ => Err(format!(
                "--state {text} names no object; take s3://BUCKET/KEY, such as s3://my-terraform-states/floodgate.tfstate"
            )),
        }
    }

    /// As it is said.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::S3 { bucket, key } => format!("s3://{bucket}/{key}"),
        }
    }
}

impl Settings {
    /// A first deployment that is told nothing more.
    pub(super) fn new(stack: &str, region: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            region: region.to_owned(),
            engines: [Engine::Http.as_str().to_owned()].into(),
            architecture: Architecture::NATIVE,
            state: State::Folder(PathBuf::new()),
            tag: own_version(),
            endpoint: None,
        }
    }

    /// The provider's configuration: of AWS a region and no more, credentials come from where the SDK looks for them.
    pub(super) fn provider(&self) -> Value {
        match &self.endpoint {
            None => json!({"region": self.region}),
            Some(_) => json!({
                "region": self.region,
                "s3_use_path_style": true,
                "skip_credentials_validation": true,
                "skip_metadata_api_check": true,
                // With a number the provider asks for tags of the bucket at {account}.{host}, which no loopback address has.
                "skip_requesting_account_id": true,
            }),
        }
    }

    pub(super) fn s3_backend(&self, bucket: &str, key: &str) -> Value {
        let mut settings = json!({
            "bucket": bucket,
            "key": key,
            "region": self.region,
            "use_lockfile": true,
        });
        if let Some(endpoint) = &self.endpoint {
            for setting in [
                "use_path_style",
                "skip_credentials_validation",
                "skip_metadata_api_check",
                "skip_requesting_account_id",
            ] {
                settings[setting] = json!(true);
            }
            settings["endpoints"] = json!({"s3": endpoint});
        }
        json!({"s3": settings})
    }

    /// The variables of the root module.
    pub(super) fn variables(&self, functions: &Path, force_destroy: bool) -> Value {
        let architecture = self.architecture.name();
        let engine = json!({"architectures": [architecture], "tag": self.tag});
        let engines: BTreeMap<_, _> = self.engines.iter().map(|name| (name, &engine)).collect();
        let mut variables = json!({
            "name": self.stack,
            "functions_package": functions,
            "functions_architecture": architecture,
            "engines": engines,
            "force_destroy": force_destroy,
        });
        if let Some(endpoint) = &self.endpoint {
            variables["emulator_endpoint"] = json!(endpoint);
            variables["alarms"] = Value::Null;
        }
        variables
    }

    /// The repository of an engine's image, without the registry in front.
    pub(super) fn repository(&self, engine: &str) -> String {
        format!("{}/generator-{engine}", self.stack)
    }

    /// The name of an engine's image, as the modules make it.
    pub(super) fn image(&self, account: &str, engine: &str) -> String {
        let domain = domain(&self.region);
        let (region, repository, tag) = (&self.region, self.repository(engine), &self.tag);
        format!("{account}.dkr.ecr.{region}.{domain}/{repository}:{tag}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_a_folder_or_an_object() {
        assert_eq!(State::parse("/x/y"), Ok(State::Folder("/x/y".into())));
        let s3 = State::parse("s3://states/a/b.tfstate").unwrap();
        assert_eq!(s3.shown(), "s3://states/a/b.tfstate");
        for wrong in [
            "s3://",
            "s3://states",
            "s3://states/",
            "s3:///x",
            "s3://a/b/",
        ] {
            assert!(
                State::parse(wrong).unwrap_err().contains("s3://BUCKET/KEY"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn terraform_is_told_no_more_than_it_needs() {
        let mut settings = Settings::new("floodgate", "eu-west-1");
        settings.architecture = Architecture::Arm64;
        let variables = settings.variables(Path::new("/f.zip"), false);
        assert_eq!(
            variables["engines"]["http"]["architectures"],
            json!(["arm64"])
        );
        assert_eq!(variables["force_destroy"], false);
        assert!(variables.get("alarms").is_none() && variables.get("emulator_endpoint").is_none());
        assert_eq!(settings.provider(), json!({"region": "eu-west-1"}));
        settings.endpoint = Some("http://127.0.0.1:1".into());
        assert_eq!(
            settings.variables(Path::new("/f.zip"), false)["alarms"],
            Value::Null
        );
        assert_eq!(settings.provider()["s3_use_path_style"], true);
    }

    #[test]
    fn a_tag_is_not_remembered() {
        let mut settings = Settings::new("floodgate", "eu-west-1");
        settings.tag = "trial".into();
        let again: Settings =
            serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
        assert_eq!(again.tag, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn images_are_named_as_the_modules_name_them() {
        let settings = Settings::new("floodgate", "eu-west-1");
        let name = settings.image("123456789012", "other");
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(
            name,
            format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/floodgate/generator-other:{own}")
        );
    }
}
