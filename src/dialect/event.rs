//! The vocabulary between a session and the shell around it.

use std::{sync::Arc, time::Duration};

use super::{Accent, Ear, errand::Errand, kith};
use crate::{
    crypto::{
        keys::PublicKey,
        signature::{Question, Verdict},
    },
    domain::{
        Moment,
        channel::Wraps,
        directory::listed::Listed,
        id::{HomeId, KeyId},
        letter::{Frame, Letter},
        member::{Member, Newcomer, Whom},
        neighbourhood::Sockets,
        news::News,
        peer::LinkDialect,
        refusal::{Ending, Refusal, Violation},
        replay::Trace,
        rooms::{RoomNews, Ticket, Wish},
    },
};

/// What can happen to a session.
#[derive(Debug)]
pub enum Input {
    /// The socket is open. Told to sessions that speak first.
    Opened,
    /// A whole message came in.
    Frame(Frame),
    /// The answer to the one [`Output::Check`] that was asked.
    Checked(Verdict),
    /// The answer to [`Output::Sign`].
    Signed(Vec<u8>),
    /// The answer to [`Output::Claim`].
    Stands(Result<Standing, Refusal>),
    /// The answer to [`Output::Greet`]: the link is up, under this number, or the house does not want it.
    Welcomed(Result<HomeId, Refusal>),
    /// The answer to [`Output::Find`]: in the order of their names.
    Found(Arc<[Arc<Member>]>),
    /// The answer to [`Output::Join`] in dialects that wait for it.
    Joined(Result<Arc<Member>, Refusal>),
    /// The moment of [`Output::Wake`] has come.
    Woken,
}

/// What two homes say to each other when one of them is about to move to another of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The sender is about to move: letters should wait until it has. The number is repeated in the answer, so that an
    /// answer to an earlier wish is not taken for this one's.
    Hold(u32),
    /// All letters that do not wait were said.
    Held(u32),
    /// The sender stays where it is.
    GoOn,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Output {
    /// Have a signature checked and hand in no frame until [`Input::Checked`] was handed in.
    Check(Check),
    /// Have something signed and hand in no frame until [`Input::Signed`] was handed in.
    Sign(Hand, Vec<u8>),
    /// Say this to the other side.
    Send(Frame),
    /// Somebody is proven and wants to come in.
    Join(Newcomer, Ear),
    /// A letter.
    Route(Letter),
    /// Something is wanted of a room. The answer is delivered as a frame, in order with what happens there.
    Room(Ticket, Wish),
    /// Something is wanted of the directory of the rendezvous.
    Errand(Ticket, Errand),
    /// The client list is wanted.
    WantList,
    /// Members who have names are looked for: some of them. No frame until [`Input::Found`].
    Find(Whom),
    /// A server says who it is and has proven nothing yet. No frame until [`Input::Stands`].
    Claim(Claim),
    /// A server is as proven as it gets. No frame until [`Input::Welcomed`].
    Greet(Greeting),
    /// The server that we dialled has proven this key, whether it wants the link or not.
    Proven(KeyId),
    /// A neighbour has signed something once more: this socket to it lives, and is its own.
    Shown,
    /// A neighbour has news of its rooms.
    RoomNews(RoomNews),
    /// A neighbour has news of its members.
    Tell(News),
    /// A neighbour has handed out a key of the public channel.
    Wraps(Wraps),
    /// A neighbour says how its links are doing.
    Report(Vec<kith::wire::Link>),
    /// A neighbour tells which bans its operator has made. Nothing about them is checked yet.
    Bans(kith::bans::Signed),
    /// A neighbour says behind which doors its home is found.
    Doors(Vec<String>),
    /// A neighbour is about to move to another node of its home, or knows that we are.
    Pause(Pause),
    /// A neighbour tells who is registered in its directory.
    Directory(Vec<Listed>),
    /// A neighbour names other servers that it would be good to be linked with.
    Introduce(Vec<ServerCard>),
    /// How long a question and its answer took.
    RoundTrip(Duration),
    /// A step of a handshake, for whoever wonders why it failed.
    Step(&'static str, String),
    /// Hand in [`Input::Woken`] at this moment; a later wish takes the place of this one.
    Wake(Moment),
    /// A neighbour says what is not for it to say, as its protocol lets it; that means nothing here.
    Overheard,
    /// The peer broke the protocol; the frame is dropped and counted.
    Note(Violation),
    /// The connection ends.
    Close(Ending),
}

/// A signature to check, off the worker.
#[derive(Clone, Debug)]
pub struct Check {
    /// Whose signature it should be.
    pub key: Arc<PublicKey>,
    /// What may have been signed.
    pub question: Question,
}

/// Which of our keys signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The key of this server.
    Server,
    /// The key of this server, for texts that go to many: the signature is kept and used again.
    Herald,
    /// The key that OLAF prescribes.
    Olaf,
}

/// What a server says about itself before it has proven anything.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The protocol of the link.
    pub dialect: LinkDialect,
    /// The address under which it lists its members, as it spells it.
    pub address: String,
    /// What its operator calls it.
    pub name: Option<String>,
    /// The key that it says is its own.
    pub key: Option<KeyId>,
}

/// A server that another one names.
#[derive(Clone, Debug)]
pub struct ServerCard {
    /// What it is called.
    pub id: String,
    /// Where it can be dialled: host and port.
    pub address: String,
    /// The fingerprint of its key, if that is said.
    pub key: Option<KeyId>,
    /// The key itself.
    pub public_key: Option<Arc<PublicKey>>,
}

/// What we know about whoever makes a claim.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The key to which we hold it, if its protocol does not show its key.
    pub key: Option<Arc<PublicKey>>,
    /// How it wants to be spoken to, if that is known or set.
    pub accent: Option<Accent>,
    /// Whether it may come in unproven.
    pub unproven: bool,
    /// The servers with which it should be linked, too, if its protocol wants everybody to be.
    pub servers: Vec<ServerCard>,
}

/// A server that says who it is, with what it has proven.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// What it claims.
    pub claim: Claim,
    /// Whether it has proven its key.
    pub proven: bool,
    /// That key as a whole, if its protocol lets it sign anything else.
    pub key: Option<Arc<PublicKey>>,
    /// What makes this proof recognisable if somebody plays it back, if its protocol lets that happen.
    pub trace: Option<Trace>,
    /// How it is written to.
    pub ear: Ear,
    /// How many sockets it wants.
    pub sockets: Sockets,
    /// How other SOCP servers could be linked with it, if they can.
    pub card: Option<ServerCard>,
}
