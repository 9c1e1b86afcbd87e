//! The allocations of the codec.

use session_core::{machine::cookie::*, *};
use stats_alloc::Region;

use crate::cookie_support::*;
use crate::{COUNTER, alone};

#[test]
fn pa_8_other_cookies_cost_no_allocation_and_ours_three() {
    let _alone = alone();
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
    // The decoded bytes, the additional data, the opened text.
    assert_eq!(allocations(|| assert!(look(&ours))).0, 3, "a good id cookie");
    // Eight of them are looked at.
    assert!(allocations(|| assert!(look(&junk))).0 <= 3 * 8, "200 forged ones");
    // The bytes, the additional data, the text.
    let seal = |text: &[u8]| ring.seal(&binding, SealKind::Record, &[1; 24], text);
    assert_eq!(allocations(|| drop(seal(&token[..]))).0, 3, "the text of an id cookie");
    let (count, bytes) = allocations(|| drop(seal(&long)));
    assert!(count == 3 && bytes <= 2 * sealed_len(3018), "the text of a full cookie: {bytes} bytes");
    let open = || ring.open(&binding, SealKind::Record, long_value.as_str().as_bytes());
    let (count, bytes) = allocations(|| drop(open()));
    assert!(count == 3 && bytes <= 2 * sealed_len(3018), "the opened text: {bytes} bytes");
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
