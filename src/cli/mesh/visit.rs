//! The short visits: say a wish at the control door, or look around, and leave.

use std::{path::Path, time::Duration};

use tokio::time::timeout;

use super::{
    MeshCommand, Pair, control,
    error::MeshError,
    order::{Answer, Change, Order},
    status,
};
use crate::cli::{
    admin::{api::escaped, print},
    paint::Paint,
};

/// How long a server may take to be told that it should dial again.
const NUDGE: Duration = Duration::from_secs(3);

/// Does what a visitor wishes.
pub(super) async fn run(folder: &Path, command: MeshCommand) -> Result<(), MeshError> {
    let line = |Pair { one, other }: Pair, change| Order::Line { one, other, change };
    let order = match command {
        // Whoever brings it up stays, and is no visitor.
        MeshCommand::Up { .. } => return Ok(()),
        MeshCommand::Status { json, wait } => return show(folder, json, wait).await,
        MeshCommand::Down => Order::Down,
        MeshCommand::Add => Order::Add,
        MeshCommand::Kill { server } => Order::Kill(server),
        MeshCommand::Stop { server } => Order::Stop(server),
        MeshCommand::Start { server } => Order::Start(server),
        MeshCommand::Cut { pair, reset: false } => line(pair, Change::Cut),
        MeshCommand::Cut { pair, reset: true } => line(pair, Change::Refuse),
        MeshCommand::Heal { pair } => line(pair, Change::Heal),
        MeshCommand::Slow { pair, delay } => {
            let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            line(pair, Change::Slow { delay_ms })
        }
    };
    if let Answer::Done(said) = control::ask(folder, order).await? {
        print(&said)?;
    }
    if let Order::Line { one, other, change: Change::Heal } = order {
        nudge(folder, one, other).await;
    }
    Ok(())
}

async fn show(folder: &Path, json: bool, wait: Option<Duration>) -> Result<(), MeshError> {
    let (status, all_up) = match wait {
        Some(patience) => status::wait(folder, patience).await?,
        None => (status::look(folder).await?, true),
    };
    print(&if json { status.json()? } else { status.draw(Paint::of_stdout()) })?;
    if all_up {
        return Ok(());
    }
    eprintln!("kith mesh: {}", status::missing(&status));
    Err(MeshError::Said)
}

/// Has both ends of a mended line dial at once instead of when their patience is over. Whatever goes
/// wrong here mends itself a little later.
async fn nudge(folder: &Path, one: u8, other: u8) {
    let Ok(Answer::Report(report)) = control::ask(folder, Order::Report).await else { return };
    let Ok(status) = status::look(folder).await else { return };
    for (from, to) in [(one, other), (other, one)] {
        let server = report.servers.iter().find(|server| server.number == from && server.running);
        let Some((server, peer)) = server.zip(status.peer(from, to)) else { continue };
        if let Ok(api) = status::api(folder, server) {
            let path = format!("/api/v1/peers/{}/retry", escaped(peer));
            let _ = timeout(NUDGE, api.post(&path)).await;
        }
    }
}
