//! Neighbours that are configured and not there: nobody waits for them, and they are dialled ever less often.

use std::time::{Duration, Instant};

use actix_web::rt::{spawn, time::timeout};
use tokio::{net::TcpStream, sync::mpsc::unbounded_channel};

use super::place::{Place, places};
use crate::{app::PATIENCE, client::Client};

/// How long a hello, a list and a letter together take at most when nobody is in the way: far less than
/// any of the times that are waited for a neighbour.
const BRISK: Duration = Duration::from_secs(2);

#[actix_web::test]
async fn neighbours_that_are_away_disturb_nobody() {
    let [a, refusing, silent, mute] = places::<4>();
    // One port where nobody listens, one where nobody accepts, one where nobody answers.
    let deaf_ears = silent.listen();
    let mute_ears = mute.listen();
    let (sockets, mut taken) = unbounded_channel::<TcpStream>();
    let ears = spawn(async move {
        while let Ok((socket, _)) = mute_ears.accept().await {
            let _ = sockets.send(socket);
        }
    });
    let peers = [&refusing, &silent, &mute].map(Place::url).join(",");
    let app = a.open(&[("NEIGHBOURHOOD__PEERS", &peers)]);
    let _held = timeout(PATIENCE, taken.recv()).await.expect("a dial in time").expect("a socket");
    let mut watcher = Client::join(&app, 0).await;
    for round in 0..20 {
        let start = Instant::now();
        let mut client = Client::join(&app, 1).await;
        let said = client.say(&format!("round {round}")).await;
        watcher.hear(&said).await;
        let letter = client.whisper(&[&a, &refusing, &silent, &mute], "to whom it may concern").await;
        watcher.hear(&letter).await;
        let taken = start.elapsed();
        assert!(taken < BRISK, "round {round} took {taken:?}");
        drop(client);
    }
    // Nobody is listed there, and the API says what is going on.
    let own = watcher.pem();
    watcher.sees(&[(&a, &[&own])]).await;
    let peer = app.until_peer(&refusing.address(), |peer| peer["attempts"].as_u64() > Some(1)).await;
    assert_eq!(peer["last_error"]["code"], "unreachable", "{peer}");
    for place in [&silent, &mute] {
        let peer = app.until_peer(&place.address(), |_| true).await;
        assert_eq!(peer["state"], "dialling", "{peer}");
    }
    assert_eq!(app.metric("kith_unreachable_total").await, 60.0);
    drop(deaf_ears);
    ears.abort();
}

#[actix_web::test]
async fn a_neighbour_that_is_away_is_dialled_ever_less_often() {
    let [a, b] = places::<2>();
    let ears = b.listen();
    let app = a.open(&[("NEIGHBOURHOOD__PEERS", &b.url())]);
    let mut dials = Vec::new();
    for _ in 0..5 {
        let (socket, _) = timeout(PATIENCE, ears.accept()).await.expect("a dial in time").expect("a socket");
        dials.push(Instant::now());
        drop(socket);
    }
    // Each wait is up to half shorter than twice the one before it.
    let waits: Vec<Duration> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let least = [250, 500, 1000, 2000].map(Duration::from_millis);
    assert!(waits.iter().zip(least).all(|(wait, least)| *wait >= least), "{waits:?}");
    let peer = app.until_peer(&b.address(), |peer| peer["attempts"] == 5).await;
    assert!(peer["next_retry"].is_string(), "{peer}");
    drop(ears);
    // There it is at last, and somebody is told not to wait.
    let _second = b.open(&[]);
    app.retry(&peer).await;
    app.until_up(1).await;
}
