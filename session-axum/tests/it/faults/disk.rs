//! A full disk: requests that need space get 503, all others are served, and freeing space ends the failures.
//!
//! Where the machine permits mounting, the disk is a small file system. Otherwise, and for Postgres, it is the kernel's
//! limit on the size of files, which needs no privileges: the database cannot extend its table.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use session_test_servers::{Kind, start};
use sqlx::{Connection as _, MySqlConnection, PgConnection};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::down::{fine_without_a_store, signed_in};
use super::site::{Site, Visitor};

pub(crate) async fn files() {
    let disk = Disk::small();
    let site = Site::open(&format!("file:{}", disk.0.path().join("sessions").display()), TIMEOUT).await;
    holds_while_full(&site, async || disk.fill(), async || disk.free()).await;
}

pub(crate) async fn sqlite() {
    let disk = Disk::small();
    let site = Site::open(&format!("sqlite:{}", disk.0.path().join("sessions.db").display()), TIMEOUT).await;
    holds_while_full(&site, async || disk.fill(), async || disk.free()).await;
}

pub(crate) async fn postgres() {
    let server = start(Kind::Postgres).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let postmaster = server.pid().unwrap();
    let fill = async || {
        // Larger than a segment of the log, which is another matter when it fails.
        limit(postmaster, "33554432");
        let mut other = hang_up(&server.url()).await;
        let alter = "ALTER TABLE sessions SET (autovacuum_enabled = false)";
        sqlx::raw_sql(alter).execute(&mut other).await.unwrap();
        for (rows, bytes) in [(500, 1_700), (20, 1_700), (1, 1_700), (1, 1)] {
            let more = format!(
                "INSERT INTO sessions SELECT decode(md5(random()::text) || md5(random()::text), 'hex'), \
                 format, row, created, idle_deadline, absolute_deadline, expires_hour, NULL, \
                 convert_to(repeat('x', {bytes}), 'UTF8') \
                 FROM (SELECT * FROM sessions LIMIT 1) one, generate_series(1, {rows}) row"
            );
            let mut times = 0;
            let full = loop {
                match sqlx::raw_sql(sqlx::AssertSqlSafe(more.clone())).execute(&mut other).await {
                    Ok(_) => times += 1,
                    Err(error) => break error.to_string(),
                }
                assert!(times < 10_000, "the table grows without end");
            };
            assert!(full.contains("could not extend"), "{full}");
        }
    };
    let free = async || {
        limit(postmaster, "unlimited");
        hang_up(&server.url()).await.close().await.unwrap();
    };
    holds_while_full(&site, fill, free).await;
}

pub(crate) async fn mariadb() {
    let server = start(Kind::MariaDb).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let (pid, url) = (server.pid().unwrap(), server.url());
    let fill = async || {
        let mut other = MySqlConnection::connect(&url).await.unwrap();
        // Its log is a file of fixed size, and another matter when that fails: it is made smaller than the limit.
        sqlx::raw_sql("SET GLOBAL innodb_log_file_size = 16777216").execute(&mut other).await.unwrap();
        limit(pid, "33554432");
        for (rows, bytes) in [(500, 1_700), (20, 1_700), (1, 1_700), (1, 1)] {
            let more = format!(
                "INSERT INTO sessions (session_key, format, etag, created, idle_deadline, absolute_deadline, \
                 expires_hour, payload) SELECT random_bytes(32), format, etag, created, idle_deadline, \
                 absolute_deadline, expires_hour, repeat('x', {bytes}) \
                 FROM (SELECT * FROM sessions LIMIT 1) one, seq_1_to_{rows}"
            );
            let mut times = 0;
            let full = loop {
                match sqlx::raw_sql(sqlx::AssertSqlSafe(more.clone())).execute(&mut other).await {
                    Ok(_) => times += 1,
                    Err(error) => break error.to_string(),
                }
                assert!(times < 10_000, "the table grows without end");
            };
            assert!(full.contains("is full"), "{full}");
        }
    };
    holds_while_full(&site, fill, async || limit(pid, "unlimited")).await;
}

/// Ends all other connections, so that new ones know of the limit; this one is new.
pub(crate) async fn hang_up(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let others = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity \
                  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    sqlx::raw_sql(others).execute(&mut connection).await.unwrap();
    connection
}

async fn holds_while_full(site: &Site, fill: impl AsyncFnOnce(), free: impl AsyncFnOnce()) {
    let (ada, left) = (signed_in(site).await, signed_in(site).await);
    assert_eq!(left.get("/logout").await.status, 200);
    fill().await;
    // There may be room for some more.
    let mut signed_in_since = 0;
    while fits(&site.stranger(), "/login").await {
        signed_in_since += 1;
        assert!(signed_in_since < 5_000, "the disk never fills");
    }
    let (mut acknowledged, mut unknown) = (1, 0);
    for _ in 0..10 {
        if fits(&ada, "/write").await {
            acknowledged += 1;
        } else {
            unknown += 1;
        }
        fits(&left, "/write").await;
        assert_eq!(ada.get("/read").await.text, "alice@example.com");
        assert_eq!(left.get("/read").await.text, "anon");
        fine_without_a_store(site).await;
    }
    free().await;
    let again = ada.get_soon("/read").await;
    assert_eq!(again.text, "alice@example.com");
    let begun = Instant::now();
    while !fits(&ada, "/write").await {
        unknown += 1;
        assert!(begun.elapsed() < TIMEOUT, "there is room again");
    }
    acknowledged += 1;
    let (hits, possible) = (ada.hits().await, acknowledged..=acknowledged + unknown);
    assert!(possible.contains(&hits), "{hits} hits, where {possible:?} are possible");
    assert_eq!(left.get_soon("/read").await.text, "anon");
    assert_eq!(site.stranger().get_soon("/login").await.set_cookies.len(), 1);
}

/// One visit; whether there was room for it. Without, it is 503 and says nothing about cookies.
async fn fits(visitor: &Visitor, path: &str) -> bool {
    let reply = visitor.get(path).await;
    match reply.status {
        200 => true,
        503 => {
            assert!(reply.set_cookies.is_empty(), "{path}: {reply:?}");
            false
        }
        other => panic!("{path} is answered with {other}: {reply:?}"),
    }
}

/// A folder with little room.
struct Disk(TempDir, Kept);

enum Kept {
    Mounted,
    Limited,
}

impl Disk {
    fn small() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m,mode=0700", "session-axum-test"]).arg(folder.path());
        match mount.stderr(Stdio::null()).status() {
            Ok(status) if status.success() => Self(folder, Kept::Mounted),
            Ok(_) | Err(_) => {
                // A process that handles the signal is not killed by it.
                drop(signal(SignalKind::from_raw(SIGXFSZ)).unwrap());
                Self(folder, Kept::Limited)
            }
        }
    }

    fn fill(&self) {
        match self.1 {
            Kept::Mounted => {
                let mut junk = File::create(self.junk()).unwrap();
                while junk.write_all(&[0; 4096]).is_ok() {}
                while junk.write_all(&[0]).is_ok() {}
            }
            Kept::Limited => limit(std::process::id(), "0"),
        }
    }

    fn free(&self) {
        match self.1 {
            Kept::Mounted => fs::remove_file(self.junk()).unwrap(),
            Kept::Limited => limit(std::process::id(), "unlimited"),
        }
    }

    fn junk(&self) -> std::path::PathBuf {
        self.0.path().join("junk")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        match self.1 {
            Kept::Mounted => drop(Command::new("umount").arg("-l").arg(self.0.path()).status()),
            Kept::Limited => limit(std::process::id(), "unlimited"),
        }
    }
}

/// Sets how large a file this process may make, as the user it runs as: then it needs no further right.
fn limit(pid: u32, bytes: &str) {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let id = |name: &str| -> String {
        status.split_once(name).unwrap().1.split_whitespace().next().unwrap().to_owned()
    };
    let mut command = Command::new("setpriv");
    if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        command.arg(format!("--reuid={}", id("\nUid:"))).arg(format!("--regid={}", id("\nGid:")));
        command.arg("--clear-groups");
    }
    command.args(["--", "prlimit", "--pid", &pid.to_string(), &format!("--fsize={bytes}:")]);
    assert!(command.status().unwrap().success(), "a process may limit itself");
}

const TIMEOUT: Duration = Duration::from_secs(30);
const SIGXFSZ: i32 = 25;
