//! Which keys may become paths, keys of objects and parts of a table's keys: the same for every store.

use crate::{Result, StoreError};

/// S3's limit for a key, in bytes.
const MAX_KEY: usize = 1_024;
/// What file systems allow a name, less room for the suffix of a file that is being written.
const MAX_PART: usize = 200;
/// How many characters of an id have to be given at least.
pub const MIN_PREFIX: usize = 6;

fn bad(key: &str, problem: &'static str) -> StoreError {
    StoreError::BadKey {
        key: key.chars().take(MAX_KEY).collect(),
        problem,
    }
}

/// A key of an object: parts between slashes, each a plain file name.
pub(crate) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(bad(key, "is empty"));
    }
    if key.len() > MAX_KEY {
        return Err(bad(key, "is longer than 1,024 bytes"));
    }
    key.split('/').try_for_each(|part| check_part(key, part))
}

/// The start of keys: whole parts, and the beginning of one more.
pub(crate) fn check_prefix(prefix: &str) -> Result<()> {
    match prefix.strip_suffix('/').unwrap_or(prefix) {
        "" if prefix.is_empty() => Ok(()),
        key => check_key(key),
    }
}

/// Whether something can be the name of a project, a test, a version or an id: a key of one part.
///
/// # Errors
/// [`StoreError::BadKey`].
pub fn check_name(name: &str) -> Result<()> {
    if name.contains('/') {
        Err(bad(name, "has a slash in it"))
    } else if name.contains('#') {
        // It divides the parts of a table's keys.
        Err(bad(name, "has a # in it"))
    } else {
        check_key(name)
    }
}

fn check_part(key: &str, part: &str) -> Result<()> {
    if part.is_empty() {
        return Err(bad(
            key,
            "has an empty part: it starts or ends with a slash, or has two in a row",
        ));
    }
    if part.starts_with('.') {
        let told = match key == part {
            true => "starts with a dot",
            false => "has a part that starts with a dot",
        };
        return Err(bad(key, told));
    }
    if part.len() > MAX_PART {
        return Err(bad(key, "has a part of more than 200 bytes"));
    }
    if part.chars().any(|c| c.is_control() || c == '\\') {
        return Err(bad(key, "has a control character or a backslash in it"));
    }
    Ok(())
}

/// A month as `202611`.
pub(crate) fn check_month(yyyymm: &str) -> Result<()> {
    let digits = yyyymm.len() == 6 && yyyymm.bytes().all(|b| b.is_ascii_digit());
    if digits && ("01"..="12").contains(&&yyyymm[4..]) {
        Ok(())
    } else {
        Err(bad(yyyymm, "is not a valid month, such as 202611"))
    }
}
