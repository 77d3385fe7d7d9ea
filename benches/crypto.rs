//! What a signature costs: verifying with parsed keys of `aws-lc-rs` against the `rsa` crate, which only
//! sees salts of odd length; signing; and the worst question a stranger can ask.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kith::crypto::{
    keys::{PrivateKey, PublicKey},
    signature::{Question, Salt, Verifier, sign},
};

/// About as long as a short letter.
const TEXT: [u8; 400] = [b'x'; 400];

fn verifying(c: &mut Criterion) {
    for bits in [2048, 4096] {
        let key = PrivateKey::generate(bits).expect("a key");
        let verifier = Verifier::new(key.public()).expect("a verifier");
        let signature = sign(&key, &TEXT, Salt::Digest).expect("a signature");
        let question = Question { texts: vec![TEXT.to_vec()], signature, salt: None };
        let asked = |salt| Question { salt: Some(salt), ..question.clone() };
        let (usual, odd) = (asked(Salt::Digest), asked(Salt::Other));
        let mut group = c.benchmark_group(format!("RSA-{bits}"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("verify, parsed key", |b| {
            b.iter(|| assert!(verifier.judge(black_box(&usual)).is_some()));
        });
        group.bench_function("verify, any salt (rsa crate)", |b| {
            b.iter(|| assert!(verifier.judge(black_box(&odd)).is_some()));
        });
        group.bench_function("parse key for verifying", |b| {
            b.iter(|| black_box(Verifier::new(key.public()).expect("a verifier")));
        });
        group.sample_size(20);
        group.bench_function("sign", |b| b.iter(|| sign(&key, black_box(&TEXT), Salt::Digest)));
        group.finish();
    }
}

/// A hello whose signature fits none of the seven texts that it may have been made over.
fn judging(c: &mut Criterion) {
    let key = PrivateKey::generate(2048).expect("a key");
    let verifier = Verifier::new(key.public()).expect("a verifier");
    let texts = (0..7_u8).map(|at| [&TEXT[..], &[at]].concat()).collect();
    let signature = sign(&key, b"something else", Salt::Digest).expect("a signature");
    let question = Question { texts, signature, salt: None };
    let mut group = c.benchmark_group("judge");
    group.throughput(Throughput::Elements(1));
    group.bench_function("a bad signature over 7 texts", |b| {
        b.iter(|| assert_eq!(verifier.judge(black_box(&question)), None));
    });
    let good = sign(&key, &question.texts[0], Salt::Digest).expect("a signature");
    let question = Question { signature: good, salt: Some(Salt::Digest), ..question };
    group.bench_function("a good one in the known form", |b| {
        b.iter(|| assert_eq!(verifier.judge(black_box(&question)), Some((0, Salt::Digest))));
    });
    let pem = key.public().column_pem();
    group.bench_function("reading a PEM", |b| b.iter(|| PublicKey::read(black_box(&pem))));
    group.finish();
}

criterion_group!(benches, verifying, judging);
criterion_main!(benches);
