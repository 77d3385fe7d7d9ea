//! Files on their way, beside the conversation.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use rustls::ClientConfig;
use tokio::sync::mpsc;

use crate::client::{
    door::Door,
    event::Doubt,
    link::Link,
    person::PersonId,
    transfer::{Fetched, LARGEST_DOWNLOAD, Progress, TransferError, carry, download, save, upload},
    voice::Chunks,
};

/// What files that nobody asked for may take on the disk, in one conversation.
const MOST_KEPT: u64 = 1 << 30;
/// Steps in which a long transfer is told, in percent.
const STEP: u64 = 5;
/// Shorter transfers are over before anybody wonders.
const WORTH_A_WORD: u64 = 1 << 20;
/// The same where letters carry files, which is slow.
const WORTH_A_WORD_CARRIED: u64 = 64 << 10;

/// What a transfer has to tell.
#[derive(Debug)]
pub(super) enum News {
    /// How far it is, in percent.
    Progress(String, u64),
    /// A file is at the server; these shall be told, or everybody.
    Uploaded { path: String, to: Option<Vec<PersonId>>, result: Result<String, TransferError> },
    /// A file was sent part by part.
    Carried { path: String, result: Result<u64, TransferError> },
    /// A file is here.
    Fetched { url: String, result: Result<Fetched, TransferError> },
    /// A file that came by itself was written down.
    Saved(Saved),
}

/// A file that came by itself.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) from: Result<PersonId, (String, Doubt)>,
    /// What it wanted to be called.
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) result: Result<Fetched, TransferError>,
}

/// The way that files take.
#[derive(Debug)]
pub(super) enum Way {
    /// To the server, and a letter tells where they are.
    Upload,
    /// In letters.
    Carry { link: Link, chunks: Chunks },
    /// There is none.
    None,
}

/// Starts transfers and counts them.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) door: Door,
    pub(super) trust: Arc<ClientConfig>,
    pub(super) way: Way,
    pub(super) folder: PathBuf,
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) under_way: usize,
    /// Bytes of files that came by themselves.
    pub(super) kept: u64,
}

impl Files {
    /// What `send` does, for people; nothing, if files cannot be sent.
    pub(super) const fn verb(&self) -> Option<&'static str> {
        match self.way {
            Way::Upload => Some("uploading"),
            Way::Carry { .. } => Some("sending"),
            Way::None => None,
        }
    }

    /// Sends a file to these, or to everybody.
    pub(super) fn send(&mut self, path: String, to: Option<Vec<PersonId>>) {
        match &self.way {
            Way::Upload => self.upload(path, to),
            Way::Carry { link, chunks } => self.carry(link.clone(), *chunks, path, to),
            Way::None => return,
        }
        self.under_way += 1;
    }

    fn upload(&self, path: String, to: Option<Vec<PersonId>>) {
        let (door, trust, news) = (self.door.clone(), Arc::clone(&self.trust), self.news.clone());
        actix_rt::spawn(async move {
            let progress = told(path.clone(), WORTH_A_WORD, news.clone());
            let result = upload(&door, &trust, &at_home(&path), progress).await;
            // Nobody to tell means that the program ends.
            let _ = news.send(News::Uploaded { path, to, result });
        });
    }

    fn carry(&self, link: Link, chunks: Chunks, path: String, to: Option<Vec<PersonId>>) {
        let news = self.news.clone();
        actix_rt::spawn(async move {
            let progress = told(path.clone(), WORTH_A_WORD_CARRIED, news.clone());
            let result = carry(&link, chunks, to.as_deref(), &at_home(&path), progress).await;
            let _ = news.send(News::Carried { path, result });
        });
    }

    pub(super) fn fetch(&mut self, url: String) {
        self.under_way += 1;
        let (folder, trust, news) = (self.folder.clone(), Arc::clone(&self.trust), self.news.clone());
        actix_rt::spawn(async move {
            let progress = told(url.clone(), WORTH_A_WORD, news.clone());
            let result = download(&url, &trust, &folder, LARGEST_DOWNLOAD, progress).await;
            let _ = news.send(News::Fetched { url, result });
        });
    }

    /// Writes down a file that came by itself.
    pub(super) fn save(
        &mut self,
        from: Result<PersonId, (String, Doubt)>,
        name: String,
        bytes: Arc<[u8]>,
        is_private: bool,
    ) {
        self.under_way += 1;
        let (folder, news) = (self.folder.clone(), self.news.clone());
        self.kept = self.kept.saturating_add(bytes.len() as u64);
        let is_too_much = self.kept > MOST_KEPT;
        actix_rt::spawn(async move {
            let result = match is_too_much {
                true => Err(TransferError::TooMuch),
                false => save(folder, name.clone(), bytes).await,
            };
            let _ = news.send(News::Saved(Saved { from, name, is_private, result }));
        });
    }
}

/// Tells every step of a long transfer.
fn told(what: String, worth: u64, news: mpsc::UnboundedSender<News>) -> Progress {
    let last = Cell::new(0);
    Rc::new(move |done, of| {
        let Some(whole) = of.filter(|whole| *whole >= worth) else { return };
        let percent = (u128::from(done) * 100 / u128::from(whole)).try_into().unwrap_or(100) / STEP * STEP;
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
