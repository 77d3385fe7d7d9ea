//! From the command line to a running conversation.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::ClientConfig;

use super::{
    args::ChatArgs,
    input,
    screen::Screen,
    talk::{Outcome, Setup, Talk},
};
use crate::{
    client::{
        door::{Door, NoDoor},
        event::SayError,
        keyring::{Keyring, KeyringError},
        link::Config,
        olaf, socp,
        transfer::spoken_at,
        trust::{TrustError, trust},
        voice::Voice,
    },
    domain::dialect::Dialect,
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
    #[error("this client does not speak {0}; other programs do")]
    Mute(Dialect),
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
    let path = args.keyring.map_or_else(Keyring::default_path, Ok)?;
    let (typed, shown) = (io::stdin().is_terminal(), io::stdout().is_terminal());
    let has_colour = shown && !args.no_color && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let mut screen = Screen::new(Box::new(io::stdout()), has_colour, typed && shown);
    let dialect = match args.dialect {
        Some(dialect) => dialect,
        None => only_one_spoken(&door, &trust).await.unwrap_or(Dialect::Olaf),
    };
    if dialect == Dialect::Tpacket {
        return Err(StartError::Mute(dialect));
    }
    if dialect == Dialect::Socp && !Keyring::is_made(&path, dialect) {
        screen.news("making your key of 4096 bits; this takes some seconds, once");
    }
    let keyring = Keyring::open_for(&path, dialect)?;
    Ok(Setup {
        config: Config::new(door, trust),
        voice: voice(&keyring, dialect)?,
        keyring,
        screen,
        downloads: args.downloads,
        my_name: args.name,
        is_interactive: typed,
    })
}

/// The dialect of a server that speaks a single one and says so.
async fn only_one_spoken(door: &Door, trust: &Arc<ClientConfig>) -> Option<Dialect> {
    let names = spoken_at(door, trust).await?;
    match names.as_slice() {
        [name] => Dialect::from_name(name),
        _ => None,
    }
}

fn voice(keyring: &Keyring, dialect: Dialect) -> Result<Box<dyn Voice>, StartError> {
    let key = keyring.key().clone();
    Ok(match dialect {
        Dialect::Olaf => Box::new(olaf::Session::new(key)?.counting_from(seconds_of_the_clock())),
        Dialect::Socp => {
            let user = keyring.user().unwrap_or_default().to_string();
            Box::new(socp::Session::new(key, &user, keyring.keys())?)
        }
        Dialect::Tpacket => return Err(StartError::Mute(dialect)),
    })
}

/// A clock before 1970 starts at the beginning, as most implementations do.
fn seconds_of_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
