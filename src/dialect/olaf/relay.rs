//! What OLAF clients are sent: other people's letters, and the client list.

use bytestring::ByteString;
use serde::Serialize;
use serde_json::Value;

use super::{
    accent::{Letters, Lists},
    print,
};
use crate::{
    dialect::press::Home,
    domain::{letter::Frame, member::Member},
};

/// A letter in this shape: the original bytes, unless they would not be understood.
#[must_use]
pub fn letter(original: &Frame, letters: Letters) -> Frame {
    match letters {
        Letters::AsSent => original.clone(),
        Letters::DataAsObject => data_as_object(original).unwrap_or_else(|| original.clone()),
    }
}

/// The same letter with `data` as an object, printed as the clients that need it print.
fn data_as_object(original: &Frame) -> Option<Frame> {
    let mut frame: Value = serde_json::from_str(original.text()?).ok()?;
    let data = frame.get_mut("data")?;
    let inner: Value = serde_json::from_str(data.as_str()?).ok()?;
    *data = inner;
    Some(Frame::Text(ByteString::from(print::python(&frame))))
}

#[derive(Serialize)]
struct PlainList<'a> {
    r#type: &'static str,
    servers: Vec<PlainServer<'a>>,
}

#[derive(Serialize)]
struct PlainServer<'a> {
    address: &'a str,
    clients: Vec<&'a str>,
}

/// Keys in alphabetical order: the one implementation that wants this list sorts them all.
#[derive(Serialize)]
struct NumberedList<'a> {
    servers: Vec<NumberedServer<'a>>,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NumberedServer<'a> {
    address: &'a str,
    clients: Vec<NumberedClient<'a>>,
    server_id: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NumberedClient<'a> {
    client_id: u32,
    public_key: &'a str,
}

const KIND: &str = "client_list";

/// The client list. Keys are written exactly as their owners wrote them.
#[must_use]
pub fn client_list(homes: &[Home<'_>], lists: Lists) -> String {
    let printed = match lists {
        Lists::Plain => {
            let servers = homes.iter().map(|home| PlainServer {
                address: home.address,
                clients: home.members.iter().map(|member| &*member.public_key).collect(),
            });
            serde_json::to_string(&PlainList { r#type: KIND, servers: servers.collect() })
        }
        Lists::Numbered => {
            let servers = homes.iter().map(|home| NumberedServer {
                address: home.address,
                clients: home.members.iter().map(numbered).collect(),
                server_id: home.number,
            });
            serde_json::to_string(&NumberedList { servers: servers.collect(), r#type: KIND })
        }
    };
    // Strings and numbers always print.
    printed.unwrap_or_default()
}

fn numbered<'a>(member: &&'a Member) -> NumberedClient<'a> {
    NumberedClient { client_id: member.number, public_key: &member.public_key }
}
