CREATE TABLE IF NOT EXISTS "{table}" (
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
CREATE INDEX IF NOT EXISTS "{table}_expiry" ON "{table}" (expires_hour);
CREATE INDEX IF NOT EXISTS "{table}_owner" ON "{table}" (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS "{table}_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT OR IGNORE INTO "{table}_schema" (version) VALUES (1);
