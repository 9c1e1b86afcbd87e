//! Another library with one visitor, for the claims about visitors who are carried over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, Importer, OldSession, RefusedImport};
use session_core::store::{StoreError, async_trait};

/// Its visitor's cookie is `old=ada`.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherLibrary {
    ended: Arc<AtomicBool>,
}

#[async_trait]
impl Importer for OtherLibrary {
    fn name(&self) -> &'static str {
        "other"
    }

    fn cookie(&self) -> &str {
        "old"
    }

    fn clear_cookie(&self) -> String {
        "old=; Path=/; Max-Age=0".to_owned()
    }

    async fn read(&self, cookie: &[u8], _: &CookieHeaders, _: Timestamp) -> Result<OldSession, StoreError> {
        let token = cookie.to_vec();
        Ok(match (cookie, self.ended.load(Ordering::SeqCst)) {
            (b"ada", false) => {
                let data = [("theme".to_owned(), "dark".into())].into_iter().collect();
                OldSession::Found { token, session: Imported::new(data).with_user("ada") }
            }
            (b"ada", true) => OldSession::Missing { token },
            _ => OldSession::Refused(RefusedImport::Forged),
        })
    }

    async fn end(&self, _: &[u8]) -> Result<(), StoreError> {
        self.ended.store(true, Ordering::SeqCst);
        Ok(())
    }
}
