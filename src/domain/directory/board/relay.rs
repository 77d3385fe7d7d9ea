//! What goes through the server because neither end can be dialled.

use super::Board;
use crate::domain::{
    Moment,
    directory::{guest::Reach, order::Order, rules::Unrelayed},
    endpoint::Endpoint,
    id::ConnectionId,
};

impl Board {
    /// A node wants a payload handed on.
    pub fn relay(
        &mut self,
        sender: ConnectionId,
        to: Endpoint,
        payload: Vec<u8>,
        now: Moment,
        out: &mut Vec<Order>,
    ) {
        let recipient = self.undialable_node(to);
        let Some(guest) = self.guests.get_mut(&sender) else { return };
        guest.heard = now;
        let cost = u32::try_from(payload.len()).unwrap_or(u32::MAX).max(1);
        // Only what the one has said who is asked for it counts, so that nobody speaks in another's name.
        let Some(entry) = guest.entry else {
            return out.push(Order::Unrelayed(sender, to, Unrelayed::Absent));
        };
        let why = match recipient {
            None => Unrelayed::Absent,
            Some((_, is_undialable)) if !is_undialable || entry.reach != Reach::Undialable => {
                Unrelayed::Dialable
            }
            Some(_) if guest.relayed.take(cost, now).is_err() => Unrelayed::Busy,
            Some((recipient, _)) => {
                let from = entry.at;
                return out.push(Order::Relay { sender, from, recipient, to, payload });
            }
        };
        out.push(Order::Unrelayed(sender, to, why));
    }
}
