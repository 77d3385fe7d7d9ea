//! Planned hand-overs under load, in every dialect: what was accepted before is there afterwards, once and in order.
//!
//! A letter counts as *accepted* if anybody but its author has heard it, or if its author was told so. `talker` is a
//! member who writes and remembers what it hears, with the links of our own client, which find the next node by
//! themselves.

mod absent;
mod crash;
mod ends;
mod fruitless;
mod guests;
mod locks;
mod neighbours;
mod olaf;
mod orders;
mod socp;
mod talker;

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use crate::{
    app::{App, in_time},
    neighbourhood::home::{Home, all_follow, app, serving},
};

/// A busy machine must not take the lease away from whoever serves: these scenes are about ends that somebody wants.
const CALM: [(&str, &str); 2] = [("SUCCESSION__LEASE_MS", "4000"), ("SUCCESSION__TAKEOVER_MS", "5500")];

/// The same lease.
const LEASE: Duration = Duration::from_millis(4000);

/// A home in which one node serves and all others have a copy.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) apps: Vec<Option<App>>,
    /// Which node serves.
    pub(crate) first: usize,
}

impl Scene {
    /// So many nodes, with these settings in common.
    pub(crate) async fn of(nodes: usize, settings: &[(&str, &str)]) -> Self {
        let home = Home::of(nodes, None);
        let apps = home.start_all_with(&[&CALM, settings].concat());
        let first = serving(&apps).await;
        all_follow(&apps, first).await;
        Self { home, apps, first }
    }

    /// The node that serves at first.
    pub(crate) fn leader(&self) -> &App {
        app(&self.apps, self.first)
    }

    /// Its door.
    pub(crate) fn door(&self) -> String {
        self.home.nodes[self.first].main.url()
    }

    /// Another node than the one that serves at first.
    pub(crate) fn other(&self) -> usize {
        (self.first + 1) % self.apps.len()
    }

    /// Orders that another node serves.
    pub(crate) async fn hands_over(&self, to: usize) {
        in_time("a hand-over begins", async {
            let (order, wish) = ("/api/v1/succession/handover", json!({"to": format!("node-{to}")}));
            while self.leader().api_with(Method::POST, order, &wish).await.status != 202 {}
        })
        .await;
    }

    /// Waits until this node serves.
    pub(crate) async fn is_served_by(&self, at: usize) -> &App {
        in_time("the next node serves", async { while serving(&self.apps).await != at {} }).await;
        app(&self.apps, at)
    }

    /// The whole of it: another node is told to serve, and does.
    pub(crate) async fn moves(&self) -> &App {
        let next = self.other();
        self.hands_over(next).await;
        self.is_served_by(next).await
    }
}
