//! Rows and records: how a record's fields become columns, and what a row that was read back means.

use session_core::{Etag, Loaded, Record, StoreErrorKind, StoreKey, Timestamp, Written};
use sqlx::{ColumnIndex, Database, Decode, Row, Type};

use crate::failure::Failure;

/// The columns that [`read`] wants, in its order.
pub(crate) const COLUMNS: &str = "format, etag, created, idle_deadline, absolute_deadline, owner, payload";

/// The row format this version writes. A row with a higher one is left alone.
pub(crate) const FORMAT: i32 = 1;

/// Reads the first seven columns of a row, selected as [`COLUMNS`]. A row without a payload is a tombstone, and its
/// idle deadline says until when.
pub(crate) fn read<'r, R>(row: &'r R) -> Result<Loaded, Failure>
where
    R: Row,
    usize: ColumnIndex<R>,
    i32: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    if row.try_get::<i32, _>(0)? > FORMAT {
        return Err(Failure::Found(StoreErrorKind::Newer));
    }
    let idle_deadline = Timestamp::from_millis(row.try_get(3)?);
    let Some(payload) = row.try_get::<Option<Vec<u8>>, _>(6)? else {
        return Ok(Loaded::Retired { until: idle_deadline });
    };
    let owner = row
        .try_get::<Option<Vec<u8>>, _>(5)?
        .map(|name| String::from_utf8(name).map_err(|_| Failure::Found(StoreErrorKind::Corrupt)))
        .transpose()?;
    Ok(Loaded::Found(Record {
        etag: Etag::new(row.try_get::<i64, _>(1)?.cast_unsigned()),
        created: Timestamp::from_millis(row.try_get(2)?),
        idle_deadline,
        absolute_deadline: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
        owner: owner.map(Into::into),
        payload: payload.into(),
    }))
}

/// Reads a session's key out of a column.
pub(crate) fn read_key<'r, R>(row: &'r R, column: usize) -> Result<StoreKey, Failure>
where
    R: Row,
    usize: ColumnIndex<R>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let bytes: Vec<u8> = row.try_get(column)?;
    let key = <[u8; 32]>::try_from(bytes).map_err(|_| Failure::Found(StoreErrorKind::Corrupt))?;
    Ok(StoreKey::from_bytes(key))
}

/// Reads what stands under two keys, from rows whose eighth column is their key.
/// The two may be one and the same key.
pub(crate) fn read_pair<'r, R>(
    rows: &'r [R],
    first: &StoreKey,
    second: &StoreKey,
) -> Result<(Loaded, Loaded), Failure>
where
    R: Row,
    usize: ColumnIndex<R>,
    i32: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut pair = (Loaded::Missing, Loaded::Missing);
    for row in rows {
        let key = read_key(row, 7)?;
        if key == *first {
            pair.0 = read(row)?;
        }
        if key == *second {
            pair.1 = read(row)?;
        }
    }
    Ok(pair)
}

/// A record's fields in the forms that all three databases take.
pub(crate) struct Columns<'a> {
    pub(crate) etag: i64,
    pub(crate) created: i64,
    pub(crate) idle_deadline: i64,
    pub(crate) absolute_deadline: Option<i64>,
    pub(crate) expires_hour: i64,
    pub(crate) owner: Option<&'a str>,
    pub(crate) payload: &'a [u8],
}

impl<'a> From<&'a Record> for Columns<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            etag: record.etag.get().cast_signed(),
            created: record.created.as_millis(),
            idle_deadline: record.idle_deadline.as_millis(),
            absolute_deadline: record.absolute_deadline.map(Timestamp::as_millis),
            expires_hour: hour(record.deadline()),
            owner: record.owner.as_deref(),
            payload: &record.payload,
        }
    }
}

/// The hour a moment lies in: what the expiry index is made of, so that moving a deadline seldom moves an index entry.
/// Rounds towards zero as the databases' own division does; all that sweeping needs is that it never decreases.
pub(crate) fn hour(moment: Timestamp) -> i64 {
    moment.as_millis() / 3_600_000
}

/// A statement of ours, its table's name filled in.
pub(crate) type Statement = std::sync::Arc<str>;

/// Makes a query of it. The text is safe: it is a constant of this crate and a checked [`TableName`](crate::TableName).
pub(crate) fn query<DB: Database>(statement: &Statement) -> sqlx::query::Query<'static, DB, DB::Arguments> {
    sqlx::query(sqlx::AssertSqlSafe(std::sync::Arc::clone(statement)))
}

/// Why a rotate changed nothing, from what stands under the two keys: what [`SessionStore::rotate`] promises, in order.
///
/// [`SessionStore::rotate`]: session_core::SessionStore::rotate
pub(crate) fn why_not_rotated(
    old: &Loaded,
    expected: Etag,
    new: &Loaded,
    record: &Record,
    now: Timestamp,
) -> Result<Written, Failure> {
    match (old, new) {
        (Loaded::Retired { .. }, Loaded::Found(there)) if there.etag == record.etag => Ok(Written::Applied),
        (Loaded::Missing | Loaded::Retired { .. }, _) => Ok(Written::Gone),
        (Loaded::Found(there), _) if !there.is_live(now) => Ok(Written::Gone),
        (Loaded::Found(there), _) if there.etag != expected => Ok(Written::Conflict(there.clone())),
        (Loaded::Found(_), Loaded::Found(_) | Loaded::Retired { .. }) => Ok(Written::Taken),
        // What was in the way is not there any more.
        (Loaded::Found(_), Loaded::Missing) => Err(Failure::Again),
    }
}

/// Reads the sessions of an owner, from rows whose eighth column is their key. One that cannot be read is an error: a
/// list that silently lacks a device is a device nobody ends.
pub(crate) fn listed<'r, R>(rows: &'r [R]) -> Result<Vec<(StoreKey, Record)>, Failure>
where
    R: Row,
    usize: ColumnIndex<R>,
    i32: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        if let Loaded::Found(record) = read(row)? {
            list.push((read_key(row, 7)?, record));
        }
    }
    Ok(list)
}

/// The version of the schema that this version of the library makes.
pub(crate) const SCHEMA_VERSION: i32 = 1;
