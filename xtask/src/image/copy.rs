//! Files and folders of an image.

use anyhow::{Context as _, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Copies a file, with these permissions.
pub(super) fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Makes a folder and those above it, for everybody to read.
pub(super) fn folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path)?;
    for above in path
        .ancestors()
        .take_while(|above| !above.ends_with("rootfs"))
    {
        fs::set_permissions(above, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Copies a file or a folder; links are followed, since what they lead to is not in the image. A link to nowhere is left out.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let Ok(about) = fs::metadata(from) else {
        return Ok(());
    };
    if !about.is_dir() {
        folder(to.parent().unwrap_or(to))?;
        let runs = about.permissions().mode() & 0o111 != 0;
        return copy(from, to, if runs { 0o755 } else { 0o644 });
    }
    folder(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("read {}", from.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        copy_tree(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}
