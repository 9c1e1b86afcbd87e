//! The statements that every verb is made of, written once; a database replaces those that it must say otherwise.

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::table::TableName;

/// One of each: the texts, or the statements made of them.
pub struct Verbs<T> {
    pub(crate) version: T,
    pub(crate) load: T,
    pub(crate) pair: T,
    pub(crate) create: T,
    pub(crate) replace: T,
    pub(crate) touch: T,
    pub(crate) destroy: T,
    pub(crate) rotate: T,
    pub(crate) list: T,
    pub(crate) count: T,
    pub(crate) seen: T,
    pub(crate) destroy_all: T,
    pub(crate) bury_all: T,
    pub(crate) sweep: T,
}

/// The statements of one store.
pub(crate) type Statements = Verbs<Statement>;

impl Statements {
    pub(crate) fn of<DB: Dialect>(table: &TableName) -> Self {
        let texts = DB::TEXTS;
        let fill = |text| Statement::new::<DB>(text, table);
        Self {
            version: fill(texts.version),
            load: fill(texts.load),
            pair: fill(texts.pair),
            create: fill(texts.create),
            replace: fill(texts.replace),
            touch: fill(texts.touch),
            destroy: fill(texts.destroy),
            rotate: fill(texts.rotate),
            list: fill(texts.list),
            count: fill(texts.count),
            seen: fill(texts.seen),
            destroy_all: fill(texts.destroy_all),
            bury_all: fill(texts.bury_all),
            sweep: fill(texts.sweep),
        }
    }
}

impl Verbs<&'static str> {
    /// For a database that has `ON CONFLICT` and `RETURNING`. How it rotates and sweeps is its own.
    pub(crate) const fn common(rotate: &'static str, sweep: &'static str) -> Self {
        Self {
            version: "SELECT max(version) FROM {schema_table}",
            load: "SELECT {columns} FROM {table} WHERE session_key = {key}",
            pair: "SELECT {columns} FROM {table} WHERE session_key IN ({key}, {new})",
            create: CREATE,
            replace: REPLACE,
            touch: TOUCH,
            destroy: "UPDATE {table} SET format = 1, {tombstone} WHERE session_key = {key} AND payload IS NOT NULL",
            rotate,
            list: "SELECT {columns} FROM {table} WHERE owner = {owner} AND {live}",
            count: "SELECT count(*) FROM {table} WHERE owner = {owner} AND {live}",
            // All that are not ended yet, live or not.
            seen: "SELECT count(*) FROM {table} WHERE {of_owner}",
            // The live ones, so that the rows changed are the sessions ended.
            destroy_all: "UPDATE {table} SET format = 1, {tombstone} WHERE {of_owner} AND {in_time}",
            // The rest, so that no caller whose clock is behind can touch them back to life.
            bury_all: "UPDATE {table} SET format = 1, {tombstone} WHERE {of_owner} AND NOT ({in_time})",
            sweep,
        }
    }
}

/// The conflicting row is "updated" to what it is already, and only if it is our own retry: that counts it as applied.
const CREATE: &str = r"
INSERT INTO {table} AS there ({written}) VALUES ({key}, {record}, {checksum})
ON CONFLICT (session_key) DO UPDATE SET etag = excluded.etag
WHERE there.etag = excluded.etag AND there.payload IS NOT NULL";

/// A live row with another etag is written with what it holds already, so that RETURNING gives it back; our own record
/// does not travel back to us.
const REPLACE: &str = r"
UPDATE {table} SET
    created           = CASE WHEN etag = {expected} AND {known} THEN {created} ELSE created END,
    idle_deadline     = CASE WHEN etag = {expected} AND {known} THEN {idle} ELSE idle_deadline END,
    absolute_deadline = CASE WHEN etag = {expected} AND {known} THEN {absolute} ELSE absolute_deadline END,
    expires_hour      = CASE WHEN etag = {expected} AND {known} THEN {hour} ELSE expires_hour END,
    owner             = CASE WHEN etag = {expected} AND {known} THEN {record_owner} ELSE owner END,
    payload           = CASE WHEN etag = {expected} AND {known} THEN {payload} ELSE payload END,
    checksum          = CASE WHEN etag = {expected} AND {known} THEN {checksum} ELSE checksum END,
    format            = CASE WHEN etag = {expected} AND {known} THEN {format} ELSE format END,
    etag              = CASE WHEN etag = {expected} AND {known} THEN {etag} ELSE etag END
WHERE session_key = {key} AND {live}
RETURNING session_key, format, etag, created, idle_deadline, absolute_deadline, owner,
    CASE WHEN etag = {etag} THEN NULL ELSE payload END, checksum";

const TOUCH: &str = r"
UPDATE {table} SET
    idle_deadline = CASE WHEN {known} THEN {greatest}(idle_deadline, {until}) ELSE idle_deadline END,
    expires_hour  = CASE WHEN {known}
        THEN {least}({greatest}(idle_deadline, {until}), coalesce(absolute_deadline, 9223372036854775807)) / 3600000
        ELSE expires_hour END
WHERE session_key = {key} AND {live}
RETURNING format";
