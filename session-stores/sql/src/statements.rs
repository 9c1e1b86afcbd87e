//! The statements of the verbs. A database replaces those that need another form.

use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::table::TableName;

/// All statements, as texts or as [`Statement`]s.
pub struct Verbs<T> {
    pub(crate) version: T,
    pub(crate) load: T,
    pub(crate) trail: T,
    pub(crate) create: T,
    pub(crate) replace: T,
    pub(crate) touch: T,
    pub(crate) destroy: T,
    pub(crate) rotate: T,
    pub(crate) list: T,
    pub(crate) heads: T,
    pub(crate) census: T,
    pub(crate) count: T,
    pub(crate) seen: T,
    pub(crate) destroy_all: T,
    pub(crate) bury_all: T,
    pub(crate) sweep: T,
}

/// The statements of a store.
pub(crate) type Statements = Verbs<Statement>;

impl Statements {
    pub(crate) fn of<DB: Dialect>(table: &TableName) -> Self {
        let texts = DB::TEXTS;
        let fill = |text| Statement::new::<DB>(text, table);
        Self {
            version: fill(texts.version),
            load: fill(texts.load),
            trail: fill(texts.trail),
            create: fill(texts.create),
            replace: fill(texts.replace),
            touch: fill(texts.touch),
            destroy: fill(texts.destroy),
            rotate: fill(texts.rotate),
            list: fill(texts.list),
            heads: fill(texts.heads),
            census: fill(texts.census),
            count: fill(texts.count),
            seen: fill(texts.seen),
            destroy_all: fill(texts.destroy_all),
            bury_all: fill(texts.bury_all),
            sweep: fill(texts.sweep),
        }
    }
}

impl Verbs<&'static str> {
    /// Returns the statements for a database with `ON CONFLICT` and `RETURNING`, with its own statements for rotate
    /// and sweep.
    pub(crate) const fn common(rotate: &'static str, sweep: &'static str) -> Self {
        Self {
            version: "SELECT max(version) FROM {schema_table}",
            load: "SELECT {columns} FROM {table} WHERE session_key = {key}",
            trail: TRAIL,
            create: CREATE,
            replace: REPLACE,
            touch: TOUCH,
            destroy: "UPDATE {table} SET format = 1, {tombstone} WHERE session_key = {key} AND payload IS NOT NULL",
            rotate,
            list: "SELECT {columns} FROM {table} WHERE {page}",
            heads: "SELECT session_key, format, etag, created, idle_deadline, absolute_deadline FROM {table} WHERE {page}",
            census: "SELECT session_key, format, etag, created, idle_deadline, absolute_deadline FROM {table} WHERE {every}",
            count: "SELECT count(*) FROM {table} WHERE owner = {owner} AND {live}",
            // The sessions that have not ended, live or expired: as many as one pass ends, or fewer.
            seen: "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {of_owner} LIMIT {most}) AS batch",
            // Only live sessions, so that the number of changed rows is the number of sessions ended.
            destroy_all: "UPDATE {table} SET format = 1, {tombstone} WHERE {some_live}",
            // The expired sessions, so that a caller whose clock is behind cannot extend them.
            bury_all: "UPDATE {table} SET format = 1, {tombstone} WHERE {some_expired}",
            sweep,
        }
    }
}

/// The rows under two store keys, and all rows to which the tombstones of rotations lead from there. `UNION` and not
/// `UNION ALL`, so that it ends whatever is in the table.
const TRAIL: &str = r"
WITH RECURSIVE trail (session_key, successor) AS (
    SELECT session_key, successor FROM {table} WHERE session_key IN ({key}, {new})
    UNION
    SELECT next.session_key, next.successor FROM trail JOIN {table} AS next ON next.session_key = trail.successor
)
SELECT here.session_key, here.format, here.etag, here.created, here.idle_deadline, here.absolute_deadline, here.owner,
       here.payload, here.checksum, here.successor
FROM trail JOIN {table} AS here ON here.session_key = trail.session_key";

/// A conflicting row is updated to its own values only if this is a retry of the same write, so that the retry counts
/// as applied.
const CREATE: &str = r"
INSERT INTO {table} AS there ({written}) VALUES ({key}, {record}, {checksum})
ON CONFLICT (session_key) DO UPDATE SET etag = excluded.etag
WHERE there.etag = excluded.etag AND there.payload IS NOT NULL";

/// A live row with another etag is updated to its own values, so that RETURNING returns it. The written record itself
/// is not returned.
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
