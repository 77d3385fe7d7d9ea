//! The request of the first form: nine lines in a fixed order, without keys and without a last line feed.

use crate::domain::{
    stamp::rfc3339,
    succession::{NodeId, report::Figures},
};

use super::{Fault, text};

/// What the nine lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    /// The id that the host was given, if it was.
    pub id: Option<NodeId>,
    /// The address that it believes to have.
    pub address: Option<String>,
    /// How busy it is.
    pub figures: Figures,
    /// What its clock shows, in its own words. Nothing is decided by it.
    pub clock: String,
}

/// Characters of a host's name that are kept.
const MOST_NAME: usize = 64;

/// The nine lines.
#[must_use]
pub fn host_request(id: Option<NodeId>, address: Option<&str>, figures: &Figures, clock: &str) -> String {
    let id = id.map_or_else(|| "No-Id".to_owned(), |id| id.to_string());
    let Figures { name, cpu_percent, ram_used_mb, ram_total_mb, bandwidth_mb, disk_free_gb } = figures;
    let (address, name) = (address.unwrap_or("No-Ip"), one_line(name));
    format!(
        "{id}\n{address}\n{name}\n{cpu_percent}\n{ram_used_mb}\n{bandwidth_mb}\n{disk_free_gb}\n{ram_total_mb}\n{clock}"
    )
}

/// A moment as programs of the first form write it: `2026-11-20 23:15:02.341000000 UTC`.
#[must_use]
pub fn utc(unix_ms: i64) -> String {
    rfc3339(unix_ms).replace('T', " ").replace('Z', "000000 UTC")
}

/// A name that is one line, and not an empty one: the reader counts lines.
fn one_line(name: &str) -> String {
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(MOST_NAME).collect();
    if name.trim().is_empty() { "host".to_owned() } else { name }
}

pub(super) fn read_report(bytes: &[u8]) -> Result<HostReport, Fault> {
    let text = text(bytes)?;
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let [id, address, name, cpu, ram, bandwidth, disk, total, clock, ..] = lines.as_slice() else {
        return Err(Fault::Cut);
    };
    let cpu_percent = u32::try_from(figure(cpu)?).unwrap_or(u32::MAX);
    Ok(HostReport {
        id: NodeId::parse(id),
        address: (*address != "No-Ip").then(|| (*address).to_owned()),
        figures: Figures {
            name: one_line(name).into(),
            cpu_percent,
            ram_used_mb: figure(ram)?,
            ram_total_mb: figure(total)?,
            bandwidth_mb: figure(bandwidth)?,
            disk_free_gb: figure(disk)?,
        },
        clock: (*clock).to_owned(),
    })
}

/// A figure, of which only the whole part counts.
fn figure(text: &str) -> Result<u64, Fault> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    super::lines::number(whole).ok_or(Fault::NoNumber)
}
