//! What a read and a write of one value cost, on a small session and a large one.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use session_core::{
    machine::{Bag, Values},
    store::Payload,
};

/// What a signed-in visitor's session looks like: about 300 bytes.
fn small() -> Payload {
    let items: Vec<String> =
        (0..5).map(|n| format!(r#"{{"sku":"SKU-{n:04}","qty":{n},"cents":{}}}"#, n * 995)).collect();
    let text = format!(
        r#"{{"uid":184467440737,"user":"alice@example.com","csrf":"{}","cart":[{}],"hits":0}}"#,
        "x".repeat(43),
        items.join(",")
    );
    text.into_bytes().into()
}

/// The same with sixty names of about 270 bytes each.
fn large() -> Payload {
    let mut values = Values::new(Bag::decode(small()).expect("the small one is an object"));
    for n in 0..60 {
        values.put(&*format!("notes{n}"), "lorem ipsum ".repeat(21)).expect("a string is JSON");
    }
    values.bag().encode().into()
}

fn bench(c: &mut Criterion) {
    for (name, payload) in [("300 B", small()), ("16 KB", large())] {
        println!("{name}: {} bytes", payload.len());
        c.bench_function(&format!("{name}: decode"), |b| b.iter(|| Bag::decode(black_box(payload.clone()))));
        c.bench_function(&format!("{name}: decode, get one"), |b| {
            b.iter(|| {
                let values = Values::new(Bag::decode(black_box(payload.clone())).expect("an object"));
                values.get::<u64>("uid")
            });
        });
        c.bench_function(&format!("{name}: decode, get one by path"), |b| {
            b.iter(|| {
                let values = Values::new(Bag::decode(black_box(payload.clone())).expect("an object"));
                values.get::<u32>("cart.3.qty")
            });
        });
        c.bench_function(&format!("{name}: decode, put one, encode"), |b| {
            let mut out = Vec::new();
            b.iter(|| {
                let mut values = Values::new(Bag::decode(black_box(payload.clone())).expect("an object"));
                values.put("hits", 1).expect("a number is JSON");
                out.clear();
                values.encode_into(&mut out);
                out.len()
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
