//! The HTTP client beside the chat.

use std::{sync::Arc, time::Duration};

use awc::{Client, Connector};
use rustls::ClientConfig;

/// How long a server may take to begin its answer, and to go on with it.
pub(super) const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// An HTTP client that believes the same certificates as the chat.
pub(super) fn client(trust: &Arc<ClientConfig>) -> Client {
    let connector = Connector::new().rustls_0_23(Arc::clone(trust)).timeout(Duration::from_secs(15));
    Client::builder().connector(connector).disable_redirects().timeout(LONGEST_SILENCE).finish()
}
