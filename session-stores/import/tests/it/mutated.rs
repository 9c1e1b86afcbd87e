//! Cookies and records with a few bytes changed, cut or doubled: every one is answered, and none of a cookie opens.

use serde_json::json;
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Importer, OldSession};
use session_import::{AdonisJs, Laravel};

use crate::support::{InMemory, New, value_of};
use crate::{adonisjs, laravel};

/// A small generator: the same mutants in every run.
struct Mutants(u64);

impl Mutants {
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most.max(1) as u64).unwrap()
    }

    fn of(&mut self, text: &[u8]) -> Vec<u8> {
        let mut mutant = text.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(mutant.len());
            let marks = b"\0\"'(){}:;.,=%+-0123456789aOsidbNCErR\xff";
            match self.below(6) {
                // Another letter or digit, which often leaves the format intact.
                0 if mutant.get(at).is_some_and(u8::is_ascii_alphanumeric) => mutant[at] ^= 1,
                1 => mutant.truncate(at),
                2 => mutant.insert(at, marks[self.below(marks.len())]),
                3 => {
                    let part = mutant[at..(at + self.below(40)).min(mutant.len())].to_vec();
                    mutant.splice(at..at, part);
                }
                4 if at < mutant.len() => drop(mutant.remove(at)),
                _ if at < mutant.len() => mutant[at] = marks[self.below(marks.len())],
                _ => mutant.push(b'x'),
            }
        }
        mutant
    }
}

const RUNS: usize = 1_000;

async fn read(importer: &dyn Importer, cookie: &[u8], all: &CookieHeaders) -> OldSession {
    importer.read(cookie, all, Timestamp::from_millis(0)).await.unwrap()
}

/// No mutant of a sealed cookie opens, unless it says the same: base64 and percent-encoding have several spellings.
async fn none_opens(importer: &dyn Importer, cookie: &str, seed: u64) {
    let value = value_of(cookie).as_bytes();
    let original = match read(importer, value, &CookieHeaders::default()).await {
        OldSession::Missing { token } => token,
        found => panic!("{found:?}"),
    };
    let mut mutants = Mutants(seed);
    for _ in 0..RUNS {
        let mutant = mutants.of(value);
        match read(importer, &mutant, &CookieHeaders::default()).await {
            OldSession::Refused(_) => {}
            OldSession::Missing { token } => assert_eq!(token, original),
            OldSession::Found { .. } => panic!("there are no records"),
        }
    }
}

#[tokio::test]
async fn no_mutant_of_a_sealed_cookie_opens() {
    for (fixtures, seed) in adonisjs::fixtures().iter().zip(1..) {
        let cookie = adonisjs::cookie(adonisjs::keys(fixtures));
        let importer = AdonisJs::new(cookie, InMemory::default());
        none_opens(&importer, adonisjs::text(&fixtures["redis"], "cookie"), seed).await;
    }
    for (cipher, seed) in laravel::fixtures().iter().zip(11..) {
        let importer = Laravel::new(cipher.cookie(), InMemory::default());
        let visitor = &cipher.visitors()[0];
        none_opens(&importer, &visitor.cookie, seed).await;
        none_opens(&importer, &visitor.cookie_serialized, seed).await;
    }
}

#[tokio::test]
async fn no_mutant_of_a_cookie_of_data_panics() {
    let mut mutants = Mutants(21);
    for fixtures in adonisjs::fixtures() {
        let keys = adonisjs::keys(&fixtures);
        let importer = AdonisJs::in_cookie(adonisjs::cookie(keys.clone()), keys);
        for visitor in fixtures["cookie"].as_object().unwrap().values() {
            let (signed, data) = adonisjs::text(visitor, "cookie").split_once("; ").unwrap();
            for _ in 0..RUNS {
                let all = CookieHeaders::from_iter([mutants.of(data.as_bytes())]);
                read(&importer, value_of(signed).as_bytes(), &all).await;
            }
        }
    }
    for cipher in laravel::fixtures() {
        let importer = Laravel::in_cookie(cipher.cookie(), cipher.keys.clone());
        for (cookie, ..) in cipher.in_cookie() {
            let (id, data) = cookie.split_once("; ").unwrap();
            for _ in 0..RUNS {
                let all = CookieHeaders::from_iter([mutants.of(data.as_bytes())]);
                read(&importer, value_of(id).as_bytes(), &all).await;
            }
        }
    }
}

#[tokio::test]
async fn every_mutant_of_a_record_is_a_session_or_a_stranger() {
    let mut mutants = Mutants(31);
    for fixtures in adonisjs::fixtures() {
        let visitor = &fixtures["redis"];
        for _ in 0..RUNS {
            let record = mutants.of(adonisjs::text(visitor, "record").as_bytes());
            let records = InMemory::with(adonisjs::text(visitor, "id"), record);
            let importer = AdonisJs::new(adonisjs::cookie(adonisjs::keys(&fixtures)), records);
            New::importing(importer).request(adonisjs::text(visitor, "cookie")).await;
        }
    }
    for cipher in laravel::fixtures() {
        for visitor in cipher.visitors() {
            for record in [&visitor.record, &visitor.redis] {
                for _ in 0..RUNS / 8 {
                    let records = InMemory::with(&visitor.id, mutants.of(record));
                    let importer = cipher.importer(&visitor, Laravel::new(cipher.cookie(), records));
                    New::importing(importer).request(&visitor.cookie).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn the_mutants_reach_both_answers() {
    let mut mutants = Mutants(41);
    let cipher = &laravel::fixtures()[0];
    let visitor = &cipher.visitors()[0];
    let mut answers = [0, 0];
    for _ in 0..RUNS {
        let records = InMemory::with(&visitor.id, mutants.of(&visitor.record));
        let importer = Laravel::new(cipher.cookie(), records);
        let seen = New::importing(importer).request(&visitor.cookie).await;
        answers[usize::from(seen.values["all"] == json!({}))] += 1;
    }
    assert!(answers.iter().all(|count| *count > RUNS / 40), "{answers:?}");
}
