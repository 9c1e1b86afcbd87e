//! Commands as the server counts them: one for each verb, and a touch that writes eight bytes.

use std::collections::BTreeMap;

use session_core::store::{OwnerIndex, SessionStore};
use session_store_redis::{RedisStore, redis};
use session_test_servers::{Kind, start};

use crate::support::{PATIENT, fresh_key, now, owned, plain, seconds, until};

/// How often each command was called by clients since the last reset. Commands inside scripts are counted by Redis
/// under their own names; they are no round trips and are left out.
async fn calls(plain: &mut redis::aio::MultiplexedConnection) -> BTreeMap<String, u64> {
    let text: String = redis::cmd("INFO").arg("commandstats").query_async(plain).await.unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
        .map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap()))
        .filter(|(name, _)| !matches!(name.as_str(), "info" | "config|resetstat"))
        .collect()
}

#[tokio::test]
async fn every_verb_is_one_command() {
    let server = start(Kind::Redis).unwrap();
    let store = RedisStore::builder(server.url()).prefix("counts:").timeout(PATIENT).connect().await.unwrap();
    let mut plain = plain(&server.url()).await;
    for warm in [true, false] {
        let (old, new) = (fresh_key(), fresh_key());
        let (first, second, third) = (owned("ada"), owned("ada"), owned("ada"));
        let mut check = async |verb: &str, command: &str| {
            let counted = calls(&mut plain).await;
            let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut plain).await.unwrap();
            if warm {
                return;
            }
            let trips: u64 =
                ["evalsha", "eval", "script|load"].iter().filter_map(|name| counted.get(*name)).sum();
            assert_eq!(counted.get(command), Some(&1), "{verb}: {counted:?}");
            assert_eq!(trips, u64::from(command == "evalsha"), "{verb}: {counted:?}");
        };
        store.load(&old).await.unwrap();
        check("load", "get").await;
        store.create(&old, &first, now()).await.unwrap();
        check("create", "evalsha").await;
        store.replace(&old, first.etag, &second, now()).await.unwrap();
        check("replace", "evalsha").await;
        store.replace(&old, first.etag, &third, now()).await.unwrap();
        check("a replace that conflicts", "evalsha").await;
        store.touch(&old, now().plus(seconds(700)), now()).await.unwrap();
        check("touch", "evalsha").await;
        store.rotate(&old, second.etag, &new, &third, now(), until()).await.unwrap();
        check("rotate", "evalsha").await;
        store.list("ada", now()).await.unwrap();
        check("list", "evalsha").await;
        store.destroy(&new, until()).await.unwrap();
        check("destroy", "evalsha").await;
        store.destroy_all("ada", None, now(), until()).await.unwrap();
        check("destroy_all", "evalsha").await;
    }
}
