//! The macro that makes a store's own type of a store over an engine.

/// Defines a store's own type around a [`CasStore`](crate::CasStore) or [`TxStore`](crate::TxStore).
///
/// The type can be cloned and printed, is a [`SessionStore`](session_core::store::SessionStore), and is made with `From`. The
/// engine stays private.
///
/// ```
/// # use std::sync::Arc;
/// # use session_core::{Timestamp, store::{async_trait, StoreError}};
/// # use session_store_kv::Swapped;
/// use session_store_kv::{CasEngine, CasStore};
///
/// #[derive(Debug)]
/// struct Engine; // and `impl CasEngine for Engine`
/// # #[async_trait]
/// # impl CasEngine for Engine {
/// #     type Version = u64;
/// #     fn name(&self) -> &'static str { "example" }
/// #     async fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> { Ok(None) }
/// #     async fn add(&self, _: &str, _: &[u8], _: Timestamp) -> Result<Option<u64>, StoreError> { Ok(Some(1)) }
/// #     async fn swap(&self, _: &str, _: &u64, _: &[u8], _: Timestamp) -> Result<Swapped, StoreError> { Ok(Swapped::Changed) }
/// #     async fn remove(&self, _: &str, _: &u64) -> Result<Swapped, StoreError> { Ok(Swapped::Changed) }
/// # }
///
/// session_store_kv::store! {
///     /// Keeps sessions in the example engine.
///     pub struct ExampleStore(CasStore<Engine>);
/// }
///
/// let store = ExampleStore::from(CasStore::new(Engine));
/// assert_eq!(session_core::store::SessionStore::name(&store), "example");
/// ```
#[macro_export]
macro_rules! store {
    ($(#[$about:meta])* pub struct $name:ident($inner:ty);) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        pub struct $name($inner);

        const _: () = {
            use ::session_core::store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep};
            use ::session_core::{Timestamp, store::{async_trait, Written}};

            #[doc(hidden)]
            impl From<$inner> for $name {
                fn from(store: $inner) -> Self {
                    Self(store)
                }
            }

            #[async_trait]
            impl SessionStore for $name {
                fn name(&self) -> &'static str {
                    self.0.name()
                }

                fn max_record(&self) -> usize {
                    SessionStore::max_record(&self.0)
                }

                async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
                    self.0.load(key).await
                }

                async fn create(
                    &self,
                    key: &StoreKey,
                    record: &Record,
                    now: Timestamp,
                ) -> Result<Written, StoreError> {
                    self.0.create(key, record, now).await
                }

                async fn replace(
                    &self,
                    key: &StoreKey,
                    expected: Etag,
                    record: &Record,
                    now: Timestamp,
                ) -> Result<Written, StoreError> {
                    self.0.replace(key, expected, record, now).await
                }

                async fn touch(
                    &self,
                    key: &StoreKey,
                    idle_deadline: Timestamp,
                    now: Timestamp,
                ) -> Result<Written, StoreError> {
                    self.0.touch(key, idle_deadline, now).await
                }

                async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
                    self.0.destroy(key, tombstone_until).await
                }

                async fn rotate(
                    &self,
                    old: &StoreKey,
                    expected: Etag,
                    new: &StoreKey,
                    record: &Record,
                    now: Timestamp,
                    tombstone_until: Timestamp,
                ) -> Result<Written, StoreError> {
                    self.0.rotate(old, expected, new, record, now, tombstone_until).await
                }

                fn owners(&self) -> Option<&dyn OwnerIndex> {
                    self.0.owners()
                }

                fn sweeper(&self) -> Option<&dyn Sweep> {
                    self.0.sweeper()
                }
            }
        };
    };
}
