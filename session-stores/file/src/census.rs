//! All sessions, one of the 256 directories after the other.

use session_core::{
    Timestamp,
    store::{Census, Cursor, Page, SessionHead, StoreError, StoreKey, async_trait},
};
use session_store_kv::codec::Entry;

use crate::disk::Disk;
use crate::fault::Fault;
use crate::store::FileStore;

/// A page is one directory or several. It takes no lock: a session that is written meanwhile is one or the other.
#[async_trait]
impl Census for FileStore {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let mut fan: u16 = from.and_then(|from| from.as_str().parse().ok()).unwrap_or(0);
        let mut heads = Vec::new();
        while heads.len() < most.max(1)
            && let Ok(next) = u8::try_from(fan)
        {
            heads.extend(self.files().read(move |disk| heads_in(disk, next, now)).await?);
            fan += 1;
        }
        Ok(Page::new(heads, u8::try_from(fan).ok().map(|fan| Cursor::new(fan.to_string()))))
    }
}

fn heads_in(disk: &Disk, fan: u8, now: Timestamp) -> Result<Vec<SessionHead>, Fault> {
    let mut heads = Vec::new();
    for name in disk.fan_names(fan)? {
        let Ok(key) = name.parse::<StoreKey>() else { continue };
        let Some(bytes) = disk.read(&key)? else { continue };
        if let Ok(Entry::Record(record)) = Entry::decode(&key, &bytes)
            && record.is_live(now)
        {
            heads.push(SessionHead::of(key, &record));
        }
    }
    Ok(heads)
}
