//! From the command line to a running conversation.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::ClientConfig;

use super::{
    args::ChatArgs,
    talk::{Outcome, Setup, Talk},
};
use crate::{
    cli::{input, screen::Screen},
    client::{
        about::{Inquiry, about},
        door::{Door, NoDoor},
        event::SayError,
        keyring::{Contacts, Keyring, KeyringError},
        link::Config,
        olaf, socp, tpacket,
        trust::{TrustError, trust},
        voice::Voice,
    },
    domain::{dialect::Dialect, rooms::RoomName},
};

/// Why there is no conversation at all.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Door(#[from] NoDoor),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Session(#[from] SayError),
    #[error(transparent)]
    Unsuitable(#[from] tpacket::Unsuitable),
    #[error("say with --nick NICK what you want to be called")]
    Nameless,
    #[error("in {} there are no nicks to be chosen; --nick means nothing", .0.title())]
    NoNicks(Dialect),
}

/// Chats until the input ends, somebody says `/quit`, or the server wants no more of it.
#[must_use]
pub fn run(args: ChatArgs) -> ExitCode {
    let outcome = actix_rt::System::new().block_on(async {
        let (talk, reports, news) = Talk::start(prepare(args).await?);
        Ok::<_, StartError>(talk.run(input::start(), reports, news).await)
    });
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kith chat: {error}");
            ExitCode::from(2)
        }
    }
}

async fn prepare(args: ChatArgs) -> Result<Setup, StartError> {
    let door = Door::read(&args.url)?;
    let trust = trust(args.ca.as_deref())?;
    let (mut screen, typed) = Screen::of_stdout(args.no_color);
    let dialect = match args.dialect {
        Some(dialect) => dialect,
        None => only_one_spoken(&door, &trust).await.unwrap_or(Dialect::Olaf),
    };
    let Member { voice, contacts, keyring } = match dialect {
        Dialect::Tpacket => guest(&args)?,
        Dialect::Olaf | Dialect::Socp => owner(&args, dialect, &mut screen)?,
    };
    Ok(Setup {
        config: Config { inquiry: Some(Inquiry::start(Arc::clone(&trust))), ..Config::new(door, trust) },
        voice,
        contacts,
        keyring,
        screen,
        downloads: args.downloads,
        my_name: args.name,
        is_interactive: typed,
    })
}

/// Who chats.
struct Member {
    voice: Box<dyn Voice>,
    contacts: Contacts,
    keyring: Option<PathBuf>,
}

/// Somebody with a key.
fn owner(args: &ChatArgs, dialect: Dialect, screen: &mut Screen) -> Result<Member, StartError> {
    if args.nick.is_some() {
        return Err(StartError::NoNicks(dialect));
    }
    let room = args.room.as_deref().map(suitable_room).transpose()?;
    let path = args.keyring.clone().map_or_else(Keyring::default_path, Ok)?;
    if dialect == Dialect::Socp && !Keyring::is_made(&path, dialect) {
        screen.news("making your key of 4096 bits; this takes some seconds, once");
    }
    let keyring = Keyring::open_for(&path, dialect)?;
    let key = keyring.key().clone();
    let voice: Box<dyn Voice> = if dialect == Dialect::Socp {
        let user = keyring.user().unwrap_or_default().to_string();
        let session = socp::Session::new(key, &user, keyring.keys())?;
        Box::new(match &room {
            Some(room) => session.in_room(room),
            None => session,
        })
    } else {
        let session = olaf::Session::new(key)?.counting_from(seconds_of_the_clock());
        Box::new(match &room {
            Some(room) => session.in_room(room),
            None => session,
        })
    };
    Ok(Member { voice, keyring: Some(keyring.path().to_owned()), contacts: keyring.into_contacts() })
}

fn suitable_room(room: &str) -> Result<RoomName, tpacket::Unsuitable> {
    RoomName::new(room).ok_or_else(|| tpacket::Unsuitable::Room(room.to_owned()))
}

/// Somebody with nothing but a nick. Nobody can be known again, so nobody is remembered.
fn guest(args: &ChatArgs) -> Result<Member, StartError> {
    let nick = args.nick.clone().or_else(login_name).ok_or(StartError::Nameless)?;
    let room = args.room.as_deref().unwrap_or(RoomName::PUBLIC);
    let voice = Box::new(tpacket::Session::new(&nick, room)?);
    Ok(Member { voice, contacts: Contacts::unwritten(), keyring: None })
}

/// What this machine calls whoever sits at it.
fn login_name() -> Option<String> {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}

/// The dialect of a server that speaks a single one and says so.
async fn only_one_spoken(door: &Door, trust: &Arc<ClientConfig>) -> Option<Dialect> {
    let about = about(door, trust).await?;
    match about.dialects().as_slice() {
        [name] => Dialect::from_name(name),
        _ => None,
    }
}

/// A clock before 1970 starts at the beginning, as most implementations do.
fn seconds_of_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
