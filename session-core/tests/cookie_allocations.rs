//! What the codec allocates, counted. One test, alone in its program: the counter is the program's.

mod cookie_support;

use std::alloc::System;

use cookie_support::*;
use session_core::{machine::*, *};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTER: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn pa_8_other_cookies_cost_no_allocation_and_a_seal_only_its_output() {
    let ring = ring(&[1]);
    let binding = binding();
    let token = id_token(1_000, 5).encode();
    let sealed = ring.seal(&binding, SealKind::Id, &[1; 24], &token[..]);
    let ours = format!("theme=dark; sid={}", sealed.as_str());
    let junk = format!("sid={}; ", "A".repeat(120)).repeat(200);
    let others = "theme=dark; lang=en; ".repeat(700);
    let long = vec![b'a'; 3018];
    let long_value = ring.seal(&binding, SealKind::Record, &[1; 24], &long);
    let spec = Cookie::insecure_http("sid").build().unwrap();
    let look =
        |header: &str| select::<IdToken>(&ring, &binding, "sid", [header.as_bytes()], at(1_000)).came_in;

    assert_eq!(allocations(|| assert!(!look(&others))), (0, 0), "other cookies");
    assert_eq!(allocations(|| assert!(look(&ours))), (0, 0), "a good id cookie");
    assert_eq!(allocations(|| assert!(look(&junk))), (0, 0), "200 forged ones");
    let seal = |text: &[u8]| ring.seal(&binding, SealKind::Record, &[1; 24], text);
    assert_eq!(allocations(|| drop(seal(&token[..]))), (1, 120), "the text of an id cookie");
    assert_eq!(allocations(|| drop(seal(&long))), (1, sealed_len(3018)), "the text of a full cookie");
    let open = || ring.open(&binding, SealKind::Record, long_value.as_str().as_bytes());
    assert_eq!(allocations(|| drop(open())), (1, 3018 + 16), "the opened text");
    assert_eq!(allocations(|| drop(spec.set(&sealed, None))).0, 1, "the header");

    let flood = format!("sid={}; ", "A".repeat(4000)).repeat(8);
    let (_, bytes) = allocations(|| assert!(look(&flood)));
    assert!(bytes <= 64 * 1024, "{bytes} bytes for a header of 16 KiB");
}

/// The least of several runs: the test harness has a thread of its own, which allocates now and then.
fn allocations(work: impl Fn()) -> (usize, usize) {
    let counted = (0..20).map(|_| {
        let region = Region::new(COUNTER);
        work();
        let change = region.change();
        (change.allocations + change.reallocations, change.bytes_allocated)
    });
    counted.min().expect("twenty runs")
}
