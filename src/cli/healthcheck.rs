//! `kith healthcheck`: is the server on this machine ready? Exit status 0 means yes.
//!
//! Containers have no curl; this is what their health check calls. Quiet unless something is wrong.

use std::{net::IpAddr, net::Ipv4Addr, net::SocketAddr, process::ExitCode, time::Duration};

use clap::Args;

use super::serve::SettingsArgs;

/// Arguments of `kith healthcheck`.
#[derive(Args, Debug)]
pub struct HealthcheckArgs {
    /// Settings; the admin door is found in them.
    #[command(flatten)]
    settings: SettingsArgs,
}

const PATIENCE: Duration = Duration::from_secs(3);

/// Runs it.
#[must_use]
pub fn run(args: HealthcheckArgs) -> ExitCode {
    let loaded = match args.settings.load() {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("kith: {error}");
            return ExitCode::FAILURE;
        }
    };
    let admin = loaded.settings.listen.admin;
    match actix_rt::System::new().block_on(ask(admin)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("kith: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(mut admin: SocketAddr) -> Result<(), String> {
    if admin.ip().is_unspecified() {
        admin.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let url = format!("http://{admin}/readyz");
    let request = awc::Client::builder().timeout(PATIENCE).finish().get(&url);
    let mut response = request.send().await.map_err(|error| format!("{url}: {error}"))?;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response.body().await.unwrap_or_default();
    Err(format!("{url}: {} {}", response.status(), String::from_utf8_lossy(&body)))
}
