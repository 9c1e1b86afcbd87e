//! `cargo xtask up`: runs every server until Ctrl-C.

use std::io::{self, Write};
use std::thread;

use session_test_servers::Kind;

use crate::failure::Failure;
use crate::packages;
use crate::servers::{Running, Starting};

pub(crate) fn run() -> Result<(), Failure> {
    let needed: Vec<_> = packages::missing()
        .into_iter()
        .filter(|package| package.needed_by != packages::Need::Browser)
        .collect();
    if !needed.is_empty() && !packages::may_install() {
        let names: Vec<&str> = needed.iter().map(|package| package.name).collect();
        return Err(Failure::new(format!("install these packages first: {}", names.join(" "))));
    }
    println!("starting (the first time, dynoxide is built: some minutes)…");
    let running = Starting::begin(&Kind::ALL, needed, false).wait()?;
    print!("{}", words(&running));
    io::stdout().flush()?;
    // Ctrl-C and SIGTERM terminate this process, and the servers with it: the kernel kills them, and their watcher
    // removes their directories. A signal handler is not needed.
    loop {
        thread::park();
    }
}

fn words(running: &Running) -> String {
    let mut words = String::from(
        "\n# one of these for the application, with a key (docs/configuration.md has the rest):\n",
    );
    words
        .push_str("export SESSION_KEYS=$(openssl rand -hex 32) SESSION_COOKIE_SECURE=false   # plain HTTP\n");
    for server in &running.servers {
        words.push_str(&for_an_application(server.kind(), &server.url()));
    }
    words
        .push_str("\n# all of these for `cargo nextest run`, so that tests start no servers of their own:\n");
    for (name, value) in running.environment() {
        words.push_str(&format!("export {name}={value}\n"));
    }
    words.push_str("\nCtrl-C stops them all and removes their data.\n");
    words
}

fn for_an_application(kind: Kind, url: &str) -> String {
    let lines = match kind {
        Kind::Redis => format!("export SESSION_DRIVER=redis REDIS_URL={url}"),
        Kind::RedisCluster => format!("export SESSION_DRIVER=redis-cluster REDIS_URL={url}"),
        Kind::Postgres => format!("export SESSION_DRIVER=postgres DATABASE_URL={url}"),
        Kind::MariaDb => format!("export SESSION_DRIVER=mysql DATABASE_URL={url}"),
        Kind::Memcached => format!("export SESSION_DRIVER=memcached MEMCACHED_URL={url}"),
        Kind::Etcd => format!("export SESSION_DRIVER=etcd ETCD_URL={url}"),
        Kind::DynamoDb => {
            let endpoint = url.trim_start_matches("dynamodb://").trim_end_matches("/sessions");
            format!(
                "export SESSION_DRIVER=dynamodb AWS_ENDPOINT_URL_DYNAMODB=http://{endpoint} AWS_REGION=us-east-1 \
                 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
            )
        }
    };
    format!("{lines}   # {kind}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_line_to_paste() {
        let url = Kind::DynamoDb.url(&[8000]);
        let line = for_an_application(Kind::DynamoDb, &url);
        assert!(line.contains("AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 "), "{line}");
        let line = for_an_application(Kind::MariaDb, &Kind::MariaDb.url(&[3306]));
        assert_eq!(
            line,
            "export SESSION_DRIVER=mysql DATABASE_URL=mysql://root@127.0.0.1:3306/test   # MariaDB\n"
        );
    }
}
