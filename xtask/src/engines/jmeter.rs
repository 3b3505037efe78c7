use anyhow::Result;
use std::path::{Path, PathBuf};

pub(super) fn set_up() -> Result<PathBuf, String> {
    Err("not yet".into())
}

pub(super) fn record(_place: &Path) -> Result<()> {
    Ok(())
}
