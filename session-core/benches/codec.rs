//! What the cookie codec costs, beside what AES-GCM alone costs in the same run: read the ratios.

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use session_core::{
    machine::{cookie::*, *},
    *,
};

fn ring() -> KeyRing {
    let bytes: [u8; 32] = std::array::from_fn(|place| (place * 37 + 11) as u8);
    KeyRing::new([SecretKey::from_bytes(&bytes).expect("a fair key")]).expect("one key")
}

fn seals(c: &mut Criterion) {
    let ring = ring();
    let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    let raw = Aes256Gcm::new(&[9; 32].into());
    for len in [44, 300, 1000, 3018] {
        let text = vec![b'a'; len];
        let mut group = c.benchmark_group(format!("{len} bytes"));
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function("aes-gcm alone, in place", |b| {
            let mut buffer = text.clone();
            b.iter(|| {
                raw.encrypt_inout_detached(&Nonce::from([1; 12]), b"aad", black_box(&mut buffer[..]).into())
            });
        });
        group.bench_function("aes-gcm with a new key, in place", |b| {
            let mut buffer = text.clone();
            b.iter(|| {
                let raw = Aes256Gcm::new(black_box(&[9; 32].into()));
                raw.encrypt_inout_detached(&Nonce::from([1; 12]), b"aad", black_box(&mut buffer[..]).into())
            });
        });
        group.bench_function("seal", |b| {
            b.iter(|| ring.seal(&binding, SealKind::Record, black_box(&[5; 24]), black_box(&text)));
        });
        let sealed = ring.seal(&binding, SealKind::Record, &[5; 24], &text).into_string();
        group.bench_function("open", |b| {
            b.iter(|| ring.open(&binding, SealKind::Record, black_box(sealed.as_bytes())));
        });
        let mut forged = sealed.clone().into_bytes();
        forged[50] = if forged[50] == b'A' { b'B' } else { b'A' };
        group.bench_function("refuse a forged one", |b| {
            b.iter(|| ring.open(&binding, SealKind::Record, black_box(&forged)));
        });
        group.finish();
    }
}

fn requests(c: &mut Criterion) {
    let ring = ring();
    let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    let now = Timestamp::from_millis(1_795_000_000_000);
    let token =
        IdToken { issued_at: now, absolute_deadline: None, id: SessionId::from_bytes([7; 32]) }.encode();
    let sealed = ring.seal(&binding, SealKind::Id, &[5; 24], &token[..]).into_string();
    let others = "theme=dark; _ga=GA1.1.1234567890.1234567890; lang=en-GB; consent=yes; ";
    let headers = [
        ("no cookie of ours", others.to_owned()),
        ("one id cookie", format!("{others}__Host-sid={sealed}")),
        (
            "eight, seven forged",
            format!(
                "{}__Host-sid={sealed}",
                format!("__Host-sid=A{}; ", &sealed[1..].replace('a', "b")).repeat(7)
            ),
        ),
        ("16 KiB of others", others.repeat(240)),
    ];
    let mut group = c.benchmark_group("select");
    for (name, header) in &headers {
        group.bench_function(*name, |b| {
            b.iter(|| select::<IdToken>(&ring, &binding, "__Host-sid", [black_box(header.as_bytes())], now));
        });
    }
    group.finish();

    let spec = Cookie::host("sid").persistent(true).build().expect("a fair cookie");
    let value = ring.seal(&binding, SealKind::Id, &[5; 24], &token[..]);
    let expiry = Some((std::time::Duration::from_secs(7200), now));
    c.bench_function("set-cookie/session", |b| b.iter(|| spec.set(black_box(&value), None)));
    c.bench_function("set-cookie/persistent", |b| b.iter(|| spec.set(black_box(&value), expiry)));
}

criterion_group! {
    name = codec;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(600))
        .sample_size(20);
    targets = seals, requests
}
criterion_main!(codec);
