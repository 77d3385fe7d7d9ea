//! Which server is meant, and with which token: the arguments of everything that asks an admin door.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::api::{Api, Trouble};
use crate::identity::read_token;

/// Holds the token, for whoever does not want it in a file.
const TOKEN_VARIABLE: &str = "KITH_ADMIN_TOKEN";

/// Where an admin door usually is.
const USUAL_URL: &str = "http://127.0.0.1:9090";
/// Where a server of `kith mesh` tells that its doors are open, in its data folder.
pub(in crate::cli) const READY_FILE: &str = "ready.json";

/// A server and how to show what it says.
#[derive(Args, Clone, Debug)]
pub struct Access {
    /// The admin door of the server [default: that of the server of a mesh whose folder --data names, or
    /// else http://127.0.0.1:9090].
    #[arg(long, global = true, value_name = "URL", env = "KITH_ADMIN_URL")]
    pub url: Option<String>,
    /// A file with the admin token. Without it: the variable KITH_ADMIN_TOKEN, then the data folder.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "data")]
    pub token_file: Option<PathBuf>,
    /// The data folder of a server on this machine, where its token lies [default: data].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print the JSON of the API; lists as one array of all pages.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Access {
    /// The admin API of that server.
    pub(in crate::cli) fn api(&self) -> Result<Api, Trouble> {
        Api::new(&self.url(), &self.token()?)
    }

    fn url(&self) -> String {
        let told = || self.data.as_deref().and_then(told_in);
        self.url.clone().or_else(told).unwrap_or_else(|| USUAL_URL.to_owned())
    }

    /// What is said on the command line wins over the variable, and that over the usual place.
    fn token(&self) -> Result<Zeroizing<String>, Trouble> {
        if let Some(path) = &self.token_file {
            let text = std::fs::read_to_string(path).map(Zeroizing::new);
            let text = text.map_err(|error| Trouble::NoToken(format!("{}: {error}", path.display())))?;
            return Ok(Zeroizing::new(text.trim().to_owned()));
        }
        let variable = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
        if let (None, Some(token)) = (&self.data, variable) {
            return Ok(Zeroizing::new(token.trim().to_owned()));
        }
        token_in(self.data.as_deref().unwrap_or_else(|| Path::new("data")))
    }
}

/// The admin door that a running server told, if it tells into its data folder.
fn told_in(data: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data.join(READY_FILE)).ok()?;
    let told: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(format!("http://{}", told["admin"].as_str()?))
}

/// The admin token that lies in a data folder.
pub(in crate::cli) fn token_in(data: &Path) -> Result<Zeroizing<String>, Trouble> {
    match read_token(data) {
        Ok(Some(token)) => Ok(token),
        Ok(None) => Err(Trouble::NoToken(format!("there is none in {}", data.display()))),
        Err(error) => Err(Trouble::NoToken(error.to_string())),
    }
}
