//! What the process tells its operator: structured lines, without message content and without secrets.
//!
//! **Invariant:** nobody waits for whoever takes the log. A pipe that is full and that nobody reads would otherwise hold up
//! every thread that has something to say, and cost a node that serves its lease. What does not fit is counted. So nothing in
//! a server writes to the standard error output by itself: whoever did would wait for the thread that does.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, Write as _},
    panic,
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, util::SubscriberInitExt as _};

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

/// Lines that may wait for whoever takes the log: what a busy house says at level `debug` in a moment.
const MOST_LINES: usize = 8192;

/// How long whoever ends waits until the last lines are written. Longer than the thread that writes is given.
pub const FAREWELL: Duration = Duration::from_millis(1500);

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

/// Starts logging to the standard error output.
///
/// # Errors
/// The level is no filter, or logging was started before.
pub fn start(log: &Log) -> Result<(), TelemetryError> {
    let sink = sink().clone();
    let filter = filter(log)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(sink);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).finish().try_init()?,
        LogFormat::Pretty => {
            let colour = io::IsTerminal::is_terminal(&io::stderr());
            builder.with_ansi(colour).with_target(false).compact().finish().try_init()?;
        }
    }
    panic::set_hook(Box::new(tell_of_panic));
    Ok(())
}

/// The thread that writes, until it has written everything.
static WORKER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

fn sink() -> &'static NonBlocking {
    static SINK: OnceLock<NonBlocking> = OnceLock::new();
    SINK.get_or_init(|| {
        let builder = NonBlockingBuilder::default().buffered_lines_limit(MOST_LINES).thread_name("log");
        let (sink, worker) = builder.finish(io::stderr());
        *WORKER.lock().unwrap_or_else(PoisonError::into_inner) = Some(worker);
        sink
    })
}

/// Lines that nobody will read, because there was no room for them.
#[must_use]
pub fn lost() -> u64 {
    u64::try_from(sink().error_counter().dropped_lines()).unwrap_or(u64::MAX)
}

/// Says something in the form in which a person reads it, between the lines of the log.
pub fn say(text: &str) {
    let mut sink = sink().clone();
    if WORKER.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
        // Counted if there is no room for it.
        let _ = sink.write_all(text.as_bytes());
    } else {
        // The last words of a process that ends.
        let text = text.to_owned();
        within(FAREWELL, move || drop(io::stderr().write_all(text.as_bytes())));
    }
}

/// Waits until everything that was said is written, but no longer than that. Nothing is logged any more afterwards.
pub fn flush(most: Duration) {
    let worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner).take();
    // That waits, and may then say so on the standard output, which may be as full.
    within(most, move || drop(worker));
}

/// Ends the process. Its last lines are written if anybody takes them.
pub fn exit(code: i32) -> ! {
    flush(FAREWELL);
    std::process::exit(code)
}

fn within(most: Duration, deed: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::Builder::new().spawn(move || {
        deed();
        let _ = done.send(());
    });
    if thread.is_ok() {
        // Too late or done: either way this goes on.
        let _ = is_done.recv_timeout(most);
    }
}

fn tell_of_panic(info: &panic::PanicHookInfo<'_>) {
    let thread = thread::current();
    let trace = Backtrace::capture();
    let trace =
        if trace.status() == BacktraceStatus::Captured { format!("{trace}\n") } else { String::new() };
    say(&format!("thread '{}' {info}\n{trace}", thread.name().unwrap_or("without a name")));
}
