//! This node as a host of a server that knows only the first form: it reports there, and goes where it is sent.
//!
//! What it makes of the answers is decided in `domain/succession/guest.rs`. Being told to lead changes nothing here:
//! the door of succession is open whatever happens, and that is where such hosts come next.

use std::{future::pending, time::Duration};

use tokio::{sync::mpsc, time::sleep};

use super::{driver::Caller, figures::Measured, lease, post::exchange};
use crate::{
    actors::clock::unix_ms,
    dialect::succession::{PORT, host_request, read_answer, utc},
    domain::succession::{
        guest::{Errand, Guest, News},
        home::host_of,
        legacy::HostAnswer,
        message::Failure,
        numbers::Numbers,
        report::Figures,
    },
};

/// Whom this node reports to, and as whom.
pub(super) struct Visit {
    /// `host:port` of the server.
    pub(super) server: String,
    pub(super) numbers: Numbers,
    /// How busy this machine is.
    pub(super) figures: Measured,
    /// Where reports that got no answer are counted.
    pub(super) callers: mpsc::Sender<Caller>,
}

/// Reports for as long as this program runs, if there is anybody to report to.
pub(super) async fn report(visit: Option<Visit>) {
    let Some(Visit { server, numbers, mut figures, callers }) = visit else { return pending().await };
    // The first form names no ports: where we are sent, it is the same one.
    let port = server.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(PORT);
    let mut guest = Guest::new(host_of(&server), lease::now());
    let mut told = Told::default();
    loop {
        match guest.due(lease::now(), &numbers) {
            Errand::Wait(until) => sleep(until.saturating_sub(lease::now())).await,
            Errand::Report { to, id, address } => {
                // Nothing is measured here: this thread holds the lease.
                let Some(latest) = latest(&mut figures).await else { return pending().await };
                let request = host_request(id, address.as_deref(), &latest, &utc(unix_ms()));
                let news = match ask((&to, port), &request, numbers.retry).await {
                    Ok(answer) => {
                        if id != Some(answer.id) {
                            tracing::info!(server = ?to, id = %answer.id, "this node reports as a host");
                        }
                        guest.answered(&answer, lease::now(), &numbers)
                    }
                    Err(failure) => {
                        tracing::debug!(server = ?to, ?failure, "a report gets no answer");
                        // Nobody counts any more when the program ends.
                        let _ = callers.send(Caller::Missed(failure)).await;
                        guest.failed(lease::now(), &numbers)
                    }
                };
                told.take_note(&to, &news);
            }
        }
    }
}

/// What was measured last. None: nothing ever will be.
async fn latest(figures: &mut Measured) -> Option<Figures> {
    figures.wait_for(Option::is_some).await.ok()?.clone()
}

async fn ask(server: (&str, u16), request: &str, patience: Duration) -> Result<HostAnswer, Failure> {
    let answer = exchange(server, request, patience).await?;
    read_answer(&answer).map_err(Failure::from)
}

/// What the log has been told: a server says the same with every answer.
#[derive(Default)]
struct Told {
    lead: bool,
}

impl Told {
    fn take_note(&mut self, server: &str, news: &News) {
        let lead = *news == News::Lead;
        match news {
            News::Same => {}
            News::Moved(to) => tracing::info!(from = ?server, ?to, "this node reports to another server"),
            News::Lead if self.lead => {}
            News::Lead => {
                tracing::info!(
                    ?server,
                    "this node is told to lead; hosts are answered at its door of succession"
                );
            }
            News::Lost => {
                tracing::warn!(?server, "no server answers reports; it is tried again, ever less often");
            }
        }
        self.lead = lead;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener, sync::watch, time::timeout};

    use super::*;

    #[tokio::test]
    async fn it_reports_what_was_measured_elsewhere() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = listener.local_addr().expect("an address").to_string();
        let (measures, figures) = watch::channel(None);
        let (callers, _counted) = mpsc::channel(1);
        let visit = Visit { server, numbers: Numbers::default(), figures, callers };
        let reports = tokio::spawn(report(Some(visit)));
        let known =
            Figures { name: "attic".into(), cpu_percent: 37, ram_total_mb: 4_711, ..Figures::default() };
        measures.send(Some(known)).expect("it reports");
        let mut said = String::new();
        let hears = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.read_to_string(&mut said).await.expect("a report");
        };
        timeout(Duration::from_secs(30), hears).await.expect("in time");
        reports.abort();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((lines[2], lines[3], lines[7]), ("attic", "37", "4711"), "{said}");
    }
}
