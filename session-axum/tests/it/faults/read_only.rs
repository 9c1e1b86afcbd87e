//! A database that answers but accepts no writes: by its settings, or because it is a standby.

use std::fs::File;
use std::time::{Duration, Instant};

use session_test_servers::{Kind, Server, start};
use sqlx::{Connection as _, Executor as _, MySqlConnection, PgConnection};

use super::disk::hang_up;
use super::down::{TIMEOUT, only_reading_works, signed_in, still_signed_in};
use super::site::Site;

/// An administrator makes every new transaction a reading one.
pub(crate) async fn postgres() {
    let server = start(Kind::Postgres).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    set_read_only(&server, "on").await;
    only_reading_works(&site, &ada).await;
    set_read_only(&server, "off").await;
    still_signed_in(&ada).await;
}

/// For every connection there will be, and there are no others.
async fn set_read_only(server: &Server, value: &str) {
    let mut admin = PgConnection::connect(&server.url()).await.unwrap();
    let alter = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    admin.execute(sqlx::AssertSqlSafe(alter)).await.unwrap();
    admin.execute("SELECT pg_reload_conf()").await.unwrap();
    admin.close().await.unwrap();
    // The server reads its settings when it gets to it.
    let begun = Instant::now();
    loop {
        let mut new = PgConnection::connect(&server.url()).await.unwrap();
        let shown: String =
            sqlx::query_scalar("SHOW default_transaction_read_only").fetch_one(&mut new).await.unwrap();
        new.close().await.unwrap();
        if shown == value {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it stays {shown}");
    }
    hang_up(&server.url()).await.close().await.unwrap();
}

/// The server comes back as a standby of nobody, and is promoted later.
pub(crate) async fn postgres_standby() {
    let server = start(Kind::Postgres).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    File::create(server.dir().join("0/data/standby.signal")).unwrap();
    server.restart().unwrap();
    only_reading_works(&site, &ada).await;
    let mut admin = PgConnection::connect(&server.url()).await.unwrap();
    let promoted: bool = sqlx::query_scalar("SELECT pg_promote()").fetch_one(&mut admin).await.unwrap();
    assert!(promoted, "it is its own master again");
    still_signed_in(&ada).await;
}

/// As a replica is set up: those without special rights read.
pub(crate) async fn mariadb() {
    let server = start(Kind::MariaDb).unwrap();
    let mut admin = MySqlConnection::connect(&server.url()).await.unwrap();
    admin.execute("CREATE USER app").await.unwrap();
    admin.execute("GRANT ALL ON test.* TO app").await.unwrap();
    let site = Site::open(&server.url().replace("root@", "app@"), TIMEOUT).await;
    let ada = signed_in(&site).await;
    admin.execute("SET GLOBAL read_only = 1").await.unwrap();
    only_reading_works(&site, &ada).await;
    admin.execute("SET GLOBAL read_only = 0").await.unwrap();
    still_signed_in(&ada).await;
}

const PATIENCE: Duration = Duration::from_secs(60);
