//! `kith mesh`: a neighbourhood of servers on this machine, to look at, to break and to mend.
//!
//! `up` is the one process that holds everything: it starts a `kith serve` for each server and carries
//! every link between them through a small proxy of its own, which is how a link can be cut or slowed.
//! All other sub-commands are short visitors: they find the control door in `mesh.json`, say what they
//! wish, and leave. Exit status 0: done; 1: it did not work; 2: the command itself was wrong.

mod announce;
mod child;
mod control;
mod error;
mod grow;
mod hall;
mod key;
mod log;
mod order;
pub(super) mod picture;
mod plan;
mod ports;
mod proxy;
mod record;
mod status;
mod up;
mod visit;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};

use self::error::MeshError;

/// The most servers that are started. Each is linked with each, so links grow with the square.
const MOST: u8 = 30;
/// The longest delay. Beyond it every heartbeat is lost, and cutting says more clearly what is meant.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Arguments of `kith mesh`.
#[derive(Args, Debug)]
pub struct MeshArgs {
    /// The folder of the neighbourhood: a data folder for each server, and who runs where.
    #[arg(long, global = true, value_name = "DIR", default_value = "mesh")]
    data: PathBuf,
    #[command(subcommand)]
    command: MeshCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum MeshCommand {
    /// Start servers that know each other, and look after them until Ctrl-C.
    Up {
        /// How many.
        #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
        servers: u8,
        /// The first of two ports for each server, one after the other [default: any free ones].
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=i64::from(u16::MAX) - 2 * i64::from(MOST)))]
        base_port: Option<u16>,
    },
    /// End all servers in order, and the process that looks after them.
    Down,
    /// Draw the links between the servers.
    Status {
        /// As JSON, for scripts.
        #[arg(long)]
        json: bool,
        /// First wait until every link between running servers that is not cut is up.
        #[arg(long, value_name = "TIME", value_parser = time)]
        wait: Option<Duration>,
    },
    /// Start one more server, and tell the others of it while they run.
    Add,
    /// End a server as a power failure would: at once, without a word.
    Kill {
        /// Its number.
        #[arg(value_name = "SERVER")]
        server: u8,
    },
    /// End a server in order: everybody is told, everything is written down.
    Stop {
        /// Its number.
        #[arg(value_name = "SERVER")]
        server: u8,
    },
    /// Start a server again, at its old address.
    Start {
        /// Its number.
        #[arg(value_name = "SERVER")]
        server: u8,
    },
    /// Cut the line between two servers: nothing passes any more, and nobody is told.
    Cut {
        #[command(flatten)]
        pair: Pair,
        /// Tell both: what was open is reset, what is dialled is refused.
        #[arg(long)]
        reset: bool,
    },
    /// Mend a line that was cut.
    Heal {
        #[command(flatten)]
        pair: Pair,
    },
    /// Make the line between two servers longer, each way.
    Slow {
        #[command(flatten)]
        pair: Pair,
        /// How much later everything arrives, as in 200ms; 0ms ends it.
        #[arg(value_parser = delay)]
        delay: Duration,
    },
}

/// Two servers.
#[derive(Args, Clone, Copy, Debug)]
struct Pair {
    /// The number of one server.
    #[arg(value_name = "SERVER")]
    one: u8,
    /// The number of the other.
    #[arg(value_name = "OTHER")]
    other: u8,
}

/// Runs it.
#[must_use]
pub fn run(args: MeshArgs) -> ExitCode {
    let MeshArgs { data, command } = args;
    let outcome = match command {
        MeshCommand::Up { servers, base_port } => up::run(&data, servers, base_port),
        visit => actix_rt::System::new().block_on(visit::run(&data, visit)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(MeshError::Said) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kith mesh: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A time with its unit, as in `200ms`, `1.5s` or `2m`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return Err("a time looks like 200ms, 1.5s or 2m".to_owned()),
    };
    let seconds = number.parse::<f64>().map_err(|_| format!("{number:?} is no number"))? * scale;
    Duration::try_from_secs_f64(seconds).map_err(|_| "that is too long".to_owned())
}

fn delay(text: &str) -> Result<Duration, String> {
    let delay = time(text)?;
    if delay > LONGEST_DELAY {
        return Err(format!("at most {} s", LONGEST_DELAY.as_secs()));
    }
    Ok(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "ms", "-1s", "1h", "1..2s", "99999999999999999999999m"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(delay("0ms"), Ok(Duration::ZERO));
        assert!(delay("61s").is_err());
    }
}
