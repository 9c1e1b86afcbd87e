CREATE TABLE IF NOT EXISTS "{table}" (
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
CREATE INDEX IF NOT EXISTS "{table}_expiry" ON "{table}" (expires_hour);
CREATE INDEX IF NOT EXISTS "{table}_owner" ON "{table}" USING hash (owner);
CREATE TABLE IF NOT EXISTS "{table}_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "{table}_schema" (version) VALUES (1) ON CONFLICT DO NOTHING;
