//! What the process tells its operator: structured lines, without message content and without secrets.

use std::io;

use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

use crate::settings::{Log, LogFormat};

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is no filter.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("logging was started twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Libraries whose comings and goings nobody needs to read. The operator's own filter comes later and
/// wins.
const QUIET: &str = "actix_server=warn,sqlx=warn";

/// Starts logging into a sink.
///
/// # Errors
/// The level is no filter, or logging was started before.
pub fn start<W>(log: &Log, sink: W) -> Result<(), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(format!("{QUIET},{}", log.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(sink);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).finish().try_init()?,
        LogFormat::Pretty => {
            let colour = io::IsTerminal::is_terminal(&io::stderr());
            builder.with_ansi(colour).with_target(false).compact().finish().try_init()?;
        }
    }
    Ok(())
}
