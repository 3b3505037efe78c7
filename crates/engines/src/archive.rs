//! Archives of scripts: the same bytes for the same files, so that the version of a test is stable.

use std::io;
use std::path::Path;

/// Appends a file that everybody may read, without a time.
///
/// # Errors
/// A path that the format cannot hold.
pub(crate) fn append(
    writer: &mut tar::Builder<Vec<u8>>,
    path: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    writer.append_data(&mut header, path, bytes)
}
