//! A file that is read row group by row group: the merged series of a long run need not fit into memory at once.

use super::decode::{check_layout, pair, read_group};
use super::schema::LEAVES;
use super::seal::check_sum;
use super::{Row, ShardError, ShardMeta};
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The row groups of a file, in order. A group is as large as a file of [`super::decode`] may be; how many there are has no bound.
pub struct RowGroups {
    file: SerializedFileReader<Bytes>,
    meta: ShardMeta,
    next: usize,
}

impl RowGroups {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ShardError`] for anything that [`super::encode`] has not written as it is, as far as that shows before a row is read.
    pub fn open(bytes: Bytes) -> Result<Self, ShardError> {
        check_sum(&bytes)?;
        // As in `decode`: the checksum keeps damage out, not malice.
        catch_unwind(|| Self::open_checked(bytes)).unwrap_or(Err(ShardError::Contradiction))
    }

    fn open_checked(bytes: Bytes) -> Result<Self, ShardError> {
        let length = bytes.len() as u64;
        let file = SerializedFileReader::new(bytes)?;
        let meta = ShardMeta::parse(|key| pair(file.metadata(), key))?;
        for extent in check_layout(&LEAVES, file.metadata(), length)? {
            extent.check()?;
        }
        Ok(Self {
            file,
            meta,
            next: 0,
        })
    }

    /// What the file covers.
    pub fn meta(&self) -> &ShardMeta {
        &self.meta
    }

    /// Replaces `rows` by those of the next group; `false` past the last one.
    ///
    /// # Errors
    /// [`ShardError`] for rows that are not sound.
    pub fn read(&mut self, rows: &mut Vec<Row>) -> Result<bool, ShardError> {
        rows.clear();
        if self.next >= self.file.num_row_groups() {
            return Ok(false);
        }
        let read = AssertUnwindSafe(|| {
            let group = self.file.get_row_group(self.next)?;
            read_group(group.as_ref(), rows)
        });
        catch_unwind(read).unwrap_or(Err(ShardError::Contradiction))?;
        self.next += 1;
        Ok(true)
    }
}
