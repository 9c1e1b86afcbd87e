CREATE TABLE IF NOT EXISTS `{table}` (
    session_key       BINARY(32) NOT NULL PRIMARY KEY,
    format            INT        NOT NULL,
    etag              BIGINT     NOT NULL,
    created           BIGINT     NOT NULL,
    idle_deadline     BIGINT     NOT NULL,
    absolute_deadline BIGINT,
    expires_hour      BIGINT     NOT NULL,
    owner             MEDIUMBLOB,
    payload           LONGBLOB,
    INDEX `{table}_expiry` (expires_hour),
    INDEX `{table}_owner` (owner(255))
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS `{table}_schema` (version INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT IGNORE INTO `{table}_schema` (version) VALUES (1);
