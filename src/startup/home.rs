//! This server as a node of its home: standing by, serving, and going from the one to the other.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::UnboundedSender,
    time::{sleep, timeout},
};

use super::{
    Outside, StartupError, again,
    doors::{Doors, listen, public_address},
    end::End,
    reign::{self, Handing, Lost},
    standby::{self, Outcome},
};
use crate::{
    actors::{
        event::Bulletin,
        succession::{
            helm::{Helm, Place},
            places::Visits,
            shell::{self, Plan, Shell},
        },
    },
    crypto::home::HomeKey,
    domain::succession::{Epoch, Position, election::NotHanded, message::Objection},
    http::{home::Nodes, page::Page, site::Site, standby::Standby, tls::Tls},
    identity::Identity,
    settings::Settings,
    store::Copy,
    telemetry,
};

/// The file of the node's own id and ballot. It is no part of the home: each node has another one.
const FILE: &str = "node";
/// How often a hand-over is asked for again while there may still be one.
const AGAIN: Duration = Duration::from_millis(250);

/// How long the last lines of the log may take where nothing may be served any more: less than the lease is looked
/// at late.
pub(super) const AT_ONCE: Duration = Duration::from_millis(20);

/// How serving ended.
pub(super) enum Ended {
    /// Somebody wants this process to end.
    Asked,
    /// Another node serves, and has everything. `asked`: because somebody wants this process to end.
    HandedOver { to: Option<Place>, asked: bool },
    /// This node may not serve a moment longer. `asked`: somebody wants this process to end anyway.
    AtOnce { asked: bool },
}

/// Whether somebody wants this process to end: then it does not start anew as a node that stands by.
static ASKED: AtomicBool = AtomicBool::new(false);

/// A node that takes part in the election.
pub(super) struct Joined {
    shell: Shell,
    /// What brings another node's copy to the end, if that is under way.
    handing: Option<Handing>,
    nodes: Nodes,
    bulletin: Bulletin,
    spans: Spans,
}

/// How long it may take to leave the home to somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spans {
    /// How long an answer of the others may take in all. None can come where there are none.
    patience: Duration,
    /// In how much time each host that lives reports at least once.
    farewell: Duration,
}

impl Spans {
    /// Those of the numbers in force; none without succession.
    pub(super) fn of(settings: &Settings) -> io::Result<Self> {
        if settings.succession.listen.0.is_none() {
            return Ok(Self::default());
        }
        let numbers = settings.succession.numbers().map_err(|error| io::Error::other(error.to_string()))?;
        let is_alone = settings.home.members.is_empty();
        let patience = if is_alone { Duration::ZERO } else { numbers.lease * 2 };
        Ok(Self { patience, farewell: numbers.suspect })
    }

    /// From the wish that this node ends to the moment at which it begins to close, at most.
    pub(super) fn longest(self) -> Duration {
        self.patience + reign::WHERE + self.farewell
    }
}

/// Takes part, if the settings say so.
pub(super) async fn join(
    settings: &Settings,
    identity: &Identity,
    doors: &Doors,
    bulletin: &Bulletin,
) -> Result<Option<Joined>, StartupError> {
    let Some(address) = settings.succession.listen.0 else { return Ok(None) };
    let listener = listen(address)?;
    let numbers = settings.succession.numbers().map_err(|error| io::Error::other(error.to_string()))?;
    let spans = Spans::of(settings)?;
    let data = settings.server.data_dir.clone();
    let secret = HomeKey::of(&identity.server).map_err(|error| io::Error::other(error.to_string()))?;
    let home = settings.home.home();
    let position = if home.others.is_empty() { Position::default() } else { position(&data).await? };
    let shell = shell::start(Plan {
        home,
        numbers,
        secret: Arc::new(secret),
        position,
        listener,
        visits: Visits {
            strangers: settings.limits.succession_visits,
            per_address: settings.limits.succession_visits_per_address,
        },
        file: data.join(FILE),
        data,
        name: settings.server.name.clone(),
        bulletin: bulletin.clone(),
        report_to: settings.succession.server().map(ToOwned::to_owned),
        fence: Box::new(fence),
    })?;
    let scheme = if doors.tls { "wss" } else { "ws" };
    let address = public_address(settings, doors.main);
    let door = if address.contains("://") { address } else { format!("{scheme}://{address}") };
    let nodes = Nodes::of(shell.helm.clone(), door);
    Ok(Some(Joined { shell, handing: None, nodes, bulletin: bulletin.clone(), spans }))
}

/// How far what lies in the data folder goes.
async fn position(data: &Path) -> Result<Position, StartupError> {
    let copy = Copy::open(&database(data)).await?;
    let mark = copy.mark().await?;
    copy.close().await;
    Ok(mark.map_or_else(Position::default, standby::position))
}

/// The lease has run out while nobody looked: the machine slept, or a thread hangs.
///
/// Nothing is logged before: whoever takes no log must not keep this node alive.
fn fence() {
    if ASKED.load(Ordering::SeqCst) {
        std::process::exit(0);
    }
    let error = again::start_anew(Duration::ZERO);
    tracing::error!(%error, "the lease is over, and this node cannot start anew");
    telemetry::flush(AT_ONCE);
    std::process::exit(75);
}

impl Joined {
    /// What is told of the home at both doors.
    pub(super) fn nodes(&self) -> Nodes {
        self.nodes.clone()
    }

    /// Whether this server is the whole home, so that nobody else could serve it.
    pub(super) fn is_alone(&self) -> bool {
        self.shell.helm.others.is_empty()
    }

    /// Waits until what this node has voted is written, for as long as it waits for anybody else in the end.
    pub(super) async fn settles(&self) {
        if timeout(reign::WHERE, self.shell.helm.settled()).await.is_err() {
            tracing::warn!("the vote of this node is not written yet, and may have been given in vain");
        }
    }

    /// Stands by until it is this node's turn.
    pub(super) async fn until_it_leads(
        &mut self,
        identity: &Identity,
        settings: &Settings,
        outside: &Outside,
        stop: &UnboundedSender<()>,
        end: &mut End,
    ) -> Result<Outcome, StartupError> {
        if self.is_alone() {
            return Ok(Outcome::Leads(Epoch::default()));
        }
        let node = Standby {
            name: settings.server.name.clone(),
            key_id: identity.server.public().id().hex(),
            nodes: self.nodes(),
            token: identity.token.clone(),
            faults: settings.debug.faults,
            stop: stop.clone(),
            page: Page::offered(settings, None, &self.nodes),
            bulletin: self.bulletin.clone(),
        };
        standby::wait(&mut self.shell, &settings.server.data_dir, outside, node, end).await
    }

    /// Serves until there is a reason not to. Whoever wants this process to end has the home handed over first.
    pub(super) async fn serve(
        &mut self,
        site: &Arc<Site>,
        epoch: Epoch,
        end: &mut End,
        tls: Option<&Tls>,
    ) -> Ended {
        if self.is_alone() {
            end.comes(tls).await;
            bequeath(&self.shell.helm, self.spans.farewell).await;
            return Ended::Asked;
        }
        tokio::select! {
            lost = reign::hold(&mut self.shell, &mut self.handing, site, epoch) => return ended(lost, false),
            () = end.comes(tls) => ASKED.store(true, Ordering::SeqCst),
        }
        let (helm, spans) = (self.shell.helm.clone(), self.spans);
        tokio::select! {
            lost = reign::hold(&mut self.shell, &mut self.handing, site, epoch) => ended(lost, true),
            // If it comes to nothing, people are told that the server closes, as on any server.
            () = give_away(&helm, spans) => Ended::Asked,
        }
    }
}

/// Gives the place away, or leaves hosts of the first form to the best of them if there is nobody.
async fn give_away(helm: &Helm, spans: Spans) {
    if timeout(spans.patience, hand_over(helm)).await.is_ok() {
        bequeath(helm, spans.farewell).await;
    }
}

/// Asks whoever is best to serve. Returns if there is nobody; whoever waits sees what comes of it by the role.
async fn hand_over(helm: &Helm) {
    loop {
        match helm.hand_over(None).await {
            // One that is under way may come to nothing, and then it is this one's turn. Files are on their way, and a
            // copy that has just begun is whole soon.
            Ok(_)
            | Err(
                NotHanded::UnderWay
                | NotHanded::Files
                | NotHanded::Silent
                | NotHanded::Declined(Objection::NoCopy | Objection::NoFiles),
            ) => sleep(AGAIN).await,
            Err(error) => {
                tracing::info!(%error, "nobody takes over");
                return;
            }
        }
    }
}

/// Sends hosts of the first form to the best of them, if nobody else is left who could go on.
async fn bequeath(helm: &Helm, farewell: Duration) {
    if let Some(heir) = helm.bequeath().await {
        tracing::info!(%heir, "hosts are sent to the best of them");
        sleep(farewell).await;
    }
}

fn ended(lost: Lost, asked: bool) -> Ended {
    match lost {
        Lost::HandedOver(to) => Ended::HandedOver { to, asked },
        Lost::AtOnce => Ended::AtOnce { asked },
    }
}

/// The database of a data folder.
pub(super) fn database(data: &Path) -> std::path::PathBuf {
    data.join("kith.db")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources, load};

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let variables = variables.iter().map(|(key, value)| (format!("KITH__{key}"), (*value).to_owned()));
        load(&Sources { variables: variables.collect(), ..Sources::default() }).expect("settings").settings
    }

    #[test]
    fn who_ends_a_process_by_force_waits_for_the_longest_hand_over() {
        let [listen, member] = [
            ("SUCCESSION__LISTEN", "127.0.0.1:3012"),
            ("HOME__MEMBERS", "127.0.0.1:3013 door=ws://127.0.0.1:1"),
        ];
        let of = |variables: &[(&str, &str)]| {
            let spans = Spans::of(&settings(variables)).expect("numbers");
            (spans.patience.as_secs(), spans.farewell.as_secs(), spans.longest())
        };
        let seconds = Duration::from_secs;
        assert_eq!(of(&[]), (0, 0, reign::WHERE), "nobody is asked");
        assert_eq!(of(&[listen]), (0, 3, seconds(3) + reign::WHERE), "nobody takes over");
        assert_eq!(of(&[listen, member]), (18, 3, seconds(21) + reign::WHERE));
        let longer =
            [listen, member, ("SUCCESSION__LEASE_MS", "30000"), ("SUCCESSION__TAKEOVER_MS", "40000")];
        assert_eq!(of(&longer), (60, 3, seconds(63) + reign::WHERE), "as the numbers say");
    }
}
