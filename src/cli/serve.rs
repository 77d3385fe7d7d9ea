//! `kith serve`: what may be said on the command line, and where it goes in the settings.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::settings::{Loaded, SettingsError, Sources, load};

/// Where settings come from, beside the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// A settings file that wins over the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for keys, the database and uploaded files.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address of the main door.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address of the admin door.
    #[arg(long, value_name = "ADDR")]
    pub admin_listen: Option<SocketAddr>,
}

/// Arguments of `kith serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Written once the doors are open: their addresses and the admin token, as JSON.
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Ends in order when its standard input closes, and leaves greeting people to whoever started it.
    #[arg(long, hide = true)]
    pub supervised: bool,
}

impl SettingsArgs {
    /// Reads all layers.
    ///
    /// # Errors
    /// Something in them is unknown or wrong.
    pub fn load(&self) -> Result<Loaded, SettingsError> {
        let data = self.data.as_ref().map(|path| ("server.data_dir", path.display().to_string()));
        let listen = self.listen.map(|address| ("listen.main", address.to_string()));
        let admin = self.admin_listen.map(|address| ("listen.admin", address.to_string()));
        let overrides = [data, listen, admin].into_iter().flatten();
        let overrides = overrides.map(|(key, value)| (key.to_owned(), value)).collect();
        load(&Sources::of_process(self.config.clone(), overrides))
    }
}
