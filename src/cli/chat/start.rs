//! From the command line to a running conversation.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    args::ChatArgs,
    input,
    screen::Screen,
    talk::{Outcome, Setup, Talk},
};
use crate::client::{
    door::{Door, NoDoor},
    keyring::{Keyring, KeyringError},
    link::Config,
    olaf::{SayError, Session},
    trust::{TrustError, trust},
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
}

/// Chats until the input ends, somebody says `/quit`, or the server wants no more of it.
#[must_use]
pub fn run(args: ChatArgs) -> ExitCode {
    let setup = match prepare(args) {
        Ok(setup) => setup,
        Err(error) => {
            eprintln!("kith chat: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = actix_rt::System::new().block_on(async {
        let (talk, reports, news) = Talk::start(setup);
        talk.run(input::start(), reports, news).await
    });
    match outcome {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
    }
}

fn prepare(args: ChatArgs) -> Result<Setup, StartError> {
    let door = Door::read(&args.url)?;
    let path = args.keyring.map_or_else(Keyring::default_path, Ok)?;
    let keyring = Keyring::open(&path)?;
    let trust = trust(args.ca.as_deref())?;
    let session = Session::new(keyring.key().clone())?.counting_from(seconds_of_the_clock());
    let (typed, shown) = (io::stdin().is_terminal(), io::stdout().is_terminal());
    let has_colour = shown && !args.no_color && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    Ok(Setup {
        config: Config::new(door, trust),
        session,
        keyring,
        screen: Screen::new(Box::new(io::stdout()), has_colour, typed && shown),
        downloads: args.downloads,
        my_name: args.name,
        is_interactive: typed,
    })
}

/// A clock before 1970 starts at the beginning, as most implementations do.
fn seconds_of_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
