//! All sessions, in the order of their store keys.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Census, Cursor, Page, SessionHead, StoreError},
};

use crate::call::call;
use crate::dialect::Dialect;
use crate::row::{read_head, read_key};
use crate::statement::Asked;
use crate::store::SqlStore;
use crate::talk::Talk;

/// A page is one statement, which reads the primary key.
#[async_trait]
impl<DB: Dialect> Census for SqlStore<DB> {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (after, most) = (from.and_then(Cursor::key), most.max(1));
        let asked = Asked { after: after.as_ref(), most, now, ..Asked::default() };
        call!(self.reader, again, |connection| {
            let rows = connection.rows(&self.statements.census, &asked).await?;
            let last = rows.last().filter(|_| rows.len() >= most).map(read_key).transpose()?;
            // A row that cannot be read is left out.
            let heads = rows.iter().filter_map(|row| read_head(row).ok()).collect();
            Ok(Page::new(heads, last.as_ref().map(Cursor::after)))
        })
    }
}
