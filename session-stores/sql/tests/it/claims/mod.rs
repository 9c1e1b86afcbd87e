//! Claims about every SQL database beyond the store suite, written once and run on each database.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    clippy::unwrap_used,
    reason = "each database's tests use most of these, none all; and they are tests"
)]

pub(crate) mod broken;
pub(crate) mod fixture;
pub(crate) mod late;
pub(crate) mod migration;
pub(crate) mod outage;
pub(crate) mod owners;
pub(crate) mod races;
pub(crate) mod rows;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Record, SessionStore, StoreError, StoreKey, Written},
};
use session_store_sql::SqlConfig;
use session_test_servers::Kind;

pub(crate) type Store = Arc<dyn SessionStore>;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_millis(1_795_007_200_000);

/// For what must succeed however busy the machine is.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// A database with a table of its own for each value.
#[allow(async_fn_in_trait, reason = "tests run where they stand")]
pub(crate) trait Ground: Sized + Send + Sync + 'static {
    /// What the README calls the tool for reading sessions.
    const TOOL: &str;
    /// The tables as version 1 of the schema made them.
    const VERSION_1: &str;

    /// A place where nothing has been made yet.
    async fn bare() -> Self;
    /// A store there, with a configuration that names the table already.
    fn open(&self, set: impl FnOnce(SqlConfig) -> SqlConfig) -> Store;
    fn migrate(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Runs statements as somebody else, with the table's name in the place of `{table}`.
    fn run(&self, statements: &str) -> impl Future<Output = ()> + Send;
    /// The text in a column of the first row that a statement answers with.
    async fn ask(&self, statement: &str, column: usize) -> String;
    /// Keeps everybody from writing to the row (or the whole file) until the value is dropped.
    async fn hold(&self, key: &StoreKey) -> Box<dyn Any + Send>;
    /// Bytes as a literal.
    fn bytes(bytes: &[u8]) -> String;
    /// An expression for the payload's first half.
    const HALF: &str;
    /// What another process finds this place by, and the store there.
    fn text(&self) -> String;
    fn at(text: &str) -> Store;
    /// A store with this deadline on a database that stalls until the value is dropped.
    fn stalled(deadline: Duration) -> impl Future<Output = (Store, Box<dyn Any + Send>)> + Send;

    /// A place with its table.
    async fn new() -> Self {
        let ground = Self::bare().await;
        ground.migrate().await.unwrap();
        ground
    }

    fn store(&self) -> Store {
        self.open(|config| config.deadline(PATIENT))
    }
}

/// One on a server.
#[allow(async_fn_in_trait, reason = "tests run where they stand")]
pub(crate) trait Served: Ground {
    const KIND: Kind;
    /// The user in the URL of a test server.
    const USER: &str;
    /// Makes the user `{user}`, who may do nothing.
    const NEW_USER: &str;

    /// Makes a user who can connect no more, until the value is dropped.
    async fn exhausted(&self, user: &str) -> Box<dyn Any>;

    fn url() -> String;
    fn open_at(url: &str, config: SqlConfig) -> Result<Store, session_store_sql::SqlConfigError>;
    async fn migrate_at(url: &str);
    fn table(&self) -> &str;

    fn config(&self) -> SqlConfig {
        SqlConfig::new().table(self.table()).unwrap()
    }
}

/// Makes a test of each of the claims on this ground.
macro_rules! claims {
    ($ground:ty: $($claims:ident { $($claim:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $claim() {
                claims::$claims::$claim::<$ground>().await;
            }
        )*)*
    };
}

/// What holds on every database.
macro_rules! every_database {
    ($ground:ty) => {
        mod conformance {
            use super::claims::{Store, fixture};

            async fn fixture() -> session_conformance::Fixture {
                fixture::fixture::<$ground>().await
            }

            async fn place() -> session_conformance::crowd::Place {
                fixture::place::<$ground>().await
            }

            async fn open(place: String) -> Store {
                <$ground as super::claims::Ground>::at(&place)
            }

            session_conformance::store_suite!(fixture);
            session_conformance::crowd_suite!(place, open);
        }

        claims::claims! { $ground:
            rows {
                every_field_comes_back_unchanged
                a_newer_record_is_left_alone
                a_missing_table_is_refused
                a_row_that_something_has_been_at_is_corrupt
                a_session_is_read_as_the_readme_says
                too_large_is_said_before_any_call
            }
            races {
                rotate_answers_what_was_in_the_way
                of_parallel_rotates_one_wins
                a_rotate_that_is_repeated_while_it_runs_is_applied
            }
            owners {
                owners_list_the_living_and_spare_the_excepted
                a_session_created_during_destroy_all_is_ended_or_listed
                a_regenerate_during_destroy_all_does_not_save_a_session
                a_sweep_removes_the_dead_and_nothing_else
            }
            migration {
                many_may_migrate_at_once
                a_table_of_version_1_is_brought_up_to_date_by_many_at_once
                a_table_of_a_newer_library_is_not_migrated
            }
            late {
                a_write_that_timed_out_is_not_carried_out_later
            }
        }
    };
}

/// What holds on every server.
macro_rules! every_server {
    ($ground:ty) => {
        claims::claims! { $ground:
            outage {
                a_user_without_permission_is_refused
                neither_errors_nor_debug_show_a_password
                a_server_without_a_free_connection_times_out
                a_server_that_nobody_runs_is_unavailable_and_the_cause_says_refused
                a_server_that_stalls_or_dies_is_lived_with
            }
            late {
                a_write_that_waited_for_a_connection_first_is_not_carried_out_later
            }
            broken {
                a_network_that_fails_is_lived_with
                a_visit_after_every_connection_broke_succeeds
                a_read_whose_answer_is_lost_is_asked_again
                a_write_whose_answer_is_lost_is_settled_by_its_etag
            }
        }
    };
}
pub(crate) use {claims, every_database, every_server};

/// A number that no other call in any process of this test run gives.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (u64::from(std::process::id()) << 40) | NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A table that neither another test nor an earlier run on the same server has.
pub(crate) fn table_name() -> String {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("t{since_1970}_{}", unique() % (1 << 40))
}

pub(crate) fn key() -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&unique().wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[24..].copy_from_slice(&unique().to_be_bytes());
    StoreKey::from_bytes(bytes)
}

pub(crate) fn record(payload: &str) -> Record {
    Record::new(Etag::new(unique()), NOW, LATER, payload.as_bytes().into())
}

pub(crate) fn owned(owner: &str) -> Record {
    record("{}").with_owner(Some(owner.into()))
}

pub(crate) async fn created(store: &Store, record: &Record) -> StoreKey {
    let key = key();
    assert_eq!(store.create(&key, record, NOW).await.unwrap(), Written::Applied);
    key
}

/// Uses every statement of a store once.
#[allow(dead_code, reason = "for the databases with schemas")]
pub(crate) async fn every_verb(store: &impl SessionStore) {
    let (one, two, first, second) = (key(), key(), owned("ada"), owned("ada"));
    assert_eq!(store.create(&one, &first, NOW).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&one).await.unwrap(), session_core::store::Loaded::Found(first.clone()));
    assert_eq!(store.touch(&one, LATER, NOW).await.unwrap(), Written::Applied);
    assert_eq!(store.replace(&one, first.etag, &second, NOW).await.unwrap(), Written::Applied);
    let third = owned("ada");
    assert_eq!(store.rotate(&one, second.etag, &two, &third, NOW, LATER).await.unwrap(), Written::Applied);
    let index = store.owners().unwrap();
    assert_eq!((index.count("ada", NOW).await.unwrap(), index.list("ada", NOW).await.unwrap().len()), (1, 1));
    assert_eq!(index.heads("ada", None, 9, NOW).await.unwrap().entries.len(), 1);
    assert_eq!(index.destroy_all("ada", None, NOW, LATER).await.unwrap(), 1);
    store.destroy(&two, LATER).await.unwrap();
    store.sweeper().unwrap().sweep(LATER, 10).await.unwrap();
}
