//! Decoding of rows into records, and the checksum.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, SessionHead, StoreErrorKind, StoreKey, Written},
};
use sha2::{Digest, Sha256};
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::failure::Failure;

/// The row format that this version writes. A row with a higher format is not changed; a row with format 1 has no
/// checksum.
pub(crate) const FORMAT: i32 = 2;

/// The row format as text for statements.
pub(crate) const FORMAT_WRITTEN: &str = "2";

/// The schema version that this version of the library creates.
pub(crate) const SCHEMA_VERSION: i32 = 2;

/// Access to the cells of a row of any database.
pub trait Cells {
    /// Returns a 32-bit integer.
    fn small(&self, column: usize) -> Result<Option<i32>, sqlx::Error>;
    /// Returns a 64-bit integer.
    fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error>;
    /// Returns bytes, or the bytes of a string.
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

impl<R> Cells for R
where
    R: Row,
    usize: ColumnIndex<R>,
    i32: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    fn small(&self, column: usize) -> Result<Option<i32>, sqlx::Error> {
        self.try_get(column)
    }

    fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        self.try_get(column)
    }
}

/// Decodes a row selected as `{columns}`. A row without a payload is a tombstone, whose end is the idle deadline.
pub(crate) fn read(row: &impl Cells) -> Result<Loaded, Failure> {
    let format = present(row.small(1)?)?;
    if format > FORMAT {
        return Err(Failure::Found(StoreErrorKind::Newer));
    }
    let idle_deadline = Timestamp::from_millis(present(row.int(4)?)?);
    let Some(payload) = row.bytes(7)? else {
        return Ok(Loaded::Ended { until: idle_deadline });
    };
    let owner = row.bytes(6)?.map(|name| String::from_utf8(name).map_err(|_| CORRUPT)).transpose()?;
    let record = Record::new(
        read_etag(row)?,
        Timestamp::from_millis(present(row.int(3)?)?),
        idle_deadline,
        payload.into(),
    )
    .with_absolute_deadline(row.int(5)?.map(Timestamp::from_millis))
    .with_owner(owner.map(Into::into));
    if format > 1 && row.int(8)? != Some(checksum(&read_key(row)?, &record)) {
        return Err(CORRUPT);
    }
    Ok(Loaded::Found(record))
}

/// Decodes a row selected for its head. Its checksum covers the payload as well, so it is not verified.
pub(crate) fn read_head(row: &impl Cells) -> Result<SessionHead, Failure> {
    if present(row.small(1)?)? > FORMAT {
        return Err(Failure::Found(StoreErrorKind::Newer));
    }
    let time =
        |column| -> Result<Timestamp, Failure> { Ok(Timestamp::from_millis(present(row.int(column)?)?)) };
    let record = Record::new(read_etag(row)?, time(3)?, time(4)?, Payload::default())
        .with_absolute_deadline(row.int(5)?.map(Timestamp::from_millis));
    Ok(SessionHead::of(read_key(row)?, &record))
}

/// Returns the store key of a row selected as `{columns}`.
pub(crate) fn read_key(row: &impl Cells) -> Result<StoreKey, Failure> {
    let key = <[u8; 32]>::try_from(row.bytes(0)?.unwrap_or_default()).map_err(|_| CORRUPT)?;
    Ok(StoreKey::from_bytes(key))
}

/// Returns the etag of a row selected as `{columns}`, without decoding the rest.
pub(crate) fn read_etag(row: &impl Cells) -> Result<Etag, Failure> {
    Ok(Etag::new(present(row.int(2)?)?.cast_unsigned()))
}

/// Returns the number that a statement returned.
pub(crate) fn read_number(row: &impl Cells) -> Result<usize, Failure> {
    Ok(usize::try_from(row.int(0)?.unwrap_or(0)).unwrap_or(0))
}

/// The rows selected by `trail`: those under some store keys, and those to which their tombstones lead.
pub(crate) struct Trail<'r, R>(pub(crate) &'r [R]);

impl<R: Cells> Trail<'_, R> {
    /// Decodes what is under a store key.
    pub(crate) fn at(&self, key: &StoreKey) -> Result<Loaded, Failure> {
        self.row(key)?.map_or(Ok(Loaded::Missing), read)
    }

    /// Follows the tombstones of rotations to the record that the session is now. Returns `None` if there is none that
    /// can be decoded, or none that is live at `now`.
    pub(crate) fn moved(&self, from: &StoreKey, now: Option<Timestamp>) -> Result<Option<Written>, Failure> {
        let mut here = self.row(from)?;
        for _ in self.0 {
            let Some(key) = here.map(read_successor).transpose()?.flatten() else { break };
            here = self.row(&key)?;
            if let Some(Ok(Loaded::Found(record))) = here.map(read) {
                let is_there = now.is_none_or(|now| record.is_live(now));
                return Ok(is_there.then_some(Written::Moved { key, record }));
            }
        }
        Ok(None)
    }

    fn row(&self, key: &StoreKey) -> Result<Option<&R>, Failure> {
        for row in self.0 {
            if read_key(row)? == *key {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

/// Returns the store key to which a rotation has moved the session, of a row selected by `trail`.
fn read_successor(row: &impl Cells) -> Result<Option<StoreKey>, Failure> {
    let key = row.bytes(9)?.map(|key| <[u8; 32]>::try_from(key).map_err(|_| CORRUPT)).transpose()?;
    Ok(key.map(StoreKey::from_bytes))
}

/// Decodes the sessions of an owner. A row that cannot be decoded is an error: a session missing from the list could
/// not be ended.
pub(crate) fn read_list(rows: &[impl Cells]) -> Result<Vec<(StoreKey, Record)>, Failure> {
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        if let Loaded::Found(record) = read(row)? {
            list.push((read_key(row)?, record));
        }
    }
    Ok(list)
}

/// Returns the value of a column that is never null, unless the row was changed by other means.
fn present<T>(cell: Option<T>) -> Result<T, Failure> {
    cell.ok_or(CORRUPT)
}

const CORRUPT: Failure = Failure::Found(StoreErrorKind::Corrupt);

/// Computes the checksum: 64 bits of SHA-256 over the store key and the record except its idle deadline, which a
/// touch changes without reading the rest.
///
/// SHA-256 instead of a CRC, because it is a dependency already and takes less time than the round trip.
pub(crate) fn checksum(key: &StoreKey, record: &Record) -> i64 {
    let owner = record.owner.as_deref();
    let mut sum = Sha256::new();
    sum.update(key.as_bytes());
    sum.update(record.etag.get().to_be_bytes());
    sum.update(record.created.as_millis().to_be_bytes());
    sum.update([u8::from(record.absolute_deadline.is_some()), u8::from(owner.is_some())]);
    sum.update(record.absolute_deadline.map_or(0, Timestamp::as_millis).to_be_bytes());
    sum.update((owner.unwrap_or_default().len() as u64).to_be_bytes());
    sum.update(owner.unwrap_or_default());
    sum.update(&*record.payload);
    let sum = sum.finalize();
    sum.iter().take(8).fold(0, |sum: i64, byte| (sum << 8) | i64::from(*byte))
}

/// Returns the hour of a time, which the expiry index contains, so that changing a deadline rarely changes an index
/// entry. Rounds towards zero like the division of the databases; sweeping only requires that the function is
/// monotonic.
pub(crate) fn hour(moment: Timestamp) -> i64 {
    moment.as_millis() / 3_600_000
}

/// Determines why a rotate changed nothing, from the rows under the two store keys and those to which a tombstone under
/// the old one leads, in the order that [`SessionStore::rotate`] specifies.
///
/// [`SessionStore::rotate`]: session_core::store::SessionStore::rotate
pub(crate) fn why_not_rotated(
    trail: &Trail<'_, impl Cells>,
    (old, expected): (&StoreKey, Etag),
    (new, record): (&StoreKey, &Record),
    now: Timestamp,
) -> Result<Written, Failure> {
    match (trail.at(old)?, trail.at(new)?) {
        (Loaded::Ended { .. }, Loaded::Found(there)) if there.etag == record.etag => Ok(Written::Applied),
        (Loaded::Ended { .. }, _) => Ok(trail.moved(old, Some(now))?.unwrap_or(Written::Gone)),
        (Loaded::Missing, _) => Ok(Written::Gone),
        (Loaded::Found(there), _) if !there.is_live(now) => Ok(Written::Gone),
        (Loaded::Found(there), _) if there.etag != expected => Ok(Written::Conflict(there)),
        (Loaded::Found(_), Loaded::Found(_) | Loaded::Ended { .. }) => Ok(Written::Taken),
        // The conflicting row no longer exists.
        (Loaded::Found(_), Loaded::Missing) => Err(Failure::Again),
    }
}
