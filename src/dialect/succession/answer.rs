//! The answer of the first form: five keys, and a sixth where not all is well.
//!
//! While its first program moves, it spells one key in another way, which ends every host that does not expect it.
//! Both spellings are read; only the one that all hosts know is ever written.

use crate::domain::succession::{
    NodeId,
    legacy::{HostAnswer, Told},
};

use super::{Fault, lines::Lines, text};

/// The answer to a host of the first form. Without a last line feed.
#[must_use]
pub fn tell(told: &Told) -> String {
    // Programs of the first form look at where to go only where not all is well.
    let is_well = told.is_known && told.new_server.is_none();
    let state = if is_well { "OK" } else { "Unauthorized" };
    let or_none = |address: &Option<std::sync::Arc<str>>| {
        address.as_ref().map_or_else(|| "None".to_owned(), |address| address.to_string())
    };
    let mut text = format!(
        "State: {state}\nSwitch-To-Server: {}\nNew-Server: {}\nFallback-Server: {}\nId: {}",
        told.lead,
        or_none(&told.new_server),
        or_none(&told.fallback),
        told.id
    );
    if !is_well {
        text = format!("{text}\nIp: {}", told.address);
    }
    text
}

/// Reads such an answer, in either spelling.
///
/// # Errors
/// It is not whole, or not one.
pub fn read_answer(bytes: &[u8]) -> Result<HostAnswer, Fault> {
    let text = text(bytes)?;
    // Whatever comes behind an empty line is not for hosts.
    let head = text.split_once("\n\n").map_or(text, |(head, _)| head);
    let lines = Lines::of(head);
    let lead = lines.get("Switch-To-Server").or_else(|| lines.get("SwitchToServer"));
    let address = |key: &'static str| {
        let known = |text: &&str| !text.is_empty() && *text != "None";
        lines.need(key).map(|text| Some(text).filter(known).map(ToOwned::to_owned))
    };
    Ok(HostAnswer {
        is_known: lines.read("State", |state| match state {
            "OK" => Some(true),
            "Unauthorized" => Some(false),
            _ => None,
        })?,
        lead: match lead {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(Fault::Line("Switch-To-Server")),
        },
        new_server: address("New-Server")?,
        fallback: address("Fallback-Server")?,
        id: lines.read("Id", NodeId::parse)?,
        address: lines.get("Ip").map(ToOwned::to_owned),
    })
}
