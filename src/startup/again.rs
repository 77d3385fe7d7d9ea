//! Starting anew as the same process: the end of a house that must not serve a moment longer.

use std::{io, os::unix::process::CommandExt as _, path::PathBuf, process::Command, time::Duration};

use crate::telemetry;

/// Replaces this program by itself, with the same arguments. Its sockets, threads and memory are gone in that
/// very moment, so nothing of the old house can serve; what comes is a node that stands by. Returns only if the
/// system cannot do that. The last lines of the log get so much time; none, if it must not wait.
pub(super) fn start_anew(last_words: Duration) -> io::Error {
    if !last_words.is_zero() {
        telemetry::flush(last_words);
    }
    let mut arguments = std::env::args_os();
    let called = arguments.next();
    match std::env::current_exe() {
        Ok(program) => {
            // Replaced by a newer one since: that one, if it has the same name.
            let name = program.to_string_lossy();
            let program = name.strip_suffix(" (deleted)").map_or_else(|| program.clone(), PathBuf::from);
            let mut command = Command::new(program);
            if let Some(called) = called {
                command.arg0(called);
            }
            command.args(arguments).exec()
        }
        Err(error) => error,
    }
}
