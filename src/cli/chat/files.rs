//! Files on their way, beside the conversation.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use rustls::ClientConfig;
use tokio::sync::mpsc;

use crate::{
    client::{
        door::Door,
        transfer::{Fetched, LARGEST_DOWNLOAD, Progress, TransferError, download, upload},
    },
    domain::id::KeyId,
};

/// Shorter transfers are over before anybody wonders.
const WORTH_A_WORD: u64 = 1 << 20;

/// What a transfer has to tell.
#[derive(Debug)]
pub(super) enum News {
    /// How far it is, in percent.
    Progress(String, u64),
    /// A file is at the server; these shall be told, or everybody.
    Uploaded { path: String, to: Option<Vec<KeyId>>, result: Result<String, TransferError> },
    /// A file is here.
    Fetched { url: String, result: Result<Fetched, TransferError> },
}

/// Starts transfers and counts them.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) door: Door,
    pub(super) trust: Arc<ClientConfig>,
    pub(super) folder: PathBuf,
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) under_way: usize,
}

impl Files {
    pub(super) fn upload(&mut self, path: String, to: Option<Vec<KeyId>>) {
        self.under_way += 1;
        let (door, trust, news) = (self.door.clone(), Arc::clone(&self.trust), self.news.clone());
        actix_rt::spawn(async move {
            let progress = told(path.clone(), news.clone());
            let result = upload(&door, &trust, &at_home(&path), progress).await;
            // Nobody to tell means that the program ends.
            let _ = news.send(News::Uploaded { path, to, result });
        });
    }

    pub(super) fn fetch(&mut self, url: String) {
        self.under_way += 1;
        let (folder, trust, news) = (self.folder.clone(), Arc::clone(&self.trust), self.news.clone());
        actix_rt::spawn(async move {
            let progress = told(url.clone(), news.clone());
            let result = download(&url, &trust, &folder, LARGEST_DOWNLOAD, progress).await;
            let _ = news.send(News::Fetched { url, result });
        });
    }
}

/// Tells every quarter of a long transfer.
fn told(what: String, news: mpsc::UnboundedSender<News>) -> Progress {
    let last = Cell::new(0);
    Rc::new(move |done, of| {
        let Some(whole) = of.filter(|whole| *whole >= WORTH_A_WORD) else { return };
        let percent = done * 4 / whole * 25;
        if percent > last.get() && percent < 100 {
            last.set(percent);
            let _ = news.send(News::Progress(what.clone(), percent));
        }
    })
}

/// A tilde means the home folder, as in the shell that is not here to say so.
fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}
