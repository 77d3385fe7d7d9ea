//! What presence costs: printing the client list once, which is then shared by everybody who hears it,
//! and telling a neighbour that somebody came.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kith::{
    crypto::keys::PrivateKey,
    dialect::{
        Ear,
        olaf::{
            self,
            accent::{self, Lists},
        },
        press,
    },
    domain::{dialect::Dialect, id::KeyId, member::Member},
};

fn member(number: u32, pem: &str) -> Member {
    let spelled = KeyId(std::array::from_fn(|at| number.to_be_bytes()[at % 4]));
    Member {
        key: spelled,
        name: None,
        number,
        dialect: Dialect::Olaf,
        public_key: pem.into(),
        spelled,
        sealing_key: None,
        display_name: None,
        fingerprint: Some(spelled),
    }
}

/// The bytes that one join costs towards one neighbour, as the home grows. They are printed, because they
/// are what counts: to a Kith neighbour they stay the same, to others they grow with the home.
fn telling(c: &mut Criterion) {
    let pem = PrivateKey::generate(2048).expect("a key").public().column_pem();
    let mut group = c.benchmark_group("join told to a neighbour");
    for count in [100, 1000, 10_000] {
        let members: Vec<Member> = (0..count).map(|number| member(number, &pem)).collect();
        let newcomer = member(count, &pem);
        let change = || press::change(u64::from(count), &newcomer, true, Ear::Kith);
        let accent = olaf::peer::Accent::default();
        let whole = || press::whole(members.iter(), "127.0.0.1:8080", Ear::OlafPeer(accent));
        for (name, frame) in [("kith", change()), ("olaf", whole())] {
            println!("{name}, {count} members: {} bytes", frame.map_or(0, |frame| frame.len()));
        }
        group.bench_function(format!("kith, {count} members"), |b| b.iter(|| black_box(change())));
        group.bench_function(format!("olaf, {count} members"), |b| b.iter(|| black_box(whole())));
    }
    group.finish();
}

fn printing(c: &mut Criterion) {
    // The same key for all: the length is what counts.
    let pem = PrivateKey::generate(2048).expect("a key").public().column_pem();
    let member = |number| member(number, &pem);
    let mut group = c.benchmark_group("list");
    for count in [100, 1000, 10_000] {
        let members: Vec<Member> = (0..count).map(member).collect();
        group.throughput(Throughput::Elements(count.into()));
        for (name, lists) in [("plain", Lists::Plain), ("numbered", Lists::Numbered)] {
            let ear = Ear::Olaf(accent::Ear { lists, ..accent::Ear::default() });
            group.bench_function(format!("{name}, {count} members"), |b| {
                let members = members.iter().collect();
                let homes = [press::Home { number: 1, address: "127.0.0.1:8080", members }];
                b.iter(|| black_box(press::list(&homes, ear)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, printing, telling);
criterion_main!(benches);
