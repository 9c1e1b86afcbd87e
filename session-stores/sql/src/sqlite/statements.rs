//! The SQL of the SQLite store.
//!
//! SQLite has one writer at a time, so a statement sees what every statement before it did: no stale reads here.

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
    pub(super) bury_all: Statement,
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
            bury_all: fill(BURY_ALL),
            sweep: fill(SWEEP),
        }
    }
}

pub(super) const SCHEMA: &str = r#"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered.
CREATE TABLE IF NOT EXISTS "sessions" (
    session_key       BLOB    NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
    format            INTEGER NOT NULL,
    etag              INTEGER NOT NULL,
    created           INTEGER NOT NULL,
    idle_deadline     INTEGER NOT NULL,
    absolute_deadline INTEGER,
    expires_hour      INTEGER NOT NULL,
    owner             TEXT,
    payload           BLOB
);
CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "sessions" (expires_hour);
CREATE INDEX IF NOT EXISTS "sessions_owner" ON "sessions" (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS "sessions_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT OR IGNORE INTO "sessions_schema" (version) VALUES (1);
"#;

const VERSION: &str = r#"SELECT max(version) FROM "{table}_schema""#;

const LOAD: &str = r#"SELECT {columns} FROM "{table}" WHERE session_key = ?1"#;

const PAIR: &str = r#"SELECT {columns}, session_key FROM "{table}" WHERE session_key IN (?1, ?2)"#;

/// The conflicting row is "updated" to what it is already, and only if it is our own retry: that counts it as applied.
const CREATE: &str = r#"
INSERT INTO "{table}" (session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload)
VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (session_key) DO UPDATE SET etag = etag WHERE etag = excluded.etag AND payload IS NOT NULL"#;

/// A live row with another etag is written with what it holds already, so that RETURNING gives it back.
const REPLACE: &str = r#"
UPDATE "{table}" SET
    created           = CASE WHEN etag = ?9 AND format <= 1 THEN ?3 ELSE created END,
    idle_deadline     = CASE WHEN etag = ?9 AND format <= 1 THEN ?4 ELSE idle_deadline END,
    absolute_deadline = CASE WHEN etag = ?9 AND format <= 1 THEN ?5 ELSE absolute_deadline END,
    expires_hour      = CASE WHEN etag = ?9 AND format <= 1 THEN ?6 ELSE expires_hour END,
    owner             = CASE WHEN etag = ?9 AND format <= 1 THEN ?7 ELSE owner END,
    payload           = CASE WHEN etag = ?9 AND format <= 1 THEN ?8 ELSE payload END,
    etag              = CASE WHEN etag = ?9 AND format <= 1 THEN ?2 ELSE etag END
WHERE session_key = ?1 AND payload IS NOT NULL
  AND idle_deadline > ?10 AND (absolute_deadline IS NULL OR absolute_deadline > ?10)
RETURNING {columns}"#;

const TOUCH: &str = r#"
UPDATE "{table}" SET
    idle_deadline = CASE WHEN format <= 1 THEN max(idle_deadline, ?2) ELSE idle_deadline END,
    expires_hour  = CASE WHEN format <= 1
        THEN min(max(idle_deadline, ?2), coalesce(absolute_deadline, 9223372036854775807)) / 3600000
        ELSE expires_hour END
WHERE session_key = ?1 AND payload IS NOT NULL
  AND idle_deadline > ?3 AND (absolute_deadline IS NULL OR absolute_deadline > ?3)
RETURNING format"#;

const DESTROY: &str = r#"
UPDATE "{table}" SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?2, expires_hour = ?3
WHERE session_key = ?1 AND payload IS NOT NULL"#;

/// Two rows in one insert: the record under the new key, and for the old key a row that conflicts with the one that is
/// there and so makes it a tombstone. Neither row comes into being unless every condition holds.
const ROTATE: &str = r#"
WITH both (session_key, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload) AS (
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8), (?11, ?2, ?3, ?12, NULL, ?13, NULL, NULL)
)
INSERT INTO "{table}" (session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload)
SELECT session_key, 1, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload FROM both
WHERE EXISTS (
    SELECT 1 FROM "{table}" WHERE session_key = ?11 AND etag = ?9 AND format <= 1 AND payload IS NOT NULL
      AND idle_deadline > ?10 AND (absolute_deadline IS NULL OR absolute_deadline > ?10)
  ) AND NOT EXISTS (SELECT 1 FROM "{table}" WHERE session_key = ?1)
ON CONFLICT (session_key) DO UPDATE SET
    payload = NULL, owner = NULL, absolute_deadline = NULL,
    idle_deadline = excluded.idle_deadline, expires_hour = excluded.expires_hour"#;

const LIST: &str = r#"
SELECT {columns}, session_key FROM "{table}" WHERE owner = ?1 AND payload IS NOT NULL
  AND idle_deadline > ?2 AND (absolute_deadline IS NULL OR absolute_deadline > ?2)"#;

const COUNT: &str = r#"
SELECT count(*) FROM "{table}" WHERE owner = ?1 AND payload IS NOT NULL
  AND idle_deadline > ?2 AND (absolute_deadline IS NULL OR absolute_deadline > ?2)"#;

/// The live ones, so that the rows changed are the sessions ended.
const DESTROY_ALL: &str = r#"
UPDATE "{table}" SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?4, expires_hour = ?5
WHERE owner = ?1 AND payload IS NOT NULL AND session_key IS NOT ?2
  AND idle_deadline > ?3 AND (absolute_deadline IS NULL OR absolute_deadline > ?3)"#;

/// The rest, so that no caller whose clock is behind can touch them back to life.
const BURY_ALL: &str = r#"
UPDATE "{table}" SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?4, expires_hour = ?5
WHERE owner = ?1 AND payload IS NOT NULL AND session_key IS NOT ?2
  AND NOT (idle_deadline > ?3 AND (absolute_deadline IS NULL OR absolute_deadline > ?3))"#;

const SWEEP: &str = r#"
DELETE FROM "{table}" WHERE session_key IN (
    SELECT session_key FROM "{table}" WHERE expires_hour <= ?2 AND format <= 1
      AND (idle_deadline <= ?1 OR absolute_deadline <= ?1) LIMIT ?3
)"#;
