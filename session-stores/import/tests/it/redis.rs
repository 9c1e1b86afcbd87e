//! Visitors whose sessions are in Redis.

use session_import::{AdonisJs, Laravel, RedisRecords};
use session_test_servers::{Kind, shared};

use crate::support::New;
use crate::{adonisjs, laravel};

#[tokio::test]
async fn visitors_of_adonisjs_and_laravel_with_sessions_in_redis_are_carried_over() {
    let server = shared(Kind::Redis);
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let records = RedisRecords::connect(server.url()).await.unwrap();
    let mut written = Vec::new();
    for fixtures in adonisjs::fixtures() {
        let visitor = &fixtures["redis"];
        let record = adonisjs::text(visitor, "record");
        let key = adonisjs::text(visitor, "id").to_owned();
        let set = redis::cmd("SET").arg(&key).arg(record).to_owned();
        written.push(key);
        () = set.query_async(&mut connection).await.unwrap();
        let importer = AdonisJs::new(adonisjs::cookie(adonisjs::keys(&fixtures)), records.clone());
        let app = adonisjs::new(importer);
        app.carries_over(adonisjs::text(visitor, "cookie"), &adonisjs::expected(&fixtures)).await;
    }
    for cipher in laravel::fixtures() {
        for visitor in cipher.visitors() {
            // The prefix of the connection and that of the cache store.
            let prefix = "laravel_database_laravel_cache:";
            let key = format!("{prefix}{}", visitor.id);
            let set = redis::cmd("SET").arg(&key).arg(&visitor.redis).to_owned();
            written.push(key);
            () = set.query_async(&mut connection).await.unwrap();
            let importer = Laravel::new(cipher.cookie(), records.clone().prefix(prefix));
            let app = New::importing(cipher.importer(&visitor, importer));
            app.carries_over(&visitor.cookie, &laravel::expected(visitor.is_json)).await;
        }
    }
    assert!(written.len() > 10, "{written:?}");
    let left: u64 = redis::cmd("EXISTS").arg(&written).query_async(&mut connection).await.unwrap();
    assert_eq!(left, 0, "every session was ended");
}
