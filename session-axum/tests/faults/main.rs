//! What a visitor sees when the store fails: every store, opened by its URL, on its real server, behind real HTTP.
//!
//! A server that cannot be started fails its tests. Those that stop a server have one of their own; the others share
//! the one that the environment names, if it names any.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod crowd;
mod down;
mod line;
mod local;
mod lost;
#[path = "../../../examples/probe/src/axum.rs"]
mod probe;
mod site;

use session_test_servers::Kind;
use session_testkit::proxy::Weather;

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
                resets_mean_503_and_no_cookie_changes: down::cut_off($kind, Weather::Reset);
                a_lost_reply_loses_no_acknowledged_write: lost::a_lost_reply_loses_no_acknowledged_write($kind);
                a_lost_reply_to_a_logout_revives_nobody: lost::a_lost_reply_to_a_logout_revives_nobody($kind);
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
}

claims! {
    files {
        lost_directories_mean_503_and_no_cookie_changes: local::directories_lost();
        sixteen_clients_lose_no_write: crowd::sixteen_clients_lose_no_write(Place::files());
        a_logout_is_final_for_slow_writers: crowd::a_logout_is_final_for_slow_writers(Place::files());
    }
    sqlite {
        a_writer_that_does_not_end_means_503_for_writers_and_no_cookie_changes: local::held_by_another_writer();
        sixteen_clients_lose_no_write: crowd::sixteen_clients_lose_no_write(Place::sqlite());
        a_logout_is_final_for_slow_writers: crowd::a_logout_is_final_for_slow_writers(Place::sqlite());
    }
}
