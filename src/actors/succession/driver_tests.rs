//! What those who wait for news of the election hear.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    ballots::Ballots,
    driver::{Caller, Parts, Postman, run},
    helm::State,
};
use crate::{
    actors::event::Bulletin,
    domain::succession::{
        Epoch, NodeId, Position,
        election::{Cause, Role, Setup},
        home::{Fallback, Home, Member, Seat},
        message::{Answer, Ask, Beat, Failure, Guidance, Question, Reply, Sender},
        numbers::Numbers,
        report::Figures,
    },
};

const LEADER: NodeId = NodeId(5);
const PATIENCE: Duration = Duration::from_secs(30);

fn numbers() -> Numbers {
    Numbers { report: Duration::from_millis(20), ..Numbers::default() }
}

/// What the node says that leads.
fn sender() -> Sender {
    let (epoch, position) = (Epoch(1), Position::default());
    Sender { node: LEADER, epoch, position, size: 2, is_fallback: true, spans: numbers().spans() }
}

fn guidance() -> Guidance {
    Guidance { beat: Beat(1), lease_ms: 9_000, successors: Vec::new() }
}

/// It answers as often as there are permits.
struct Leader(Arc<Semaphore>);

impl Postman for Leader {
    async fn ask(&self, _: Seat, _: Ask) -> Result<Reply, Failure> {
        self.0.acquire().await.expect("it is never closed").forget();
        Ok(Reply { from: sender(), what: Answer::Leading(guidance()) })
    }
}

/// It says that it leads until somebody follows.
async fn is_followed(callers: &mpsc::Sender<Caller>) {
    loop {
        let ask = Ask { from: sender(), figures: Figures::default(), what: Question::Pulse(guidance()) };
        let (answer, answered) = oneshot::channel();
        callers.send(Caller::Node(Box::new(ask), answer)).await.expect("it runs");
        if answered.await.expect("an answer").what == Answer::Following(Beat(1)) {
            return;
        }
    }
}

#[tokio::test]
async fn where_the_leader_is_is_told_as_soon_as_it_has_answered_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ballots, ballot) = Ballots::open(&folder.path().join("node")).expect("a new file");
    let member = Member { address: "b:3012".into(), door: "ws://b/".into(), name: "b".into() };
    let home = Home { others: vec![member], fallback: Fallback::Other(Seat(0)) };
    let position = Position::default();
    let setup = Setup { own: ballots.node(), home, numbers: numbers(), ballot, position };
    let first = State { role: Role::Standby(None), cause: Cause::Started, epoch: Epoch(0), leader: None };
    let (state, mut told) = watch::channel(first);
    let (callers, to_answer) = mpsc::channel(1);
    let (_orders, to_obey) = mpsc::unbounded_channel();
    let (duties, _to_do) = mpsc::unbounded_channel();
    let (_measures, figures) = watch::channel(None);
    let permits = Arc::new(Semaphore::new(0));
    let task = tokio::spawn(run(Parts {
        setup,
        ballots,
        postman: Leader(Arc::clone(&permits)),
        figures,
        bulletin: Bulletin::default(),
        fence: None,
        orders: to_obey,
        callers: to_answer,
        state,
        duties,
    }));
    timeout(PATIENCE, is_followed(&callers)).await.expect("in time");
    let before = told.borrow_and_update().clone();
    assert_eq!((before.role, before.leader), (Role::Standby(Some(LEADER)), None), "it may be anywhere");
    permits.add_permits(1);
    let place = timeout(PATIENCE, told.wait_for(|state| state.leader.is_some())).await.expect("in time");
    let place = place.expect("it runs").leader.clone().expect("a place");
    assert_eq!((place.node, &*place.address, &*place.door), (LEADER, "b:3012", "ws://b/"));
    task.abort();
}
