//! Whether a connection still lives, and whether it has said who it is.
//!
//! Pure arithmetic over the limits: the shell says what it heard and when, asks what is due, and is
//! told when to ask again.

use super::{
    Moment,
    limits::{Limits, seconds},
    refusal::Ending,
};

/// How long whom is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until it says who it is.
    pub hello_s: u32,
    /// Until it is asked whether it lives.
    pub ping_s: u32,
    /// Until it is believed not to.
    pub silence_s: u32,
}

impl Patience {
    /// With clients, and whoever has not said what it is.
    #[must_use]
    pub const fn with_clients(limits: &Limits) -> Self {
        let (ping_s, silence_s) = (limits.ping_interval_s, limits.silence_timeout_s);
        Self { hello_s: limits.hello_timeout_s, ping_s, silence_s }
    }

    /// With servers.
    #[must_use]
    pub const fn with_peers(limits: &Limits) -> Self {
        let (ping_s, silence_s) = (limits.peer_heartbeat_s, limits.peer_silence_s);
        Self { hello_s: limits.hello_timeout_s, ping_s, silence_s }
    }

    /// With whom may wait so long with its hello, and be silent for so long, by its protocol.
    #[must_use]
    pub fn at_least(self, hello_s: u32, silence_s: u32) -> Self {
        Self { hello_s: self.hello_s.max(hello_s), silence_s: self.silence_s.max(silence_s), ..self }
    }
}

/// What is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing before this moment.
    Sleep(Moment),
    /// Ask the other side whether it lives.
    Ping,
    /// It is over.
    End(Ending),
}

/// The watch over one connection.
#[derive(Clone, Copy, Debug)]
pub struct Vigil {
    opened: Moment,
    heard: Moment,
    pinged: Moment,
    introduced: bool,
}

impl Vigil {
    /// A connection opens.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self { opened: now, heard: now, pinged: now, introduced: false }
    }

    /// Anything at all was heard.
    pub const fn heard(&mut self, now: Moment) {
        self.heard = now;
    }

    /// The connection has said who it is.
    pub const fn introduced(&mut self) {
        self.introduced = true;
    }

    /// What is due at `now`. A ping counts as sent once it was asked for.
    pub fn due(&mut self, now: Moment, patience: Patience) -> Due {
        let hello_by = self.opened + seconds(patience.hello_s);
        if !self.introduced && now >= hello_by {
            return Due::End(Ending::NoHello);
        }
        let silent_at = self.heard + seconds(patience.silence_s);
        if now >= silent_at {
            return Due::End(Ending::Silent);
        }
        let ping_at = self.heard.max(self.pinged) + seconds(patience.ping_s);
        if now >= ping_at {
            self.pinged = now;
            return Due::Ping;
        }
        let next = ping_at.min(silent_at);
        Due::Sleep(if self.introduced { next } else { next.min(hello_by) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: u64) -> Moment {
        Moment::from_secs(second)
    }

    #[test]
    fn who_never_says_hello_is_let_go_after_ten_seconds() {
        let patience = Patience::with_clients(&Limits::default());
        let mut vigil = Vigil::new(at(0));
        assert_eq!(vigil.due(at(0), patience), Due::Sleep(at(10)));
        vigil.heard(at(9));
        assert_eq!(vigil.due(at(9), patience), Due::Sleep(at(10)));
        assert_eq!(vigil.due(at(10), patience), Due::End(Ending::NoHello));
    }

    #[test]
    fn silence_is_asked_about_and_then_believed() {
        let patience = Patience::with_clients(&Limits::default());
        let mut vigil = Vigil::new(at(0));
        vigil.introduced();
        assert_eq!(vigil.due(at(0), patience), Due::Sleep(at(20)));
        assert_eq!(vigil.due(at(20), patience), Due::Ping);
        assert_eq!(vigil.due(at(20), patience), Due::Sleep(at(40)));
        vigil.heard(at(21));
        assert_eq!(vigil.due(at(40), patience), Due::Sleep(at(41)));
        assert_eq!(vigil.due(at(41), patience), Due::Ping);
        assert_eq!(vigil.due(at(61), patience), Due::End(Ending::Silent));
    }
}
