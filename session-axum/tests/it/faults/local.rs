//! Stores without a server: failures of the disk, and locks of other processes.

use std::fs;
use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};
use tokio::task::JoinSet;

use super::down::{TIMEOUT, fails_in_time, nothing_but_503, signed_in, still_signed_in};
use super::site::{Place, Site};

/// Where the directories of the file store should be, there are files for a while.
pub(crate) async fn directories_lost() {
    let place = Place::files();
    let site = Site::open(&place.url, TIMEOUT).await;
    let ada = signed_in(&site).await;
    let root = Path::new(place.url.strip_prefix("file:").unwrap());
    let paths: Vec<_> = (0..=0xff).map(|fan| root.join(format!("{fan:02x}"))).collect();
    for path in &paths {
        // Most of them are not there yet.
        let _ = fs::rename(path, path.with_extension("aside"));
        fs::write(path, "").unwrap();
    }
    nothing_but_503(&site, &ada).await;
    for path in &paths {
        fs::remove_file(path).unwrap();
        let _ = fs::rename(path.with_extension("aside"), path);
    }
    still_signed_in(&ada).await;
}

/// Another process writes to the SQLite file and does not come to an end: reading goes on.
pub(crate) async fn held_by_another_writer() {
    let place = Place::sqlite();
    let site = Site::open(&place.url, TIMEOUT).await;
    let ada = signed_in(&site).await;
    let mut other = SqliteConnection::connect(&place.url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let mut writers = JoinSet::new();
    for path in ["/write", "/rotate", "/logout", "/slow?ms=0"].repeat(5) {
        let ada = ada.clone();
        writers.spawn(async move { fails_in_time(&ada, path).await });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert_eq!(ada.get_soon("/read").await.text, "alice@example.com");
    assert_eq!(ada.get("/none").await.status, 200);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    still_signed_in(&ada).await;
}
