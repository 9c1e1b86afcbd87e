//! All sessions of a server, found by going through its keys.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Census, Cursor, Page, SessionHead, StoreError},
};
use session_store_kv::codec;

use crate::owners::{MOST_AT_ONCE, parts};
use crate::script::CENSUS;
use crate::store::RedisStore;

/// A page looks at a few hundred of the server's keys, of whatever program they are, and may hold no session.
#[async_trait]
impl Census for RedisStore {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let most = most.clamp(1, MOST_AT_ONCE).to_string();
        let arguments: [&[u8]; 4] = [
            self.sessions.as_bytes(),
            &codec::encode_moment(now),
            from.map_or("0", Cursor::as_str).as_bytes(),
            most.as_bytes(),
        ];
        let (found, next) = parts(self.link.run(&CENSUS, &[], &arguments).await?.reply)?;
        let heads = found.iter().filter_map(|(key, bytes)| codec::decode_any_head(key, bytes));
        Ok(Page::new(heads.collect(), next))
    }
}
