//! Any bytes at the readers of the rendezvous, on both sides: no panic, the same however they are cut, and what was understood
//! is understood again as it is printed.
#![no_main]

use kith::dialect::rendezvous::{
    client::{FromClient, Said},
    hello::{self, FromDialler, Greeted},
    line::Line,
    list,
    server::{FromServer, Heard},
};
use libfuzzer_sys::fuzz_target;

/// The bytes in pieces, of which the first byte says how long they are.
fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (length, rest) = data.split_first().unwrap_or((&1, data));
    rest.chunks(usize::from(*length).max(1))
}

fn again(line: &Line) {
    assert_eq!(line.to_string().parse().as_ref(), Ok(line));
}

fn client(pieces: &[&[u8]]) -> Vec<Said> {
    let (mut reader, mut out) = (FromClient::default(), Vec::new());
    pieces.iter().for_each(|piece| reader.push(piece, &mut out));
    reader.quiet(&mut out);
    reader.end(&mut out);
    assert!(!reader.waits_for_quiet());
    out
}

fn server(pieces: &[&[u8]]) -> Vec<Heard> {
    let (mut reader, mut out) = (FromServer::default(), Vec::new());
    pieces.iter().for_each(|piece| reader.push(piece, &mut out));
    reader.quiet(&mut out);
    reader.end(&mut out);
    assert!(!reader.waits_for_quiet());
    out
}

/// What came of a hello, with all bytes behind it that nobody has read.
fn dialler(pieces: &[&[u8]]) -> Option<Greeted> {
    let mut reader = FromDialler::default();
    let mut pieces = pieces.iter();
    let greeted = pieces.by_ref().find_map(|piece| reader.push(piece)).or_else(|| reader.end());
    let rest = pieces.copied().collect::<Vec<_>>().concat();
    Some(match greeted? {
        Greeted::Hello(at, behind) => Greeted::Hello(at, [behind, rest].concat()),
        Greeted::Nonsense(bytes) => Greeted::Nonsense([bytes, rest].concat()),
    })
}

fuzz_target!(|data: &[u8]| {
    let cut: Vec<_> = pieces(data).collect();
    let whole = cut.concat();
    let said = client(&[&whole]);
    assert_eq!(client(&cut), said);
    for one in &said {
        match one {
            Said::Registration { at, .. } => assert_eq!(at.to_string().parse(), Ok(*at)),
            Said::Line(line) => again(line),
            Said::Unknown | Said::Nonsense => {}
        }
    }
    let heard = server(&[&whole]);
    assert_eq!(server(&cut), heard);
    for one in &heard {
        match one {
            Heard::List(entries) => {
                let mut short: Vec<_> = entries.iter().filter(|at| at.is_v4()).copied().collect();
                short.truncate(11);
                let printed = list::print(&short, false);
                let wanted = if printed.len() > 6 { vec![Heard::List(short)] } else { server(&[&printed]) };
                assert_eq!(server(&[&printed]), wanted);
            }
            Heard::Directory(directory) => {
                let printed: Vec<_> = Line::of(directory).iter().flat_map(Line::bytes).collect();
                assert_eq!(server(&[&printed]), [Heard::Directory(directory.clone())]);
            }
            Heard::Line(line) => again(line),
            Heard::Teardown | Heard::Full | Heard::Unknown => {}
        }
    }
    let greeted = dialler(&[&whole]);
    assert_eq!(dialler(&cut), greeted);
    if let Some(Greeted::Hello(at, _)) = greeted {
        assert_eq!(dialler(&[hello::print(at).as_bytes()]), Some(Greeted::Hello(at, Vec::new())));
    }
});
