//! Every kind of server can be started, killed, restarted on its port, stopped and continued, and ends with the tests.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use session_test_servers::{Kind, Server, start};

#[test]
fn redis_lives_a_whole_life() {
    whole_life(Kind::Redis);
}

#[test]
fn postgres_lives_a_whole_life() {
    whole_life(Kind::Postgres);
}

#[test]
fn mariadb_lives_a_whole_life() {
    whole_life(Kind::MariaDb);
}

#[test]
fn dynamodb_lives_a_whole_life() {
    whole_life(Kind::DynamoDb);
}

#[test]
fn memcached_lives_a_whole_life() {
    whole_life(Kind::Memcached);
}

#[test]
fn etcd_lives_a_whole_life() {
    whole_life(Kind::Etcd);
}

#[test]
fn a_redis_cluster_lives_a_whole_life() {
    whole_life(Kind::RedisCluster);
}

#[test]
fn a_cluster_is_whole_again_after_one_node_was_killed_and_restarted() {
    let cluster = start(Kind::RedisCluster).unwrap();
    let last = *cluster.ports().last().unwrap();
    cluster.kill9_node(last);
    assert!(TcpStream::connect(("127.0.0.1", last)).is_err());
    cluster.restart_node(last).unwrap();
    assert!(answers_soon(Kind::RedisCluster, last));
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let redis = thread::spawn(|| start(Kind::Redis).unwrap()).join().unwrap();
    thread::sleep(Duration::from_millis(100));
    assert!(answers_soon(Kind::Redis, redis.port()));
}

#[test]
fn a_server_dies_with_a_panicking_test() {
    let (sender, port) = std::sync::mpsc::channel();
    let test = thread::spawn(move || {
        let redis = start(Kind::Redis).unwrap();
        sender.send((redis.port(), redis.dir().to_owned())).unwrap();
        panic!("as a failing test does");
    });
    assert!(test.join().is_err());
    let (port, directory) = port.recv().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!directory.exists());
}

#[test]
fn a_server_dies_with_a_killed_process_and_leaves_no_directory() {
    for kind in ["redis", "postgres"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "start_and_wait_to_be_killed", "--nocapture"])
            .env("SESSION_TEST_VICTIM", kind)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut stdout = child.stdout.take().unwrap();
        while !said.contains("victim:") || !said.ends_with('\n') {
            let mut byte = [0];
            stdout.read_exact(&mut byte).unwrap();
            said.push(char::from(byte[0]));
        }
        let line = said.split("victim:").nth(1).unwrap().trim().to_owned();
        let (port, directory) = line.split_once(' ').unwrap();
        let port: u16 = port.parse().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let gone = || TcpStream::connect(("127.0.0.1", port)).is_err() && !Path::new(directory).exists();
        assert!(within(PATIENCE, gone), "{kind} outlived its process, or left {directory}");
    }
}

/// Not a claim of its own: the process that the test above kills. Run by the runner it has nothing to do.
#[test]
fn start_and_wait_to_be_killed() {
    let kind = match std::env::var("SESSION_TEST_VICTIM").as_deref() {
        Ok("redis") => Kind::Redis,
        Ok("postgres") => Kind::Postgres,
        _ => return,
    };
    let server = start(kind).unwrap();
    println!("victim:{} {}", server.port(), server.dir().display());
    thread::sleep(Duration::from_secs(600));
}

fn whole_life(kind: Kind) {
    let server = start(kind).unwrap();
    let (port, pid, directory) = (server.port(), server.pid().unwrap(), server.dir().to_owned());
    let all = |server: &Server| server.ports().iter().all(|&port| answers_soon(kind, port));
    assert!(all(&server), "{kind} answers");
    assert_eq!(server.url(), kind.url(&server.ports()));

    server.pause();
    assert!(server.ports().iter().all(|&port| !answers(kind, port)), "{kind} stands still");
    server.resume();
    assert!(all(&server), "{kind} goes on");

    server.kill9();
    assert_eq!(server.pid(), None);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{kind} is dead");
    server.restart().unwrap();
    assert!(all(&server), "{kind} is back");
    assert_eq!((server.port(), server.dir()), (port, directory.as_path()));
    assert_ne!(server.pid().unwrap(), pid);

    server.restart().unwrap();
    assert!(all(&server), "{kind} is back from an orderly restart");

    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{kind} ends with its value");
    assert!(!directory.exists());
}

/// A few bytes of the server's protocol, and any answer within half a second.
fn answers(kind: Kind, port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let hello: &[u8] = match kind {
        Kind::Redis | Kind::RedisCluster => b"PING\r\n",
        // An SSL request, answered with one letter.
        Kind::Postgres => &[0, 0, 0, 8, 4, 210, 22, 47],
        // The server speaks first.
        Kind::MariaDb => b"",
        Kind::Memcached => b"version\r\n",
        Kind::DynamoDb | Kind::Etcd => b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
    };
    stream.write_all(hello).is_ok() && matches!(stream.read(&mut [0; 64]), Ok(1..))
}

/// The same, of a server that is there: a busy machine may take longer than half a second.
fn answers_soon(kind: Kind, port: u16) -> bool {
    within(PATIENCE, || answers(kind, port))
}

fn within(most: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < most {
        if done() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// What never ends on a machine that is only busy ends here.
const PATIENCE: Duration = Duration::from_secs(60);
