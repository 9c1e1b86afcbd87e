//! What a visitor sees when the store fails: every store, opened by its URL, on its real server, behind real HTTP.
//!
//! A server that cannot be started fails its tests. Tests that stop a server have their own; the others share
//! the one that the environment names, if any.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod back;
mod connections;
mod console;
mod crowd;
mod disk;
mod down;
mod failover;
mod line;
mod local;
mod lost;
mod read_only;
mod redis_only;
mod site;

use session_conformance::proxy::Weather;
use session_test_servers::Kind;

use lost::Way;
use site::Place;

/// The claims about one store, as tests in a module of its name.
macro_rules! claims {
    ($($store:ident { $($claim:ident: $proof:expr;)* })*) => {$(
        mod $store {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    $proof.await;
                }
            )*
        }
    )*};
}

/// What is claimed of a store whose one server can be cut off.
macro_rules! servers {
    ($($store:ident: $kind:expr;)*) => {
        claims! {$(
            $store {
                paused_means_503_and_no_cookie_changes: down::paused($kind);
                killed_means_503_and_no_cookie_changes: down::killed($kind);
                a_black_hole_means_503_and_no_cookie_changes: down::cut_off($kind, Weather::BlackHole);
                a_restart_is_recovered_from_again_and_again: back::restarted($kind);
                a_silence_is_recovered_from_again_and_again: back::silent($kind);
                a_slow_line_is_waited_for: down::slow($kind);
                slowness_beyond_the_deadline_means_503: down::too_slow($kind);
                resets_mean_503_and_no_cookie_changes: down::cut_off($kind, Weather::Reset);
                a_request_cut_anywhere_loses_no_acknowledged_write:
                    lost::no_acknowledged_write($kind, Way::Request);
                a_reply_cut_anywhere_loses_no_acknowledged_write:
                    lost::no_acknowledged_write($kind, Way::Reply);
                a_logout_whose_request_is_cut_anywhere_revives_nobody: lost::no_logout($kind, Way::Request);
                a_logout_whose_reply_is_cut_anywhere_revives_nobody: lost::no_logout($kind, Way::Reply);
                sixteen_clients_lose_no_write: crowd::sixteen_clients_lose_no_write(Place::server($kind));
                a_logout_is_final_for_slow_writers: crowd::a_logout_is_final_for_slow_writers(Place::server($kind));
            }
        )*}
    };
}

servers! {
    redis: Kind::Redis;
    redis_cluster: Kind::RedisCluster;
    postgres: Kind::Postgres;
    mariadb: Kind::MariaDb;
    dynamodb: Kind::DynamoDb;
    memcached: Kind::Memcached;
    etcd: Kind::Etcd;
}

claims! {
    a_redis {
        forgotten_scripts_are_not_noticed: redis_only::scripts_forgotten(Kind::Redis);
        paused_clients_mean_503_and_no_cookie_changes: redis_only::clients_paused();
        a_replica_means_503_for_writers_and_no_cookie_changes: redis_only::demoted();
        no_more_clients_means_503_and_no_cookie_changes: redis_only::out_of_clients();
    }
    a_redis_cluster {
        forgotten_scripts_are_not_noticed: redis_only::scripts_forgotten(Kind::RedisCluster);
        a_killed_master_means_503_until_its_replica_serves:
            failover::a_killed_master_is_503_until_its_replica_serves();
    }
    a_postgres {
        no_more_connections_means_503_and_no_cookie_changes: connections::postgres();
        a_full_disk_means_503_and_no_cookie_changes: disk::postgres();
        a_read_only_database_means_503_for_writers_and_no_cookie_changes: read_only::postgres();
        a_standby_means_503_for_writers_until_it_is_promoted: read_only::postgres_standby();
    }
    a_mariadb {
        no_more_connections_means_503_and_no_cookie_changes: connections::mariadb();
        a_full_disk_means_503_and_no_cookie_changes: disk::mariadb();
        a_read_only_server_means_503_for_writers_and_no_cookie_changes: read_only::mariadb();
    }
    files {
        a_full_disk_means_503_and_no_cookie_changes: disk::files();
        lost_directories_mean_503_and_no_cookie_changes: local::directories_lost();
        sixteen_clients_lose_no_write: crowd::sixteen_clients_lose_no_write(Place::files());
        a_logout_is_final_for_slow_writers: crowd::a_logout_is_final_for_slow_writers(Place::files());
    }
    sqlite {
        a_full_disk_means_503_and_no_cookie_changes: disk::sqlite();
        a_writer_that_does_not_end_means_503_for_writers_and_no_cookie_changes: local::held_by_another_writer();
        sixteen_clients_lose_no_write: crowd::sixteen_clients_lose_no_write(Place::sqlite());
        a_logout_is_final_for_slow_writers: crowd::a_logout_is_final_for_slow_writers(Place::sqlite());
    }
}
