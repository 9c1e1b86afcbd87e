//! A store type of one's own around `CasStore` or `TxStore`.

/// Implements `SessionStore` for a type by calling the store in one of its fields.
///
/// A store's crate exports a type of its own, with a builder, and keeps this crate out of its signatures. A store with
/// a sweeper of its own adds `sweeper: |store| Some(store)`, and one with a census of its own then `census: |store| Some(store)`.
///
/// ```
/// # use session_store_kv::{CasEngine, CasStore};
/// # #[derive(Debug)] struct MyEngine;
/// # #[session_core::store::async_trait]
/// # impl CasEngine for MyEngine {
/// #     type Version = u64;
/// #     fn name(&self) -> &'static str { "mine" }
/// #     async fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u64)>, session_core::store::StoreError> { Ok(None) }
/// #     async fn add(&self, _: &str, _: &[u8], _: session_core::Timestamp)
/// #         -> Result<Option<u64>, session_core::store::StoreError> { Ok(None) }
/// #     async fn swap(&self, _: &str, _: &u64, _: &[u8], _: session_core::Timestamp)
/// #         -> Result<session_store_kv::Swapped, session_core::store::StoreError> { Ok(session_store_kv::Swapped::Changed) }
/// #     async fn remove(&self, _: &str, _: &u64)
/// #         -> Result<session_store_kv::Swapped, session_core::store::StoreError> { Ok(session_store_kv::Swapped::Changed) }
/// # }
/// /// Keeps sessions in my engine.
/// #[derive(Debug)]
/// pub struct MyStore {
///     inner: CasStore<MyEngine>,
/// }
///
/// session_store_kv::delegate_session_store!(MyStore, inner);
/// # use session_core::store::SessionStore as _;
/// # assert_eq!(MyStore { inner: CasStore::new(MyEngine) }.name(), "mine");
/// ```
#[macro_export]
macro_rules! delegate_session_store {
    ($store:ty, $field:ident) => {
        $crate::delegate_session_store! { $store, $field, sweeper: |store| {
            $crate::__private::SessionStore::sweeper(&store.$field)
        } }
    };
    ($store:ty, $field:ident, sweeper: |$this:ident| $sweeper:expr) => {
        $crate::delegate_session_store! { $store, $field, sweeper: |$this| $sweeper, census: |store| {
            $crate::__private::SessionStore::census(&store.$field)
        } }
    };
    ($store:ty, $field:ident, sweeper: |$this:ident| $sweeper:expr, census: |$that:ident| $census:expr) => {
        #[$crate::__private::async_trait]
        impl $crate::__private::SessionStore for $store {
            fn name(&self) -> &'static str {
                $crate::__private::SessionStore::name(&self.$field)
            }

            fn max_record(&self) -> usize {
                $crate::__private::SessionStore::max_record(&self.$field)
            }

            async fn load(
                &self,
                key: &$crate::__private::StoreKey,
            ) -> Result<$crate::__private::Loaded, $crate::__private::StoreError> {
                $crate::__private::SessionStore::load(&self.$field, key).await
            }

            async fn create(
                &self,
                key: &$crate::__private::StoreKey,
                record: &$crate::__private::Record,
                now: $crate::__private::Timestamp,
            ) -> Result<$crate::__private::Written, $crate::__private::StoreError> {
                $crate::__private::SessionStore::create(&self.$field, key, record, now).await
            }

            async fn replace(
                &self,
                key: &$crate::__private::StoreKey,
                expected: $crate::__private::Etag,
                record: &$crate::__private::Record,
                now: $crate::__private::Timestamp,
            ) -> Result<$crate::__private::Written, $crate::__private::StoreError> {
                $crate::__private::SessionStore::replace(&self.$field, key, expected, record, now).await
            }

            async fn touch(
                &self,
                key: &$crate::__private::StoreKey,
                idle_deadline: $crate::__private::Timestamp,
                now: $crate::__private::Timestamp,
            ) -> Result<$crate::__private::Written, $crate::__private::StoreError> {
                $crate::__private::SessionStore::touch(&self.$field, key, idle_deadline, now).await
            }

            async fn destroy(
                &self,
                key: &$crate::__private::StoreKey,
                tombstone_until: $crate::__private::Timestamp,
            ) -> Result<$crate::__private::Written, $crate::__private::StoreError> {
                $crate::__private::SessionStore::destroy(&self.$field, key, tombstone_until).await
            }

            async fn rotate(
                &self,
                old: &$crate::__private::StoreKey,
                expected: $crate::__private::Etag,
                new: &$crate::__private::StoreKey,
                record: &$crate::__private::Record,
                now: $crate::__private::Timestamp,
                tombstone_until: $crate::__private::Timestamp,
            ) -> Result<$crate::__private::Written, $crate::__private::StoreError> {
                $crate::__private::SessionStore::rotate(
                    &self.$field,
                    old,
                    expected,
                    new,
                    record,
                    now,
                    tombstone_until,
                )
                .await
            }

            fn owners(&self) -> Option<&dyn $crate::__private::OwnerIndex> {
                $crate::__private::SessionStore::owners(&self.$field)
            }

            fn sweeper(&self) -> Option<&dyn $crate::__private::Sweep> {
                let $this = self;
                $sweeper
            }

            fn census(&self) -> Option<&dyn $crate::__private::Census> {
                let $that = self;
                $census
            }
        }
    };
}
