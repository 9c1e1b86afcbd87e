//! The SQL of the Postgres store.
//!
//! Written for READ COMMITTED, where a statement reads the rows as they were when it began, but changes a row as it is
//! when it gets hold of it. So what a verb answers comes from the row it holds, never from a read beside it; and under
//! stricter isolation the database undoes the loser, which is then tried again.

use crate::row::{COLUMNS, Statement};
use crate::table::TableName;

/// The statements of one store, its table's name filled in.
pub(super) struct Statements {
    pub(super) schema: Statement,
    pub(super) version: Statement,
    pub(super) load: Statement,
    pub(super) pair: Statement,
    pub(super) create: Statement,
    pub(super) replace: Statement,
    pub(super) touch: Statement,
    pub(super) destroy: Statement,
    pub(super) rotate: Statement,
    pub(super) list: Statement,
    pub(super) count: Statement,
    pub(super) destroy_all: Statement,
    pub(super) sweep: Statement,
}

impl Statements {
    pub(super) fn new(table: &TableName) -> Self {
        let fill = |text: &str| table.fill(&text.replace("{columns}", COLUMNS));
        Self {
            schema: table.fill(&SCHEMA.replace("\"sessions", "\"{table}")),
            version: fill(VERSION),
            load: fill(LOAD),
            pair: fill(PAIR),
            create: fill(CREATE),
            replace: fill(REPLACE),
            touch: fill(TOUCH),
            destroy: fill(DESTROY),
            rotate: fill(ROTATE),
            list: fill(LIST),
            count: fill(COUNT),
            destroy_all: fill(DESTROY_ALL),
            sweep: fill(SWEEP),
        }
    }
}

pub(super) const SCHEMA: &str = r#"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered.
-- Room is left in each page so that a write stays there, and no index has to learn of it.
CREATE TABLE IF NOT EXISTS "sessions" (
    session_key       BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(session_key) = 32),
    format            INTEGER NOT NULL,
    etag              BIGINT  NOT NULL,
    created           BIGINT  NOT NULL,
    idle_deadline     BIGINT  NOT NULL,
    absolute_deadline BIGINT,
    expires_hour      BIGINT  NOT NULL,
    owner             BYTEA,
    payload           BYTEA
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "sessions" (expires_hour);
CREATE INDEX IF NOT EXISTS "sessions_owner" ON "sessions" USING hash (owner);
CREATE TABLE IF NOT EXISTS "sessions_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "sessions_schema" (version) VALUES (1) ON CONFLICT DO NOTHING;
"#;

/// One maker of tables at a time: CREATE TABLE IF NOT EXISTS alone fails when two run it together.
pub(super) const MIGRATION_LOCK: &str =
    "SELECT pg_advisory_xact_lock($1), set_config('statement_timeout', '30000', true)";

const VERSION: &str = r#"SELECT max(version) FROM "{table}_schema""#;

const LOAD: &str = r#"SELECT {columns} FROM "{table}" WHERE session_key = $1"#;

const PAIR: &str = r#"SELECT {columns}, session_key FROM "{table}" WHERE session_key IN ($1, $2)"#;

/// The conflicting row is "updated" to what it is already, and only if it is our own retry: that counts it as applied.
const CREATE: &str = r#"
INSERT INTO "{table}" AS there (session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload)
VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (session_key) DO UPDATE SET etag = there.etag
WHERE there.etag = excluded.etag AND there.payload IS NOT NULL"#;

/// A live row with another etag is written with what it holds already, so that RETURNING gives it back.
const REPLACE: &str = r#"
UPDATE "{table}" SET
    created           = CASE WHEN etag = $9 AND format <= 1 THEN $3 ELSE created END,
    idle_deadline     = CASE WHEN etag = $9 AND format <= 1 THEN $4 ELSE idle_deadline END,
    absolute_deadline = CASE WHEN etag = $9 AND format <= 1 THEN $5 ELSE absolute_deadline END,
    expires_hour      = CASE WHEN etag = $9 AND format <= 1 THEN $6 ELSE expires_hour END,
    owner             = CASE WHEN etag = $9 AND format <= 1 THEN $7 ELSE owner END,
    payload           = CASE WHEN etag = $9 AND format <= 1 THEN $8 ELSE payload END,
    etag              = CASE WHEN etag = $9 AND format <= 1 THEN $2 ELSE etag END
WHERE session_key = $1 AND payload IS NOT NULL
  AND idle_deadline > $10 AND (absolute_deadline IS NULL OR absolute_deadline > $10)
RETURNING format, etag, created, idle_deadline, absolute_deadline, owner,
    CASE WHEN etag = $2 THEN ''::bytea ELSE payload END"#;

const TOUCH: &str = r#"
UPDATE "{table}" SET
    idle_deadline = CASE WHEN format <= 1 THEN greatest(idle_deadline, $2) ELSE idle_deadline END,
    expires_hour  = CASE WHEN format <= 1
        THEN least(greatest(idle_deadline, $2), coalesce(absolute_deadline, 9223372036854775807)) / 3600000
        ELSE expires_hour END
WHERE session_key = $1 AND payload IS NOT NULL
  AND idle_deadline > $3 AND (absolute_deadline IS NULL OR absolute_deadline > $3)
RETURNING format"#;

const DESTROY: &str = r#"
UPDATE "{table}" SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = $2, expires_hour = $3
WHERE session_key = $1 AND payload IS NOT NULL"#;

/// The old row is held first; then the new one comes into being if the old one fits and the key is free; then the old one
/// becomes a tombstone if the new one came into being. Its etag names its successor's first version.
///
/// Answers what stood under the old key, as it was when we held it, with whether it was done; and what stood under the
/// new key when the statement began.
const ROTATE: &str = r#"
WITH there AS (
    SELECT *, etag = $9 AND format <= 1 AND payload IS NOT NULL
          AND idle_deadline > $10 AND (absolute_deadline IS NULL OR absolute_deadline > $10) AS fits
    FROM "{table}" WHERE session_key = $11 FOR UPDATE
), fresh AS (
    INSERT INTO "{table}"
        (session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload)
    SELECT $1, 1, $2, $3, $4, $5, $6, $7, $8 FROM there WHERE fits
    ON CONFLICT (session_key) DO NOTHING
    RETURNING session_key
), retired AS (
    UPDATE "{table}" AS old SET
        payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = $12, expires_hour = $13, etag = $2
    FROM fresh WHERE old.session_key = $11
    RETURNING old.session_key
)
SELECT format, etag, created, idle_deadline, absolute_deadline, owner,
       CASE WHEN EXISTS (SELECT 1 FROM retired) THEN NULL ELSE payload END,
       session_key, EXISTS (SELECT 1 FROM retired)
FROM there
UNION ALL
SELECT {columns}, session_key, false FROM "{table}" WHERE session_key = $1"#;

const LIST: &str = r#"
SELECT {columns}, session_key FROM "{table}" WHERE owner = $1 AND payload IS NOT NULL
  AND idle_deadline > $2 AND (absolute_deadline IS NULL OR absolute_deadline > $2)"#;

const COUNT: &str = r#"
SELECT count(*) FROM "{table}" WHERE owner = $1 AND payload IS NOT NULL
  AND idle_deadline > $2 AND (absolute_deadline IS NULL OR absolute_deadline > $2)"#;

/// Ends what it can get hold of, in the order of keys so that two of these cannot wait for each other; and says how many
/// sessions were there when it began. Those may have moved to another key before it got hold of them.
const DESTROY_ALL: &str = r#"
WITH seen AS (
    SELECT count(*) AS sessions FROM "{table}"
    WHERE owner = $1 AND payload IS NOT NULL AND session_key IS DISTINCT FROM $2
), doomed AS (
    SELECT session_key, idle_deadline > $3 AND (absolute_deadline IS NULL OR absolute_deadline > $3) AS live
    FROM "{table}" WHERE owner = $1 AND payload IS NOT NULL AND session_key IS DISTINCT FROM $2
    ORDER BY session_key FOR UPDATE
), ended AS (
    UPDATE "{table}" AS old SET
        format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = $4, expires_hour = $5
    FROM doomed WHERE old.session_key = doomed.session_key
    RETURNING doomed.live
)
SELECT sessions, (SELECT count(*) FROM ended WHERE live) FROM seen"#;

/// The lock lasts as long as the statement: whoever does not get it leaves the work to the one who has it.
const SWEEP: &str = r#"
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(1936942444, '"{table}"'::regclass::oid::int) AS ours
), dead AS MATERIALIZED (
    SELECT session_key FROM "{table}"
    WHERE (SELECT ours FROM turn) AND expires_hour <= $2 AND format <= 1
      AND (idle_deadline <= $1 OR absolute_deadline <= $1)
    LIMIT $3 FOR UPDATE SKIP LOCKED
)
DELETE FROM "{table}" AS old USING dead WHERE old.session_key = dead.session_key"#;
