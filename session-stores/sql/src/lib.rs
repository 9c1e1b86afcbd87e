//! Sessions in Postgres, MySQL or MariaDB, and SQLite.
