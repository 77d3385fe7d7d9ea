//! What it costs to print the client list once; it is then shared by everybody who hears it.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kith::{
    crypto::keys::PrivateKey,
    dialect::{
        Ear,
        olaf::accent::{self, Lists},
        press,
    },
    domain::{dialect::Dialect, id::KeyId, member::Member},
};

fn printing(c: &mut Criterion) {
    // The same key for all: the length is what counts.
    let pem = PrivateKey::generate(2048).expect("a key").public().column_pem();
    let member = |number| Member {
        key: KeyId([0; 32]),
        number,
        dialect: Dialect::Olaf,
        public_key: pem.as_str().into(),
    };
    let mut group = c.benchmark_group("list");
    for count in [100, 1000, 10_000] {
        let members: Vec<Member> = (0..count).map(member).collect();
        group.throughput(Throughput::Elements(count.into()));
        for (name, lists) in [("plain", Lists::Plain), ("numbered", Lists::Numbered)] {
            let ear = Ear::Olaf(accent::Ear { lists, ..accent::Ear::default() });
            group.bench_function(format!("{name}, {count} members"), |b| {
                b.iter(|| black_box(press::list("127.0.0.1:8080", members.iter(), ear)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, printing);
criterion_main!(benches);
