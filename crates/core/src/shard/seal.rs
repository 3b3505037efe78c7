//! Files that say of themselves whether they are whole: a checksum over data and footer stands in the footer.

use super::ShardError;
use super::meta::CHECKSUM;
use floodgate_records::printable::hex;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::TypePtr;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::sync::Arc;

/// What stands in place of the checksum while it is computed.
const PLACEHOLDER: &str = "0000000000000000";
/// Magic number and length at the end of a Parquet file.
const TAIL: usize = 8;

/// A row group of a [`SealedWriter`].
pub(crate) type Group<'a, W> = SerializedRowGroupWriter<'a, Hashed<W>>;

/// Writes a Parquet file with its checksum.
#[derive(Debug)]
pub(crate) struct SealedWriter<W: Write + Send>(SerializedFileWriter<Hashed<W>>);

/// Hashes what passes through, and keeps the footer back until its checksum stands in it.
#[derive(Debug)]
pub(crate) struct Hashed<W> {
    out: W,
    hash: Sha256,
    footer: Option<Vec<u8>>,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        if let Some(footer) = &mut self.footer {
            footer.extend_from_slice(buf);
            return Ok(buf.len());
        }
        let n = self.out.write(buf)?;
        self.hash.update(&buf[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write + Send> SealedWriter<W> {
    pub(crate) fn new(
        out: W,
        schema: &TypePtr,
        properties: WriterProperties,
    ) -> Result<Self, ShardError> {
        let out = Hashed {
            out,
            hash: Sha256::new(),
            footer: None,
        };
        let file = SerializedFileWriter::new(out, schema.clone(), Arc::new(properties))?;
        Ok(Self(file))
    }

    pub(crate) fn next_row_group(&mut self) -> Result<Group<'_, W>, ShardError> {
        Ok(self.0.next_row_group()?)
    }

    /// Ends the file with these pairs of its footer and gives back what was written to.
    pub(crate) fn finish(
        mut self,
        pairs: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<W, ShardError> {
        for (key, value) in pairs
            .into_iter()
            .chain([(CHECKSUM, PLACEHOLDER.to_owned())])
        {
            self.0
                .append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        self.0.flush().map_err(ParquetError::from)?;
        self.0.inner_mut().footer = Some(Vec::new());
        let Hashed {
            mut out,
            hash,
            footer,
        } = self.0.into_inner()?;
        let mut footer = footer.unwrap_or_default();
        let sum = checksum(hash.chain_update(&footer));
        if let Some(place) = checksum_place(&footer) {
            footer[place].copy_from_slice(sum.as_bytes());
        }
        out.write_all(&footer)
            .and_then(|()| out.flush())
            .map_err(ParquetError::from)?;
        Ok(out)
    }
}

/// 64 bits of SHA-256 in hex. It covers the whole file with [`PLACEHOLDER`] in its own place: the library is robust against
/// damaged pages, not against damaged footers, and a file must be trusted without a manifest when its task was killed.
fn checksum(hash: Sha256) -> String {
    hex(&hash.finalize()[..PLACEHOLDER.len() / 2])
}

/// Where the checksum stands in a footer: after its key, and the header and length of a Thrift string.
fn checksum_place(footer: &[u8]) -> Option<std::ops::Range<usize>> {
    let key = footer
        .windows(CHECKSUM.len())
        .rposition(|window| window == CHECKSUM.as_bytes())?;
    let start = key + CHECKSUM.len() + 2;
    let place = start..start + PLACEHOLDER.len();
    (place.end <= footer.len()).then_some(place)
}

/// Compares the file with its checksum, before anything else in it is believed.
pub(crate) fn check_sum(bytes: &[u8]) -> Result<(), ShardError> {
    let tail = bytes
        .last_chunk::<TAIL>()
        .filter(|tail| tail[4..] == *b"PAR1");
    let length = tail.map(|t| u32::from_le_bytes([t[0], t[1], t[2], t[3]]) as usize);
    let footer = length.and_then(|length| bytes.len().checked_sub(length + TAIL));
    let Some(footer) = footer else {
        return Err(ShardError::Truncated { bytes: bytes.len() });
    };
    let place = checksum_place(&bytes[footer..]).ok_or_else(|| ShardError::Meta {
        key: CHECKSUM,
        problem: "missing: not a Floodgate shard".into(),
    })?;
    let place = footer + place.start..footer + place.end;
    let stated = String::from_utf8_lossy(&bytes[place.clone()]).into_owned();
    let hash = Sha256::new_with_prefix(&bytes[..place.start]);
    let found = checksum(
        hash.chain_update(PLACEHOLDER)
            .chain_update(&bytes[place.end..]),
    );
    if found == stated {
        Ok(())
    } else {
        Err(ShardError::Checksum { found, stated })
    }
}
