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

/// Libraries whose comings and goings nobody needs to read, and one that calls it an error when a stranger
/// sends rubbish, which would let strangers fill the log. The operator's own filter comes later and wins.
const QUIET: &str = "actix_server=warn,sqlx=warn,actix_http=off";

/// The filter that a level stands for.
///
/// # Errors
/// It stands for none.
pub fn filter(log: &Log) -> Result<EnvFilter, TelemetryError> {
    Ok(EnvFilter::try_new(format!("{QUIET},{}", log.level))?)
}

/// Starts logging into a sink.
///
/// # Errors
/// The level is no filter, or logging was started before.
pub fn start<W>(log: &Log, sink: W) -> Result<(), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter(log)?;
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
