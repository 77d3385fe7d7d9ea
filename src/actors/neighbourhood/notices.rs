//! What Kith neighbours are told as a whole, whenever it is different: our bans, who is in our directory,
//! and behind which doors our home is found.

use std::sync::Arc;

use actix::{Context, Handler};

use super::{Known, Neighbourhood, Recommend, Recommended};
use crate::{
    actors::{bans::Publish, house::House, lane::Class, meter::Meter, rendezvous::Told},
    dialect::{Ear, kith::directory},
    domain::{id::KeyId, letter::Frame},
};

/// The newest notice of one kind.
#[derive(Clone, Copy, Debug)]
enum Notice {
    Bans,
    Directory,
}

/// One of each kind; the third one are the doors of our home, which never change.
pub(super) type Each<T> = [Option<T>; 3];

impl Neighbourhood {
    /// Tells those Kith neighbours what was not told them on the socket that they have now.
    pub(super) fn tell_notices(&mut self) {
        for (at, notice) in self.notices.iter().enumerate() {
            let Some(frame) = notice else { continue };
            for known in self.known.values_mut() {
                let (status, told) = (known.status.as_ref(), known.told.get_mut(at));
                let Some((status, told)) = status.zip(told) else { continue };
                if status.ear != Some(Ear::Kith) {
                    continue;
                }
                for socket in &status.sockets {
                    let is_told =
                        told.as_ref().is_some_and(|told: &Arc<Meter>| Arc::ptr_eq(told, &socket.meter));
                    // Without room it is told in the next round.
                    if !is_told && socket.lane.offer(frame.clone(), Class::List) {
                        *told = Some(Arc::clone(&socket.meter));
                    }
                }
            }
        }
    }

    fn notify(&mut self, notice: Notice, frame: Frame) {
        let at = match notice {
            Notice::Bans => 0,
            Notice::Directory => 1,
        };
        self.notices[at] = Some(frame);
        for known in self.known.values_mut() {
            known.told[at] = None;
        }
        self.tell_notices();
    }
}

impl Known {
    /// Nothing was told on its link yet.
    pub(super) const NOTHING_TOLD: Each<Arc<Meter>> = [None, None, None];
}

/// That a neighbour has told its directory. Dropping this takes its entries out of ours, whatever way its link ended.
pub(super) struct Recommends {
    home: KeyId,
    house: Arc<House>,
}

impl std::fmt::Debug for Recommends {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Recommends({})", self.home.short())
    }
}

impl Drop for Recommends {
    fn drop(&mut self) {
        self.house.rendezvous.do_send(Told { home: self.home, entries: Vec::new() });
    }
}

impl Handler<Publish> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Publish(frame): Publish, _: &mut Context<Self>) {
        self.notify(Notice::Bans, frame);
    }
}

impl Handler<Recommend> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Recommend(entries): Recommend, _: &mut Context<Self>) {
        self.notify(Notice::Directory, directory::frame(&entries));
    }
}

impl Handler<Recommended> for Neighbourhood {
    type Result = ();

    fn handle(&mut self, Recommended { home, entries }: Recommended, _: &mut Context<Self>) {
        let Some((house, known)) = self.house.clone().zip(self.known.get_mut(&home)) else { return };
        let Some(key) = known.proven.as_ref().map(|key| key.id()) else { return };
        if known.recommends.as_ref().is_none_or(|before| before.home != key) {
            known.recommends = Some(Recommends { home: key, house: Arc::clone(&house) });
        }
        house.rendezvous.do_send(Told { home: key, entries });
    }
}
