//! The macro that defines tests of the crowd's claims.

/// Defines tests of the [crowd](crate::crowd)'s claims at their full size, in the module where it is called.
///
/// With the path of a function `async fn() -> Fixture` it defines two tests: 160 slow writers against a sign-out, a
/// thousand times, and 64 writers of 50 increments. For a store that several processes can open it takes two paths, of an
/// `async fn() -> Place` that makes a new place for data and of an `async fn(String) -> Store` that opens the store
/// there, and defines a third test: the increments from four processes.
///
/// ```
/// mod a_store_in_memory {
///     use session_conformance::Fixture;
///
///     async fn fixture() -> Fixture {
///         Fixture::new(session_store_memory::MemoryStore::new())
///     }
///
///     session_conformance::crowd_suite!(fixture);
/// }
/// # fn main() {}
/// ```
///
/// A store that other processes can open:
///
/// ```no_run
/// # use session_store_memory::MemoryStore as MyStore;
/// use session_conformance::crowd::Place;
///
/// async fn place() -> Place {
///     Place::at("mystore://127.0.0.1:7777 a-new-prefix:")
/// }
///
/// async fn open(_place: String) -> MyStore {
///     MyStore::new() // at this place, with a deadline of a minute
/// }
///
/// session_conformance::crowd_suite!(place, open);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! crowd_suite {
    ($fixture:path) => {
        #[test]
        fn crowd_of_160_slow_writers_does_not_revive_a_destroyed_session_1000_times_of_1000() {
            $crate::crowd::run_logout($fixture, $crate::crowd::Crowd::default());
        }

        #[test]
        fn crowd_of_64_writers_of_50_increments_ends_at_3200() {
            $crate::crowd::run_counting($fixture, 64, 50);
        }
    };
    ($place:path, $open:path) => {
        async fn a_store_for_a_crowd() -> $crate::Fixture {
            let place: $crate::crowd::Place = $place().await;
            $crate::Fixture::new($open(place.as_str().to_owned()).await).with_guard(place)
        }

        $crate::crowd_suite!(a_store_for_a_crowd);

        #[test]
        fn crowd_of_64_writers_in_four_processes_ends_at_3200() {
            const NAME: &str =
                concat!(module_path!(), "::crowd_of_64_writers_in_four_processes_ends_at_3200");
            $crate::crowd::run_four_processes($place, $open, NAME, 64, 50);
        }
    };
}
