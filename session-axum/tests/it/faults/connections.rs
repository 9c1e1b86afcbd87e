//! A database that accepts no more connections, because other clients use all of them.

use std::time::{Duration, Instant};

use session_test_servers::{Kind, Server, start};
use sqlx::{Connection as _, MySqlConnection, PgConnection, Row as _};

use super::down::{TIMEOUT, nothing_but_503, signed_in, still_signed_in};
use super::site::Site;

pub(crate) async fn postgres() {
    let server = start(Kind::Postgres).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    let mut strangers = vec![PgConnection::connect(&server.url()).await.unwrap()];
    let others = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity \
                  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    sqlx::raw_sql(others).execute(&mut strangers[0]).await.unwrap();
    let most =
        sqlx::query_scalar::<_, String>("SHOW max_connections").fetch_one(&mut strangers[0]).await.unwrap();
    fill(&mut strangers, most.parse().unwrap(), async || PgConnection::connect(&server.url()).await).await;
    nothing_but_503(&site, &ada).await;
    for stranger in strangers {
        stranger.close().await.unwrap();
    }
    still_signed_in(&ada).await;
}

pub(crate) async fn mariadb() {
    let server = start(Kind::MariaDb).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    let connect = async || MySqlConnection::connect(&server.url()).await;
    let mut strangers = vec![connect().await.unwrap()];
    sqlx::raw_sql("SET GLOBAL max_connections = 10").execute(&mut strangers[0]).await.unwrap();
    hang_up_on_others(&mut strangers[0]).await;
    // One more than the rest for whoever may administer the server, as the site and we do.
    fill(&mut strangers, 11, connect).await;
    nothing_but_503(&site, &ada).await;
    for stranger in strangers {
        stranger.close().await.unwrap();
    }
    still_signed_in(&ada).await;
    drop::<Server>(server);
}

async fn hang_up_on_others(me: &mut MySqlConnection) {
    let others = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                  WHERE id <> CONNECTION_ID() AND command <> 'Daemon'";
    for row in sqlx::query(others).fetch_all(&mut *me).await.unwrap() {
        let id: i64 = row.get(0);
        // It may have gone by itself.
        let _ = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("KILL {id}"))).execute(&mut *me).await;
    }
}

/// Connects until all the connections there are are held, and the server says of one more that it is too many.
async fn fill<C>(held: &mut Vec<C>, most: usize, connect: impl AsyncFn() -> Result<C, sqlx::Error>) {
    let begun = Instant::now();
    loop {
        match connect().await {
            Ok(another) => held.push(another),
            Err(sqlx::Error::Database(error)) if error.message().contains("oo many") => {
                if held.len() >= most {
                    return;
                }
                // Those that were hung up on take a moment to leave.
                assert!(begun.elapsed() < Duration::from_secs(60), "{} of {most}", held.len());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(held.len() <= most, "the server takes everybody");
    }
}
