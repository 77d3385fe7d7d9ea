//! How we say who we are to another server, and what the way in which it says so tells about it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytestring::ByteString;
use serde_json::{Value, json};

use super::{
    accent::{self, Accent, Data, Field, Greeting, Printer, Signed, Spelling},
    wire::Hello,
};
use crate::{
    crypto::{
        sha256,
        signature::{Question, Salt},
    },
    dialect::olaf::{accent::Form, print, wire::Signed as Envelope},
    domain::letter::Frame,
};

/// The counter of the only signed message that we say on a socket. Some begin with 0 and refuse it from
/// others; nobody refuses 1.
const COUNTER: u64 = 1;
/// One implementation always says this number.
const COUNTER_OF_AEG: u64 = 12_345;
/// The length of the hash that one implementation sends for a signature.
const HASH_BYTES: usize = 32;

/// Our own hello, before it is signed.
#[derive(Debug)]
pub(super) struct Draft {
    accent: Accent,
    data: Value,
}

impl Draft {
    pub(super) fn new(accent: Accent, address: &str) -> Self {
        let kind = match accent.greeting {
            Greeting::Hello => "server_hello",
            Greeting::Connect => "server_connect",
        };
        let field = match accent.field {
            Field::Sender => "sender",
            Field::Hostname => "hostname",
        };
        let data = json!({"type": kind, field: accent::spelled(address, accent.spelling)});
        // Whoever prints it again, in the order in which it came or sorted, then finds the same text.
        let data = if accent.printer == Printer::Sorted { print::sorted(&data) } else { data };
        Self { accent, data }
    }

    fn print(&self, value: &Value) -> String {
        match self.accent.printer {
            Printer::Sorted => print::compact(&print::sorted(value)),
            Printer::Compact => print::compact(value),
            Printer::Python => print::python(value),
        }
    }

    /// What is to be signed, if anything is.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        (self.accent.signed == Signed::Rsa).then(|| self.unsigned_text())
    }

    fn unsigned_text(&self) -> Vec<u8> {
        format!("{}{COUNTER}", self.print(&self.data)).into_bytes()
    }

    /// The hello, with the signature if one was asked for.
    pub(super) fn frame(&self, signature: &[u8]) -> Frame {
        let data = match self.accent.data {
            Data::Text => Value::from(self.print(&self.data)),
            Data::Object => self.data.clone(),
        };
        let signed = |counter: Value, signature: &[u8]| {
            let signature = STANDARD.encode(signature);
            json!({"type": "signed_data", "data": data, "counter": counter, "signature": signature})
        };
        let frame = match self.accent.signed {
            Signed::Rsa => signed(COUNTER.into(), signature),
            Signed::Hash => signed(COUNTER.to_string().into(), &sha256(&self.unsigned_text())),
            Signed::None => json!({ "data": data }),
        };
        Frame::Text(ByteString::from(self.print(&frame)))
    }
}

/// What stands for a signature in a hello.
pub(super) fn proof(hello: &Hello<'_>) -> Signed {
    match &hello.envelope {
        None => Signed::None,
        Some(signed) if signed.signature.len() == HASH_BYTES => Signed::Hash,
        Some(_) => Signed::Rsa,
    }
}

/// What their signature may cover, the likeliest first, if `found` is how they signed before.
pub(super) fn question(signed: &Envelope<'_>, found: Option<(Form, Salt)>) -> (Vec<Form>, Question) {
    let candidates = Form::candidates(signed, found.map(|(form, _)| form));
    let (forms, texts) = candidates.into_iter().unzip();
    let (signature, salt) = (signed.signature.clone(), found.map(|(_, salt)| salt));
    (forms, Question { texts, signature, salt })
}

/// The hello in words.
pub(super) fn describe(hello: &Hello<'_>) -> String {
    let how = match proof(hello) {
        Signed::Rsa => "signed",
        Signed::Hash => "with a hash for a signature",
        Signed::None => "unsigned",
    };
    format!("a server that calls itself {}, {how}", hello.address)
}

/// The accent of a server that says hello like this: the one of the implementation that is known to,
/// or else one that mirrors what is seen. `found` is the text that was signed, if that was checked.
pub(super) fn recognise(hello: &Hello<'_>, found: Option<(Form, Salt)>) -> Accent {
    let Some(signed) = &hello.envelope else { return Accent::AEG0 };
    let proof = proof(hello);
    if proof == Signed::Hash {
        return Accent::G8;
    }
    let spelling = spelling(&hello.address);
    if hello.greeting == Greeting::Connect && hello.field == Field::Hostname {
        return Accent { spelling, ..Accent::FREW };
    }
    let printer = printer(&signed.data, found.map(|(form, _)| form));
    let data = if signed.data_is_string { Data::Text } else { Data::Object };
    let mirrored = Accent {
        data,
        printer,
        greeting: hello.greeting,
        field: hello.field,
        spelling,
        signed: proof,
        ..Accent::default()
    };
    let salt = found.map(|(_, salt)| salt);
    let form = found.map(|(form, _)| form);
    let is_usual = hello.greeting == Greeting::Hello && hello.field == Field::Sender;
    match (data, printer) {
        _ if !is_usual => mirrored,
        (Data::Text, Printer::Sorted) if signed.counter == COUNTER_OF_AEG => Accent::AEG,
        (Data::Text, Printer::Python) if salt != Some(Salt::Digest) => Accent { spelling, ..Accent::CAM },
        (Data::Text, Printer::Compact) => Accent { spelling, ..Accent::TS },
        (Data::Object, _) if matches!(form, Some(Form::Wrapped | Form::WrappedRaw)) => Accent::G17,
        (Data::Object, Printer::Python) if spelling == Spelling::Ws => Accent::KAT,
        (Data::Object, Printer::Compact) => Accent { spelling, ..Accent::TSC },
        _ => mirrored,
    }
}

fn spelling(address: &str) -> Spelling {
    match address.split_once("://") {
        Some(("wss", _)) => Spelling::Wss,
        Some(_) => Spelling::Ws,
        None => Spelling::Plain,
    }
}

/// How the data was printed for its signature, or else how it stands in the frame.
fn printer(data: &str, form: Option<Form>) -> Printer {
    match form {
        Some(Form::Compact | Form::Ascii) => return Printer::Compact,
        Some(Form::Python | Form::PythonSorted) => return Printer::Python,
        Some(Form::CompactSorted | Form::AsciiSorted | Form::Wrapped | Form::WrappedRaw) => {
            return Printer::Sorted;
        }
        Some(Form::Raw) | None => {}
    }
    let Ok(value) = serde_json::from_str::<Value>(data) else { return Printer::default() };
    if *data == *print::compact(&print::sorted(&value)) {
        Printer::Sorted
    } else if *data == *print::compact(&value) {
        Printer::Compact
    } else {
        Printer::Python
    }
}
