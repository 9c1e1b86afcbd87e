//! Whether the time of a refusal tells where the guess was wrong: Welch's t-test over two kinds of forgery, after the
//! `dudect` paper (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"). Below 4.5 it tells nothing.
//!
//! `cargo bench -p session-core --bench reject_timing`

use std::hint::black_box;
use std::time::Instant;

use session_core::{machine::cookie::*, *};

/// Of each kind, about half of these.
const SAMPLES: usize = 1_000_000;
/// Beyond this many standard errors, the two kinds differ.
const SUSPICIOUS: f64 = 4.5;

fn main() {
    println!("{:<44}{:>10}{:>10}", "refusal: wrong at the first byte or the last", "|t| all", "|t| 90 %");
    let bytes: [u8; 32] = std::array::from_fn(|place| (place * 37 + 11) as u8);
    let ring =
        SecretKey::from_bytes(&bytes).and_then(|key| KeyRing::new([key])).expect("a fair key makes a ring");
    let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    for (name, len) in [("sealed cookie, 44 bytes", 44), ("sealed cookie, 1000 bytes", 1000)] {
        let sealed = ring.seal(&binding, SealKind::Record, &[5; 24], &vec![b'a'; len]).into_string();
        let tag = sealed.len() - 20;
        let forgeries = forgeries(sealed.as_bytes(), tag);
        row(name, &forgeries, |given| ring.open(&binding, SealKind::Record, given).is_err());
    }
    let session = Session::standalone();
    let token = session.csrf().token().expect("the system has randomness");
    let guesses = forgeries(token.as_bytes(), 0);
    row("form token", &guesses, |given| {
        !std::str::from_utf8(given).is_ok_and(|given| session.csrf().verify(given))
    });
}

/// The same text with another letter at `first`, and with another letter before its end. Not the very last one: in
/// base64 some of its bits may have to be zero, and that is no secret.
fn forgeries(text: &[u8], first: usize) -> [Vec<u8>; 2] {
    [first, text.len() - 2].map(|place| {
        let mut forged = text.to_vec();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        forged
    })
}

/// Times both kinds in random turns, from one buffer, and prints how far apart their means are.
fn row(name: &str, forgeries: &[Vec<u8>; 2], refused: impl Fn(&[u8]) -> bool) {
    let mut scratch = forgeries[0].clone();
    let mut turn = 0x9E37_79B9_7F4A_7C15_u64;
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let kind = usize::from(turn >> 63 == 1);
        scratch.copy_from_slice(&forgeries[kind]);
        let begun = Instant::now();
        let answer = refused(black_box(&scratch));
        let took = begun.elapsed().as_nanos();
        assert!(black_box(answer), "{name}: a forgery is accepted");
        times.push((kind, took as f64));
    }
    let all = welch(&times);
    // Interrupts make a few samples thousands of times as long; without them a small difference shows sooner.
    let mut sorted: Vec<f64> = times.iter().map(|&(_, took)| took).collect();
    sorted.sort_by(f64::total_cmp);
    let longest = sorted[SAMPLES * 9 / 10];
    times.retain(|&(_, took)| took <= longest);
    let cropped = welch(&times);
    let verdict = if all.max(cropped) < SUSPICIOUS { "" } else { "  differs" };
    println!("{name:<44}{all:>10.2}{cropped:>10.2}{verdict}");
}

fn welch(times: &[(usize, f64)]) -> f64 {
    let of = |wanted: usize| {
        let own = || times.iter().filter(|&&(kind, _)| kind == wanted).map(|&(_, took)| took);
        let count = own().count() as f64;
        let mean = own().sum::<f64>() / count;
        let variance = own().map(|took| (took - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((first, first_error), (last, last_error)) = (of(0), of(1));
    (first - last).abs() / (first_error + last_error).sqrt()
}
