//! A zip of one program, the same bytes for the same program: no times, no owners.
//!
//! Layout: APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end),
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>.

use anyhow::{Context, Result};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write as _;

/// 1980-01-01, the first day that a zip can name: day 1, month 1, year 0.
const DATE: u16 = (1 << 5) | 1;
/// Version 2.0 suffices to extract: deflate, no encryption.
const NEEDS: u16 = 20;
/// Made by version 2.0 under Unix, so that the permissions count.
const MADE_BY: u16 = (3 << 8) | NEEDS;
const DEFLATED: u16 = 8;
/// A regular file that everybody may execute.
const MODE: u32 = 0o100_755;

/// The zip.
///
/// # Errors
/// If the program has 4 GiB or more.
pub(crate) fn one_program(name: &str, contents: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents)?;
    let packed = encoder.finish()?;
    let mut crc = Crc::new();
    crc.update(contents);

    let mut common = Vec::new();
    let sizes = [crc.sum(), size(packed.len())?, size(contents.len())?];
    // Needs, flags, method, time, date.
    words(&mut common, &[NEEDS, 0, DEFLATED, 0, DATE]);
    longs(&mut common, &sizes);
    // Lengths of name and extra field.
    words(
        &mut common,
        &[
            u16::try_from(name.len()).context("the name is too long")?,
            0,
        ],
    );

    let mut zip = Vec::with_capacity(packed.len() + 256);
    longs(&mut zip, &[0x0403_4b50]);
    zip.extend(&common);
    zip.extend(name.as_bytes());
    zip.extend(packed);

    let directory = size(zip.len())?;
    longs(&mut zip, &[0x0201_4b50]);
    words(&mut zip, &[MADE_BY]);
    zip.extend(&common);
    // Length of the comment, disk, internal attributes; then external attributes and the place of the local header.
    words(&mut zip, &[0, 0, 0]);
    longs(&mut zip, &[MODE << 16, 0]);
    zip.extend(name.as_bytes());

    let length = size(zip.len())? - directory;
    longs(&mut zip, &[0x0605_4b50]);
    // Disks, entries on this disk and in all.
    words(&mut zip, &[0, 0, 1, 1]);
    longs(&mut zip, &[length, directory]);
    words(&mut zip, &[0]);
    Ok(zip)
}

fn size(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).context("the program has 4 GiB or more")
}

fn words(out: &mut Vec<u8>, values: &[u16]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn longs(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_goes_in_comes_out() {
        let contents: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| (n * n).to_le_bytes())
            .collect();
        let zip = one_program("bootstrap", &contents).unwrap();
        assert_eq!(zip, one_program("bootstrap", &contents).unwrap());
        let packed = u32::from_le_bytes(zip[18..22].try_into().unwrap()) as usize;
        let start = 30 + "bootstrap".len();
        let mut unpacked = Vec::new();
        flate2::read::DeflateDecoder::new(&zip[start..start + packed])
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, contents);
    }

    /// By hand from the sections that are named above.
    #[test]
    fn the_directory_says_what_and_where() {
        let zip = one_program("bootstrap", b"program").unwrap();
        let end = &zip[zip.len() - 22..];
        assert_eq!(&end[..4], b"PK\x05\x06");
        let directory = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
        let length = u32::from_le_bytes(end[12..16].try_into().unwrap()) as usize;
        assert_eq!(directory + length, zip.len() - 22);
        let entry = &zip[directory..];
        assert_eq!(&entry[..4], b"PK\x01\x02");
        assert_eq!(entry[5], 3, "made under Unix");
        assert_eq!(
            u32::from_le_bytes(entry[38..42].try_into().unwrap()) >> 16,
            0o100_755
        );
        assert_eq!(&entry[46..55], b"bootstrap");
        // The CRC-32 of the seven bytes, as `crc32` prints it, stands in both headers.
        assert_eq!(entry[16..20], zip[14..18]);
        assert_eq!(
            u32::from_le_bytes(zip[14..18].try_into().unwrap()),
            0x92ed_7784
        );
    }
}
