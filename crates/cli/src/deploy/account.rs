//! The account and the region that a stack is in, and where what is known of it lies.

use super::connection;
use super::folder::Folder;
use super::settings::{Settings, State};
use crate::args::StackArgs;
use crate::cloud::{self, CONNECTION, Caller};
use crate::error::{CliError, Result};
use aws_config::SdkConfig;
use std::path::{Path, PathBuf};

/// The name of a stack that nobody named: the module's default.
const STACK: &str = "floodgate";

/// An account that answers.
pub(super) struct Account {
    pub(super) config: SdkConfig,
    pub(super) caller: Caller,
    pub(super) stack: String,
    pub(super) region: String,
    /// An emulator in place of AWS.
    pub(super) endpoint: Option<String>,
    pub(super) folder: Folder,
    pub(super) state: State,
}

impl Account {
    /// Asks AWS who is calling, and finds the folder of the stack.
    ///
    /// # Errors
    /// Missing credentials or region, with the remedy.
    pub(super) async fn find(args: &StackArgs, out: &Path) -> Result<Self> {
        let file = out.join(CONNECTION);
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        let about = connection::about(&known).filter(|(stack, region)| {
            let same = |said: &Option<String>, found: &str| {
                said.as_deref().is_none_or(|said| said == found)
            };
            same(&args.stack, stack) && same(&args.region, region)
        });
        let stack = args
            .stack
            .clone()
            .or(about.as_ref().map(|(stack, _)| stack.clone()));
        let stack = stack.unwrap_or_else(|| STACK.to_owned());
        let region = args
            .region
            .clone()
            .or(about.as_ref().map(|(_, region)| region.clone()));
        let config = cloud::config(region.as_deref()).await;
        let region = cloud::region(&config)?;
        let caller = cloud::caller(&config).await?;
        let state = match &args.state {
            Some(said) => State::parse(said).map_err(CliError::usage)?,
            None => match about.and_then(|_| connection::state(&known)) {
                Some(before) => State::parse(&before).map_err(CliError::usage)?,
                None => State::Folder(stacks()?),
            },
        };
        let base = match &state {
            State::Folder(base) => base.clone(),
            State::S3 { .. } => stacks()?,
        };
        let endpoint = config
            .endpoint_url()
            .map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            folder: Folder::of(&base, &caller.account, &region, &stack),
            endpoint,
            config,
            caller,
            stack,
            region,
            state,
        })
    }

    /// What was said of the stack before, brought to this account and emulator.
    ///
    /// # Errors
    /// A file of an earlier deployment that cannot be read.
    pub(super) fn settings(&self) -> Result<(Settings, bool)> {
        let before = self.folder.settings()?;
        let known = before.is_some();
        let settings = before.unwrap_or_else(|| Settings::new(&self.stack, &self.region));
        let settings = Settings {
            state: self.state.clone(),
            endpoint: self.endpoint.clone(),
            ..settings
        };
        Ok((settings, known))
    }

    /// In a few words.
    pub(super) fn shown(&self) -> String {
        let emulator = self
            .endpoint
            .as_deref()
            .map(|url| format!(", played by {url}"));
        format!(
            "{} in {}{}, as {}",
            self.caller.account,
            self.region,
            emulator.unwrap_or_default(),
            self.caller.arn
        )
    }
}

/// Where stacks are kept that nobody gave another place (<https://specifications.freedesktop.org/basedir-spec/latest/>).
fn stacks() -> Result<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let data = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(variable("HOME")?.join(".local/share")));
    let data = data.ok_or_else(|| {
        CliError::usage(
            "there is neither XDG_DATA_HOME nor HOME to keep Terraform's state in: pass --state DIR",
        )
    })?;
    Ok(data.join("floodgate/stacks"))
}
