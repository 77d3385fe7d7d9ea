//! What Kith neighbours say about their rooms, and what they are told about ours.
//!
//! Both sides say who is in their rooms when a link comes up, and ask for the lines that they have not heard. Lines are
//! told in parts, each of which says where it begins: where the one before it has ended. So there is no gap, whatever
//! gets lost with a link, and whoever is slow is asked for no more than it can take.

use std::{collections::HashMap, sync::Arc};

use super::{
    Deed, Event, Line, Lines, Outcome, RoomNews, Rooms, Stamp,
    clock::Clock,
    house::seat,
    line::LONGEST_NAME,
    log::Retracted,
    seating::{Standing, Theirs},
};
use crate::domain::{
    id::{HomeId, KeyId},
    refusal::Violation,
};

/// What a seat takes of a message, about.
const SEAT_BYTES: usize = 256;

/// One that is linked.
#[derive(Debug)]
pub(super) struct Neighbour {
    /// The key by which its lines are known.
    pub(super) key: KeyId,
    /// Its guests by its own numbers.
    pub(super) guests: HashMap<u32, Theirs>,
    /// The numbers of its members.
    pub(super) members: HashMap<KeyId, u32>,
    /// How many seats they have taken.
    pub(super) seats: usize,
    /// Whether it has been told everything so far, and hears each new line.
    is_live: bool,
    /// Up to where we have heard it.
    cursor: Stamp,
    listening: Listening,
    /// It has lost lines up to this stamp, and tells everything anew.
    lost: Option<Stamp>,
}

/// How we listen to a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listening {
    /// We have asked for what is behind the cursor, and wait for it.
    Asked,
    /// It goes on by itself.
    Live,
    /// Its clock is ahead of ours: we listen again when this time has come.
    Early(Stamp),
}

impl Neighbour {
    fn new(key: KeyId, cursor: Stamp) -> Self {
        let (guests, members, seats) = (HashMap::new(), HashMap::new(), 0);
        let listening = Listening::Asked;
        Self { key, guests, members, seats, is_live: false, cursor, listening, lost: None }
    }
}

impl Rooms {
    /// A Kith neighbour is linked, and has proven this key. If it was linked before, it starts afresh.
    pub fn link(&mut self, home: HomeId, key: KeyId) -> Outcome {
        let mut outcome = self.unlink(home);
        let cursor = self.heard.through(key).unwrap_or_default();
        self.neighbours.insert(home, Neighbour::new(key, cursor));
        let mut seats = Vec::new();
        for (name, room) in &self.rooms {
            let ours = room.guests().into_iter().filter(|guest| guest.home == HomeId::OWN);
            seats.extend(ours.map(|guest| (name.clone(), seat(&guest))));
        }
        for part in seats.chunks((self.limits.part_bytes / SEAT_BYTES).max(1)) {
            outcome.spread(vec![home], RoomNews::Seats(part.to_vec()));
        }
        outcome.spread(vec![home], RoomNews::WantLines(cursor));
        outcome
    }

    /// A neighbour is gone, and takes its guests with it. No matter whether it was ever linked here.
    pub fn unlink(&mut self, home: HomeId) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(neighbour) = self.neighbours.remove(&home) else { return outcome };
        let mut guests: Vec<_> = neighbour.guests.into_values().collect();
        guests.sort_by_key(|theirs| theirs.guest.number);
        for Theirs { guest, rooms } in guests {
            for room in rooms {
                self.unseat(&room, guest.number, &mut outcome);
            }
        }
        outcome
    }

    /// A neighbour says something; of its guests only those are seen here who may be, as they stand with this home.
    /// What comes from somebody who is not linked is nothing.
    ///
    /// # Errors
    /// It may not say that; the link should end.
    pub fn hear(
        &mut self,
        home: HomeId,
        news: RoomNews,
        stands: impl Fn(HomeId, KeyId) -> Standing,
        now_ms: i64,
    ) -> Result<Outcome, Violation> {
        let mut outcome = Outcome::default();
        if !self.neighbours.contains_key(&home) {
            return Ok(outcome);
        }
        match news {
            RoomNews::Seats(seats) => self.hear_seats(home, seats, stands, &mut outcome)?,
            RoomNews::Went(room, number) => self.hear_went(home, &room, number, &mut outcome),
            RoomNews::Renamed(seat) => self.hear_renamed(home, seat, stands, &mut outcome)?,
            RoomNews::WantLines(stamp) => self.tell_lines(home, stamp, now_ms, &mut outcome),
            RoomNews::Lines(lines) => self.hear_lines(home, lines, now_ms, &mut outcome)?,
            RoomNews::Lost(stamp) => self.hear_lost(home, stamp)?,
        }
        Ok(outcome)
    }

    /// A neighbour has asked for our lines.
    fn tell_lines(&mut self, home: HomeId, stamp: Stamp, now_ms: i64, outcome: &mut Outcome) {
        // Whatever it is, we have given it, and do not give it again.
        self.clock.hear(stamp, now_ms);
        let mut after = stamp;
        if !self.archive.has_given(stamp) {
            outcome.spread(vec![home], RoomNews::Lost(stamp));
            after = Stamp::ZERO;
        }
        let part = self.archive.part(after, self.limits.part_bytes);
        if let Some(neighbour) = self.neighbours.get_mut(&home) {
            neighbour.is_live = !part.more;
        }
        outcome.spread(vec![home], RoomNews::Lines(part));
    }

    /// A new line of ours is told to those who have heard everything before it.
    pub(super) fn share(&self, after: Stamp, line: &Arc<Line>, outcome: &mut Outcome) {
        let live = self.neighbours.iter().filter(|(_, neighbour)| neighbour.is_live);
        let live = live.map(|(home, _)| *home).collect();
        let (through, lines) = (line.id.stamp, vec![Arc::clone(line)]);
        outcome.spread(live, RoomNews::Lines(Lines { after, through, more: false, lines }));
    }

    fn hear_lines(
        &mut self,
        home: HomeId,
        news: Lines,
        now_ms: i64,
        outcome: &mut Outcome,
    ) -> Result<(), Violation> {
        let Some(neighbour) = self.neighbours.get(&home) else { return Ok(()) };
        check_lines(&news, neighbour.key)?;
        let Lines { after, through, more, lines } = news;
        match neighbour.listening {
            Listening::Early(_) => return Ok(()),
            // It was on its way before we asked.
            Listening::Asked if after != neighbour.cursor => return Ok(()),
            Listening::Live if after != neighbour.cursor => return Err(Violation::OutOfOrder),
            Listening::Asked | Listening::Live => {}
        }
        let horizon = Clock::horizon(now_ms);
        let early = lines.iter().map(|line| line.id.stamp).chain([through]).find(|stamp| *stamp > horizon);
        let in_time = lines.partition_point(|line| line.id.stamp <= horizon);
        let (in_time, _) = lines.split_at_checked(in_time).unwrap_or_default();
        let (cursor, listening) = match early {
            Some(stamp) => (in_time.last().map_or(after, |line| line.id.stamp), Listening::Early(stamp)),
            None if more => (through, Listening::Asked),
            None => (through, Listening::Live),
        };
        let end = if listening == Listening::Live { None } else { Some(cursor) };
        self.forget_lost(home, after, end, in_time, outcome);
        for line in in_time {
            self.clock.hear(line.id.stamp, now_ms);
            self.hear_line(home, line, now_ms, outcome);
        }
        self.listen(home, cursor, listening);
        if listening == Listening::Asked {
            outcome.spread(vec![home], RoomNews::WantLines(through));
        }
        Ok(())
    }

    fn listen(&mut self, home: HomeId, cursor: Stamp, listening: Listening) {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        (neighbour.cursor, neighbour.listening) = (cursor, listening);
        // Until everything that was lost is forgotten, we go on asking as if it were not lost.
        if neighbour.lost.is_none() {
            self.heard.note(neighbour.key, cursor);
            self.heard.bound(|key| self.neighbours.values().any(|other| other.key == key));
        }
    }

    /// What a neighbour that has lost lines has not told between two stamps, or up to the end, is no more.
    fn forget_lost(
        &mut self,
        home: HomeId,
        after: Stamp,
        end: Option<Stamp>,
        kept: &[Arc<Line>],
        outcome: &mut Outcome,
    ) {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return };
        let Some(lost) = neighbour.lost else { return };
        neighbour.lost.take_if(|lost| end.is_none_or(|end| *lost <= end));
        let through = end.map_or(lost, |end| end.min(lost));
        if through <= after {
            return;
        }
        let retracted = Retracted { home: neighbour.key, after, through, kept };
        let mut turns = Vec::new();
        for (name, room) in &mut self.rooms {
            turns.push((name.clone(), room.retract(&retracted)));
        }
        for (name, turn) in turns {
            self.settle(&turn, outcome);
            self.announce(&name, &turn, outcome);
        }
    }

    fn hear_line(&mut self, home: HomeId, line: &Arc<Line>, now_ms: i64, outcome: &mut Outcome) {
        let Some(turn) = self.write(line, now_ms, outcome) else { return };
        self.announce(&line.room, &turn, outcome);
        if !turn.is_new || !matches!(line.deed, Deed::Said(_)) || !self.shows(line) {
            return;
        }
        let Some(room) = self.rooms.get(&line.room) else { return };
        let event = match self.speaker(home, line).and_then(|number| room.seated(number)) {
            Some(seated) => Event::Said(Arc::clone(&seated.guest), Arc::clone(line)),
            None => Event::Recalled(Arc::clone(line)),
        };
        outcome.tell(&line.room, room.listeners(), event);
    }

    /// Whoever has said this, by our number.
    fn speaker(&self, home: HomeId, line: &Line) -> Option<u32> {
        let neighbour = self.neighbours.get(&home)?;
        let number = neighbour.members.get(&line.by.as_ref()?.member)?;
        Some(neighbour.guests.get(number)?.guest.number)
    }

    /// A neighbour has lost lines that we have heard of it, and says so when we ask.
    fn hear_lost(&mut self, home: HomeId, through: Stamp) -> Result<(), Violation> {
        let Some(neighbour) = self.neighbours.get_mut(&home) else { return Ok(()) };
        let is_answer = neighbour.listening == Listening::Asked && neighbour.cursor == through;
        if !is_answer || through == Stamp::ZERO {
            return Err(Violation::OutOfOrder);
        }
        neighbour.lost = Some(through);
        neighbour.cursor = Stamp::ZERO;
        Ok(())
    }

    /// Those whose clocks were ahead are asked again when their time has come.
    pub(super) fn ask_again(&mut self, now_ms: i64, outcome: &mut Outcome) {
        let horizon = Clock::horizon(now_ms);
        for (home, neighbour) in &mut self.neighbours {
            if let Listening::Early(until) = neighbour.listening
                && until <= horizon
            {
                neighbour.listening = Listening::Asked;
                outcome.spread(vec![*home], RoomNews::WantLines(neighbour.cursor));
            }
        }
    }
}

/// Whether a home says its own lines, and in their order.
fn check_lines(news: &Lines, key: KeyId) -> Result<(), Violation> {
    let mut last = news.after;
    for line in &news.lines {
        let withdraws_own = match line.deed {
            Deed::Withdrew { line: target, .. } => target.home == key && target.stamp < line.id.stamp,
            Deed::Said(_) | Deed::Topic(_) => true,
        };
        if line.by.as_ref().is_some_and(|by| by.name.len() > LONGEST_NAME) {
            return Err(Violation::TooLarge);
        }
        if line.id.home != key || !withdraws_own {
            return Err(Violation::WrongSender);
        }
        if line.id.stamp <= last {
            return Err(Violation::OutOfOrder);
        }
        last = line.id.stamp;
    }
    if last > news.through || (news.more && news.through == news.after) {
        return Err(Violation::OutOfOrder);
    }
    Ok(())
}
