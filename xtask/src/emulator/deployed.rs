//! A stack as a user brings it into an account: `floodgate deploy`, and `floodgate destroy` at its end.

use super::rendering;
use crate::{repo, terraform};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Projects of the tests and of the demo, each with a state machine of its own.
const PROJECTS: [&str; 3] = ["*", "shop", "demo"];

/// The emulator's.
const ACCOUNT: &str = "000000000000";

/// Where Terraform keeps what it knows of the stack, as several people would share it: bucket and key.
const STATES: &str = "floodgate-states";
const STATE: &str = "team/floodgate.tfstate";

/// A stack by `floodgate deploy`.
pub(crate) struct ByCommand {
    folder: PathBuf,
    endpoint: String,
    region: &'static str,
    package: PathBuf,
    image: String,
    /// Python with boto3, for the bucket of the state.
    python: PathBuf,
    /// Terraform's configuration, if the provider of the cache is to be used.
    configuration: Option<PathBuf>,
}

impl ByCommand {
    /// Deploys it onto an emulator; its state lies in a bucket there, and everything else that it keeps in `folder`.
    ///
    /// # Errors
    /// If there is no Terraform or no provider, or if it does not come up.
    pub(super) fn deploy(
        folder: &Path,
        endpoint: String,
        region: &'static str,
        (package, image): (&Path, &str),
        python: &Path,
    ) -> Result<Self> {
        let stack = Self {
            folder: folder.to_owned(),
            endpoint,
            region,
            package: package.to_owned(),
            image: image.to_owned(),
            python: python.to_owned(),
            configuration: terraform::configuration()?,
        };
        let place = "CreateBucketConfiguration={'LocationConstraint': region}";
        stack.s3(&format!("s3.create_bucket(Bucket={STATES:?}, {place})"))?;
        let projects = PROJECTS.map(|project| (project.to_owned(), json!({})));
        let projects: serde_json::Map<String, Value> = projects.into_iter().collect();
        fs::write(stack.variables(), json!({"projects": projects}).to_string())?;
        stack.finish("deploy", &stack.arguments())?;
        Ok(stack)
    }

    /// Where commands with `--cloud` find the stack: the folder of executions.
    pub(super) fn out(&self) -> PathBuf {
        self.folder.join("executions")
    }

    /// What `--cloud` reads.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn connection(&self) -> Result<Value> {
        let file = self.out().join("cloud.json");
        let text = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("read {}", file.display()))
    }

    /// Whether the same again has nothing left to do, and neither has doctor anything to complain of.
    ///
    /// # Errors
    /// If it has, with what they say.
    pub(super) fn is_settled(&self) -> Result<()> {
        let mut again = self.arguments();
        again.push("--dry-run".into());
        let said = self.finish("deploy", &again)?;
        for sentence in ["nothing to change", "is there", "this was a dry run"] {
            ensure!(
                said.contains(sentence),
                "a dry run after the deployment does not say {sentence:?}: {said}"
            );
        }
        self.is_as_rendered()?;
        self.doctor()
    }

    /// Whether Terraform applied the very policies that the gateway renders for stacks without Terraform.
    fn is_as_rendered(&self) -> Result<()> {
        let stacks = self.folder.join("floodgate/stacks");
        let name = format!("{ACCOUNT}-{}-floodgate", self.region);
        let state = self.s3(&format!(
            "print(s3.get_object(Bucket={STATES:?}, Key={STATE:?})['Body'].read().decode())"
        ))?;
        let applied = rendering::applied(&serde_json::from_str(&state).context("the state")?)?;
        let inputs = rendering::inputs(&stacks.join(&name).join("terraform"))?;
        let program = repo::target_dir()?.join("debug/floodgate-gateway");
        let output = Command::new(&program)
            .args(["render", "--inputs", &inputs.to_string()])
            .args(["--account", ACCOUNT, "--region", self.region])
            .output()
            .with_context(|| format!("run {}", program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "floodgate-gateway render: {said}");
        let rendered = rendering::rendered(&serde_json::from_slice(&output.stdout)?);
        rendering::agree(&applied, &rendered)
    }

    /// What there is to say of the stack itself; quotas and permissions are the emulator's own.
    fn doctor(&self) -> Result<()> {
        let found = self.run("doctor", &["--cloud".into(), "--json".into()])?;
        let found: Value =
            serde_json::from_slice(&found.stdout).context("what floodgate doctor prints")?;
        let state = |name: &str| {
            let checks = found["checks"].as_array().into_iter().flatten();
            let mut checks = checks.filter(|check| check["check"] == name);
            checks.next().map(|check| check["state"].clone())
        };
        for name in [
            "credentials",
            "region",
            "connection",
            "stack",
            "image of http",
        ] {
            ensure!(
                state(name) == Some("ok".into()),
                "doctor does not find {name} well: {found:#}"
            );
        }
        Ok(())
    }

    /// Takes it away: first all but the results, then those too. What is gone is not known any more.
    ///
    /// # Errors
    /// What cannot be destroyed, and what is left.
    pub(super) fn destroy(self) -> Result<()> {
        let said = self.finish("destroy", &self.state(&["--yes"]))?;
        ensure!(
            said.contains("stays: bucket") || said.contains("stays bucket"),
            "destroy does not say what stays: {said}"
        );
        let kept = self.finish("destroy", &self.state(&["--dry-run"]))?;
        ensure!(
            kept.contains("goes 0 resources"),
            "more than results are left: {kept}"
        );
        self.finish("destroy", &self.state(&["--yes", "--delete-results"]))?;
        let gone = self.run("destroy", &self.state(&["--yes"]))?;
        let said = String::from_utf8_lossy(&gone.stderr);
        ensure!(
            gone.status.code() == Some(104),
            "a stack that is gone is destroyed again: {said}"
        );
        Ok(())
    }

    /// Does something with S3 as the administrator, in Python: what it prints.
    fn s3(&self, statement: &str) -> Result<String> {
        let program = format!(
            "import boto3, sys\nendpoint, region = sys.argv[1:]\ns3 = boto3.client('s3', endpoint_url=endpoint, region_name=region, \
             aws_access_key_id='test', aws_secret_access_key='test')\n{statement}\n"
        );
        let output = Command::new(&self.python)
            .args(["-c", &program, &self.endpoint, self.region])
            .output()
            .with_context(|| format!("run {}", self.python.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{statement}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn variables(&self) -> PathBuf {
        self.folder.join("projects.tfvars.json")
    }

    fn arguments(&self) -> Vec<String> {
        let shown = |path: &Path| path.display().to_string();
        self.state(&[
            "--functions",
            &shown(&self.package),
            "--image",
            &format!("http={}", self.image),
            "--var-file",
            &shown(&self.variables()),
        ])
    }

    fn state(&self, more: &[&str]) -> Vec<String> {
        let state = format!("s3://{STATES}/{STATE}");
        let words = ["--region", self.region, "--state", &state];
        words
            .iter()
            .chain(more)
            .map(|word| (*word).to_owned())
            .collect()
    }

    /// Runs a command that has to succeed; what it says on the way.
    fn finish(&self, verb: &str, arguments: &[String]) -> Result<String> {
        let output = self.run(verb, arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.success(),
            "floodgate {verb}: {}\n{said}",
            output.status
        );
        Ok(said)
    }

    fn run(&self, verb: &str, arguments: &[String]) -> Result<Output> {
        let program = repo::target_dir()?.join("debug/floodgate");
        let mut command = Command::new(&program);
        command
            .arg(verb)
            .args(arguments)
            .env("FLOODGATE_OUT", self.out())
            // Modules and settings; the state is not among them.
            .env("XDG_DATA_HOME", &self.folder)
            .env_remove("FLOODGATE_STACK")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .current_dir(&self.folder);
        if let Some(file) = &self.configuration {
            command.env("TF_CLI_CONFIG_FILE", file);
        }
        command
            .output()
            .with_context(|| format!("run {}", program.display()))
    }
}
