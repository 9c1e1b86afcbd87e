//! The SQL of the MySQL and MariaDB store.
//!
//! MySQL has no RETURNING, and its SET sees what the assignments before it did. So every condition stands in WHERE, and
//! what was in the way is read by a second statement, which only a conflict pays for.

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
    pub(super) retire: Statement,
    pub(super) list: Statement,
    pub(super) count: Statement,
    pub(super) destroy_all: Statement,
    pub(super) bury_all: Statement,
    pub(super) seen: Statement,
    pub(super) sweep_lock: Statement,
    pub(super) sweep_unlock: Statement,
    pub(super) dead: Statement,
}

impl Statements {
    pub(super) fn new(table: &TableName) -> Self {
        let fill = |text: &str| table.fill(&text.replace("{columns}", COLUMNS));
        Self {
            schema: table.fill(&SCHEMA.replace("`sessions", "`{table}")),
            version: fill(VERSION),
            load: fill(LOAD),
            pair: fill(PAIR),
            create: fill(CREATE),
            replace: fill(REPLACE),
            touch: fill(TOUCH),
            destroy: fill(DESTROY),
            retire: fill(RETIRE),
            list: fill(LIST),
            count: fill(COUNT),
            destroy_all: fill(DESTROY_ALL),
            bury_all: fill(BURY_ALL),
            seen: fill(SEEN),
            sweep_lock: fill(SWEEP_LOCK),
            sweep_unlock: fill(SWEEP_UNLOCK),
            dead: fill(DEAD),
        }
    }
}

pub(super) const SCHEMA: &str = r"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered. Nothing here is text, so no collation
-- can find `aBcD` for `ABCD`.
CREATE TABLE IF NOT EXISTS `sessions` (
    session_key       BINARY(32) NOT NULL PRIMARY KEY,
    format            INT        NOT NULL,
    etag              BIGINT     NOT NULL,
    created           BIGINT     NOT NULL,
    idle_deadline     BIGINT     NOT NULL,
    absolute_deadline BIGINT,
    expires_hour      BIGINT     NOT NULL,
    owner             MEDIUMBLOB,
    payload           LONGBLOB,
    INDEX `sessions_expiry` (expires_hour),
    INDEX `sessions_owner` (owner(255))
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS `sessions_schema` (version INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT IGNORE INTO `sessions_schema` (version) VALUES (1);
";

const VERSION: &str = "SELECT max(version) FROM `{table}_schema`";

const LOAD: &str = "SELECT {columns} FROM `{table}` WHERE session_key = ?";

const PAIR: &str = "SELECT {columns}, session_key FROM `{table}` WHERE session_key IN (?, ?)";

/// A plain insert: INSERT IGNORE would also ignore that a value does not fit.
const CREATE: &str = r"
INSERT INTO `{table}`
    (session_key, format, etag, created, idle_deadline, absolute_deadline, expires_hour, owner, payload)
VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)";

const REPLACE: &str = r"
UPDATE `{table}` SET
    etag = ?, created = ?, idle_deadline = ?, absolute_deadline = ?, expires_hour = ?, owner = ?, payload = ?
WHERE session_key = ? AND etag = ? AND format <= 1 AND payload IS NOT NULL
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

/// The hour is set first, while the deadline is still the old one: the later of both is the same.
const TOUCH: &str = r"
UPDATE `{table}` SET
    expires_hour = least(greatest(idle_deadline, ?), coalesce(absolute_deadline, 9223372036854775807)) DIV 3600000,
    idle_deadline = greatest(idle_deadline, ?)
WHERE session_key = ? AND format <= 1 AND payload IS NOT NULL
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

const DESTROY: &str = r"
UPDATE `{table}` SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?, expires_hour = ?
WHERE session_key = ? AND payload IS NOT NULL";

/// The first half of a rotate. It comes before the insert, so that two rotates of one session meet here, at a row that
/// exists, and not at gaps, where both would wait for each other.
const RETIRE: &str = r"
UPDATE `{table}` SET
    payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?, expires_hour = ?
WHERE session_key = ? AND etag = ? AND format <= 1 AND payload IS NOT NULL
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

const LIST: &str = r"
SELECT {columns}, session_key FROM `{table}` WHERE owner = ? AND payload IS NOT NULL
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

const COUNT: &str = r"
SELECT count(*) FROM `{table}` WHERE owner = ? AND payload IS NOT NULL
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

/// All that are not ended yet, live or not.
const SEEN: &str = r"
SELECT count(*) FROM `{table}` WHERE owner = ? AND payload IS NOT NULL AND NOT (session_key <=> ?)";

/// The live ones, so that the rows changed are the sessions ended.
const DESTROY_ALL: &str = r"
UPDATE `{table}` SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?, expires_hour = ?
WHERE owner = ? AND payload IS NOT NULL AND NOT (session_key <=> ?)
  AND idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?)";

/// The rest, so that no caller whose clock is behind can touch them back to life.
const BURY_ALL: &str = r"
UPDATE `{table}` SET
    format = 1, payload = NULL, owner = NULL, absolute_deadline = NULL, idle_deadline = ?, expires_hour = ?
WHERE owner = ? AND payload IS NOT NULL AND NOT (session_key <=> ?)
  AND NOT (idle_deadline > ? AND (absolute_deadline IS NULL OR absolute_deadline > ?))";

/// Hashed, since a lock's name may be 64 bytes at most.
const SWEEP_LOCK: &str = "SELECT get_lock(sha1(concat('sweep of ', database(), '.{table}')), 0)";

const SWEEP_UNLOCK: &str = "SELECT release_lock(sha1(concat('sweep of ', database(), '.{table}')))";

const DEAD: &str = r"
SELECT session_key FROM `{table}` WHERE expires_hour <= ? AND format <= 1
  AND (idle_deadline <= ? OR absolute_deadline <= ?)
LIMIT ? FOR UPDATE SKIP LOCKED";
