//! The page's own modules in a real browser, measured against recordings of other people's programs and against this
//! program: which keys, fingerprints, signatures and sealed texts they believe, and which door they try next.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PSS_SHA256, RsaPssSaltLength, RsaSignatureEncoding},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kith::{
    crypto::{
        fingerprint::{Form as Name, OFFICIAL, Spelling, Text},
        keys::{PrivateKey, PublicKey},
        sealing::{self, Opener, Sealed},
        signature::{Question, Verifier},
    },
    dialect::olaf::{accent::Form, wire::Message},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    recordings::{Kind, Line, keys, lines},
    stage::Stage,
    talk::page,
    visitor::Visitor,
};

/// Recordings in which something is signed.
const RECORDINGS: [&str; 5] = ["ts", "frew", "kata", "g8", "aegizz"];

/// A page that is not used otherwise.
async fn opened(stage: &Stage, app: &App) -> Visitor {
    Visitor::before(stage.browser().await).opens(&page(app)).await
}

/// Whose of these keys a frame was signed with, in the eyes of this program.
fn signers(line: &Line, keys: &[(PublicKey, String)]) -> Vec<String> {
    let Ok(Message::Signed(message)) = Message::read(&line.text) else { panic!("line {}", line.number) };
    let texts = Form::candidates(&message, None).into_iter().map(|(_, text)| text).collect();
    let question = Question { texts, signature: message.signature, salt: None };
    let believed = |key: &PublicKey| Verifier::new(key).expect("a key").judge(&question).is_some();
    let found = keys.iter().filter(|(key, _)| believed(key)).map(|(key, _)| key.id().hex());
    let mut found: Vec<String> = found.collect();
    found.sort();
    found.dedup();
    found
}

#[actix_web::test]
async fn recorded_frames_are_believed_as_the_program_believes_them() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    for name in RECORDINGS {
        let keys = keys(name);
        let spellings: Vec<&str> = keys.iter().map(|(_, spelling)| spelling.as_str()).collect();
        let said = |kind: Kind| matches!(kind, Kind::Hello | Kind::PublicChat | Kind::Chat);
        let lines: Vec<Line> = lines(name).into_iter().filter(|line| said(line.kind)).collect();
        let frames: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
        // Each frame as it is, and with another counter, under which nobody has signed it.
        let script = "const [spellings, frames] = arguments;
            const [{ hear }, { candidates }, { readKey, whoseSignature }] =
                await Promise.all(['letters', 'print', 'keys'].map((name) => import(`/web/${name}.js`)));
            const keys = await Promise.all(spellings.map(readKey));
            const signers = async (signed) => {
                const found = new Set();
                for (const key of keys) {
                    if (await whoseSignature(key, candidates(signed), signed.signature)) found.add(key.id);
                }
                return [...found].sort();
            };
            const found = [];
            for (const frame of frames) {
                const { signed } = hear(frame);
                found.push([await signers(signed), await signers({ ...signed, counter: signed.counter + 1 })]);
            }
            return found";
        let found: Vec<[Vec<String>; 2]> =
            anna.asks_in_time(script, &[json!(spellings), json!(frames)]).await;
        assert_eq!(found.len(), lines.len(), "{name}");
        for (line, [believed, changed]) in lines.iter().zip(found) {
            assert_eq!(believed, signers(line, &keys), "{name}:{}", line.number);
            assert_eq!(believed.len(), 1, "{name}:{}", line.number);
            assert_eq!(changed, Vec::<String>::new(), "{name}:{}", line.number);
        }
    }
    anna.leaves().await;
}

/// Lengths of salts that somebody may use: all is allowed from none to what fits into 2048 bits.
const SALTS: [u16; 14] = [0, 1, 8, 16, 20, 31, 32, 33, 48, 64, 128, 220, 221, 222];

/// Signs with a salt of this length.
fn salted(key: &KeyPair, text: &str, salt: u16) -> Vec<u8> {
    let encoding: &'static RsaSignatureEncoding =
        Box::leak(Box::new(RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(salt))));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
    signature
}

#[actix_web::test]
async fn a_signature_with_any_salt_is_believed_as_the_program_believes_it() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let [key, other] = [(); 2].map(|()| KeyPair::generate(KeySize::Rsa2048).expect("a key"));
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a key");
    let spelled = STANDARD.encode(spki.as_ref());
    let public = PublicKey::read(&spelled).expect("a key");
    let verifier = Verifier::new(&public).expect("a key");
    let mut cases = Vec::new();
    for salt in SALTS {
        let mut broken = salted(&key, "right", salt);
        broken[100] ^= 1;
        for (signature, is_good) in [
            (salted(&key, "right", salt), true),
            (salted(&key, "left", salt), false),
            (salted(&other, "right", salt), false),
            (broken, false),
        ] {
            let texts = [b"wrong".to_vec(), b"right".to_vec()].into();
            let question = Question { texts, signature: signature.clone(), salt: None };
            assert_eq!(verifier.judge(&question).map(|(at, _)| at), is_good.then_some(1), "{salt}");
            cases.push((STANDARD.encode(signature), is_good.then_some(salt)));
        }
    }
    for bytes in [[0; 256], [255; 256]] {
        cases.push((STANDARD.encode(bytes), None));
    }
    let signatures: Vec<&String> = cases.iter().map(|(signature, _)| signature).collect();
    // Whatever she signed with before, and once for each length that may be asked for first.
    let script = "const [spelling, signatures, likely] = arguments;
        const [{ readKey, whoseSignature }, { fromBase64, utf8 }] =
            await Promise.all(['keys', 'bytes'].map((name) => import(`/web/${name}.js`)));
        const key = await readKey(spelling);
        const texts = [['first', utf8('wrong')], ['second', utf8('right')]];
        const lengths = [];
        const verify = crypto.subtle.verify.bind(crypto.subtle);
        crypto.subtle.verify = (how, ...rest) => {
            lengths.push(how.saltLength);
            return verify(how, ...rest);
        };
        const found = [];
        for (const signature of signatures) {
            lengths.length = 0;
            const how = await whoseSignature(key, texts, fromBase64(signature), likely ?? undefined);
            found.push([how?.form ?? null, how?.salt ?? null, lengths[0], new Set(lengths).size]);
        }
        crypto.subtle.verify = verify;
        return found";
    for likely in [None, Some(32), Some(222), Some(20)] {
        let words = [json!(spelled), json!(signatures), json!(likely)];
        let found: Vec<(Option<String>, Option<u16>, u16, usize)> = anna.asks_in_time(script, &words).await;
        assert_eq!(found.len(), cases.len());
        for ((_, expected), (form, salt, first, lengths)) in cases.iter().zip(found) {
            assert_eq!((form.as_deref(), salt), (expected.map(|_| "second"), *expected), "{likely:?}");
            assert_eq!(first, likely.unwrap_or(32), "what she used before is tried first");
            assert!(lengths <= 4, "{lengths} lengths are tried");
        }
    }
    anna.leaves().await;
}

#[actix_web::test]
async fn every_fingerprint_in_the_world_names_its_key() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let texts =
        [Text::Canonical, Text::Columns, Text::ColumnsAndNewline, Text::Received, Text::ReceivedBase64];
    let spellings = [Spelling::Base64, Spelling::Hex, Spelling::Base64Hex];
    let mut known = Vec::new();
    for (key, received) in RECORDINGS.into_iter().flat_map(keys) {
        let forms = texts.into_iter().flat_map(|text| spellings.map(|spelling| Name { text, spelling }));
        let claims: Vec<String> = forms.map(|form| form.of(&key, &received)).collect();
        known.push(json!({"received": received, "claims": claims, "id": key.id().hex(), "official": OFFICIAL.of(&key, "")}));
    }
    let script = "const [{ readKey, official }, { Directory }] =
            await Promise.all(['keys', 'directory'].map((name) => import(`/web/${name}.js`)));
        const wrong = [];
        for (const { received, claims, id, official: name } of arguments[0]) {
            const key = await readKey(received);
            if (key?.id !== id || official(id) !== name) wrong.push([received, key?.id ?? null]);
            const directory = new Directory();
            await directory.update([['127.0.0.1', received]]);
            for (const claim of claims) {
                if ((await directory.recognise(claim)) !== id) wrong.push([received, claim]);
                const other = /^a/i.test(claim) ? `B${claim.slice(1)}` : `A${claim.slice(1)}`;
                if ((await directory.recognise(other)) !== null) wrong.push([received, other]);
            }
        }
        return wrong";
    assert!(known.len() > 10, "{}", known.len());
    let wrong: Vec<Value> = anna.asks_in_time(script, &[json!(known)]).await;
    assert_eq!(wrong, Vec::<Value>::new());
    anna.leaves().await;
}

/// A sealed text on its way into a page or out of it.
#[derive(Deserialize)]
struct Letter {
    iv: String,
    symm_keys: Vec<String>,
    chat: String,
}

#[actix_web::test]
async fn what_one_side_seals_the_other_opens() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let ours = PrivateKey::generate(2048).expect("a key");
    // A key of the page's making, ours, and a letter of theirs to both.
    let script = "const [{ makeKey, identityOf }, { seal }, { chatBody }, { readKey }] =
            await Promise.all(['identity', 'seal', 'letters', 'keys'].map((name) => import(`/web/${name}.js`)));
        const pkcs8 = await makeKey();
        const identity = await identityOf(pkcs8);
        const sealed = await seal('\\u{1f33b} naïve', ['a', 'b'], [identity.key, await readKey(arguments[0])]);
        window.tried = identity;
        return [identity.pem, chatBody(sealed, [])]";
    let (pem, theirs): (String, Letter) =
        anna.asks_in_time(script, &[json!(ours.public().canonical_pem())]).await;
    let bytes = |text: &String| STANDARD.decode(text).expect("base64");
    let keys = theirs.symm_keys.iter().map(bytes).collect();
    let sealed = Sealed { vector: bytes(&theirs.iv), keys, text: bytes(&theirs.chat) };
    let opened = Opener::new(&ours).expect("an opener").open(&sealed).expect("it opens");
    let opened: Value = serde_json::from_slice(&opened).expect("JSON");
    assert_eq!(opened, json!({"message": "\u{1f33b} naïve", "participants": ["a", "b"]}));

    let page_key = PublicKey::read(&pem).expect("a key");
    let inside = |flat: bool| {
        let flatly = json!({"participants": ["c"], "message": "ours \u{1f41d}"});
        if flat { flatly } else { json!({"chat": flatly}) }
    };
    let mut letters = Vec::new();
    for is_flat in [true, false] {
        let sealed = sealing::seal(inside(is_flat).to_string().as_bytes(), [ours.public(), &page_key])
            .expect("sealed");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let symm_keys: Vec<String> = sealed.keys.iter().map(|key| STANDARD.encode(key)).collect();
        letters.push(json!({"iv": STANDARD.encode(&sealed.vector), "symm_keys": symm_keys, "chat": STANDARD.encode(&sealed.text)}));
        letters.push(json!({"iv": hex(&sealed.vector), "symm_keys": symm_keys, "chat": STANDARD.encode(hex(&sealed.text))}));
        // With one bit of its text or of its tag exchanged, and for somebody else.
        let mut broken = sealed.text.clone();
        *broken.last_mut().expect("a tag") ^= 1;
        letters.push(json!({"iv": STANDARD.encode(&sealed.vector), "symm_keys": symm_keys, "chat": STANDARD.encode(&broken)}));
        letters.push(json!({"iv": STANDARD.encode(&sealed.vector), "symm_keys": [symm_keys[0]], "chat": STANDARD.encode(&sealed.text)}));
    }
    let script = "const { open } = await import('/web/seal.js');
        return Promise.all(arguments[0].map((letter) => open(window.tried, letter)))";
    let opened: Vec<Option<Value>> = anna.asks_in_time(script, &[json!(letters)]).await;
    let read = Some(inside(true));
    assert_eq!(opened, [read.clone(), read.clone(), None, None, read.clone(), read, None, None]);
    anna.leaves().await;
}

/// What is done with the doors of a home, and where the page stands afterwards. The rules are those of `kith chat`.
const ROUNDS: [(&str, &[&str], &[&str]); 5] = [
    ("ws://a:1", &["step", "step"], &["false ws://a:1", "false ws://a:1"]),
    (
        "ws://typed:1",
        &["learn ws://a:1 ws://a:1 ws://b:1 no-door ws://a:1", "step", "step", "step", "step", "step"],
        &[
            "- ws://typed:1",
            "true ws://a:1",
            "true ws://b:1",
            "false ws://a:1",
            "true ws://b:1",
            "true ws://typed:1",
        ],
    ),
    (
        "ws://a:1",
        &["moved ws://b:1", "moved ws://a:1", "good", "moved ws://b:1"],
        &["true ws://b:1", "false ws://a:1", "- ws://a:1", "true ws://b:1"],
    ),
    (
        "wss://a",
        &["learn ws://b ws://b wss://c", "moved ws://d", "step"],
        &["- wss://a", "true wss://c", "false wss://c"],
    ),
    ("ws://a", &["learn - wss://b", "step", "moved ws://c"], &["- ws://a", "true wss://b", "false wss://b"]),
];

#[actix_web::test]
async fn doors_are_tried_as_kith_chat_tries_them() {
    let Some(stage) = Stage::enter().await else { return };
    let app = App::start();
    let anna = opened(&stage, &app).await;
    let script = "const { Doors, readDoor } = await import('/web/doors.js');
        const doors = new Doors(readDoor(arguments[0]));
        return arguments[1].map((deed) => {
            const [what, first, ...rest] = deed.split(' ');
            let stepped = '-';
            if (what === 'learn') doors.learn({ leader: first === '-' ? null : first, doors: rest });
            if (what === 'good') doors.wasGood();
            if (what === 'step') stepped = doors.step(null);
            if (what === 'moved') stepped = doors.step(readDoor(first));
            return `${stepped} ${doors.present.socket}`;
        })";
    for (typed, deeds, expected) in ROUNDS {
        let found: Vec<String> = anna.asks_in_time(script, &[json!(typed), json!(deeds)]).await;
        assert_eq!(found, expected, "{typed} {deeds:?}");
    }
    // A server that names a thousand doors fills no memory, and never pushes out the one that was typed.
    let script = "const { Doors, readDoor } = await import('/web/doors.js');
        const doors = new Doors(readDoor('ws://typed'));
        doors.learn({ leader: null, doors: Array.from({ length: 1000 }, (_, at) => `ws://b${at}`) });
        for (let at = 0; at < 1000; at += 1) {
            doors.step(readDoor(`ws://c${at}`));
            doors.wasGood();
        }
        return [doors.all.length <= 18, doors.all.includes('ws://typed')]";
    assert_eq!(anna.asks_in_time::<[bool; 2]>(script, &[]).await, [true, true]);
    let none = json!([
        "",
        "x",
        "javascript:alert(1)",
        "ws://",
        "ws://a:99999",
        "ws://me:pass@a",
        "ftp://a",
        "ws://a#b",
        7,
        null
    ]);
    let script = "const { readDoor } = await import('/web/doors.js');
        return arguments[0].map((text) => readDoor(text)).filter((door) => door !== null).length";
    assert_eq!(anna.asks_in_time::<u32>(script, &[none]).await, 0);
    anna.leaves().await;
}
