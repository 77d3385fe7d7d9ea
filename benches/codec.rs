//! What one frame costs before and after its signature is checked: reading it, the texts that may have
//! been signed, and pressing it for a thousand listeners, who share the bytes.

use std::hint::black_box;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kith::{
    crypto::keys::PrivateKey,
    dialect::{
        Ear,
        olaf::{
            accent::{self, Form},
            wire::Message,
        },
        press,
    },
    domain::{
        dialect::Dialect,
        id::{ConnectionId, KeyId},
        letter::{Audience, Author, Frame, Letter, Origin},
        replay::Trace,
    },
};
use serde_json::{Value, json};

fn frame(data: &Value) -> String {
    let signature = STANDARD.encode([7; 256]);
    json!({"type": "signed_data", "data": data.to_string(), "counter": 1, "signature": signature}).to_string()
}

fn public_chat(length: usize) -> String {
    let sender = STANDARD.encode([7; 32]);
    frame(&json!({"type": "public_chat", "sender": sender, "message": "m".repeat(length)}))
}

fn reading(c: &mut Criterion) {
    let key = PrivateKey::generate(2048).expect("a key").public().column_pem();
    let hello = frame(&json!({"type": "hello", "public_key": key}));
    let mut group = c.benchmark_group("read");
    for (name, text) in
        [("hello", hello), ("public_chat", public_chat(32)), ("chat of 1 KiB", public_chat(1024))]
    {
        group.throughput(Throughput::Bytes(text.len().try_into().expect("a small frame")));
        group.bench_function(name, |b| {
            b.iter(|| {
                let Ok(Message::Signed(message)) = Message::read(black_box(&text)) else { panic!() };
                black_box(message.body().expect("a body"))
            });
        });
        group.bench_function(format!("{name}, signed texts"), |b| {
            let Ok(Message::Signed(message)) = Message::read(&text) else { panic!() };
            b.iter(|| black_box(Form::candidates(&message, Some(Form::Raw))));
        });
    }
    group.finish();
}

fn pressing(c: &mut Criterion) {
    let letter = Letter {
        from: Origin::Here(ConnectionId(1)),
        author: Author::Proven(KeyId([1; 32])),
        audience: Audience::Everyone,
        trace: Trace([1; 16]),
        dialect: Dialect::Olaf,
        original: Frame::Text(public_chat(256).into()),
        plain: None,
    };
    let plain = accent::Ear::default();
    let object = accent::Ear { letters: accent::Letters::DataAsObject, ..plain };
    let mut group = c.benchmark_group("press");
    for (name, ear) in [("as sent", plain), ("data as object", object)] {
        group.bench_function(name, |b| b.iter(|| black_box(press::letter(&letter, Ear::Olaf(ear)))));
    }
    group.throughput(Throughput::Elements(1000));
    group.bench_function("once, shared by 1,000", |b| {
        b.iter(|| {
            let frame = press::letter(&letter, Ear::Olaf(plain)).expect("a frame");
            (0..1000).map(|_| black_box(frame.clone()).len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, reading, pressing);
criterion_main!(benches);
