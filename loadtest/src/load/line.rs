//! One line under a load, without its socket: what is due, under way and to be written.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use codec::{Limits, cut};

use super::faults::{Dice, Mishap};
use super::tally::{Load, Missed};
use super::till::{Answer, Till};
use super::{Matching, Rules};
use crate::code::Code;
use crate::ids::{Stan, TerminalId};

/// One line.
pub(super) struct Line<T> {
    rules: Rules,
    begin: Instant,
    dice: Dice,
    seats: Vec<Seat<T>>,
    /// Seats by their terminal.
    places: Vec<(TerminalId, usize)>,
    /// Seats with nothing under way that may have something to ask.
    free: VecDeque<usize>,
    /// Seats in the order in which they asked, for answers that do not say whose they are.
    asked: VecDeque<usize>,
    in_flight: usize,
    /// When requests were due that no seat was free for.
    backlog: VecDeque<Instant>,
    unread: Vec<u8>,
    /// What is to be written, whole frames only until some of it is.
    pub(super) unsent: Vec<u8>,
    /// What to do with the line when that is written.
    pub(super) mishap: Mishap,
}

struct Seat<T> {
    till: T,
    flight: Option<Flight>,
}

/// A request under way.
struct Flight {
    due: Instant,
    stan: Stan,
    /// Answers that are still to come.
    copies: u8,
    /// What the first answer said.
    first: Option<(Code, Option<[u8; 12]>)>,
}

/// What came cannot be cut into frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Garbled;

impl<T: Till> Line<T> {
    pub(super) fn new(tills: Vec<T>, rules: Rules, seed: u64) -> Self {
        let seats: Vec<_> = tills.into_iter().map(|till| Seat { till, flight: None }).collect();
        let numbered = seats.iter().enumerate();
        let mut places: Vec<_> = numbered.map(|(at, seat)| (seat.till.terminal(), at)).collect();
        places.sort_unstable();
        Self {
            rules,
            begin: Instant::now(),
            dice: Dice::new(rules.faults, seed),
            free: (0..seats.len()).collect(),
            seats,
            places,
            asked: VecDeque::new(),
            in_flight: 0,
            backlog: VecDeque::new(),
            unread: Vec::new(),
            unsent: Vec::new(),
            mishap: Mishap::None,
        }
    }

    /// The time runs from this moment on.
    pub(super) const fn begin(&mut self, at: Instant) {
        self.begin = at;
    }

    /// Whoever sat at it.
    pub(super) fn into_tills(self) -> Vec<T> {
        self.seats.into_iter().map(|seat| seat.till).collect()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.unsent.is_empty()
    }

    /// True if nobody has anything under way or to ask.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_idle() && self.free.is_empty()
    }

    /// A request is due at this moment.
    pub(super) fn fall_due(&mut self, due: Instant) {
        self.backlog.push_back(due);
    }

    /// Asks what is due, if the requests have times, as far as terminals are free.
    pub(super) fn ask_due(&mut self, now: Instant, load: &mut Load) {
        while self.has_room() {
            let Some(due) = self.backlog.pop_front() else { return };
            let waited = now.saturating_duration_since(due);
            if self.rules.patience.is_some_and(|patience| waited > patience) {
                self.miss(now, due, Missed::Unsent, load);
            } else if !self.ask(due, load) {
                self.backlog.push_front(due);
                return;
            }
        }
    }

    /// Asks as much as there is room for.
    pub(super) fn ask_on(&mut self, now: Instant, load: &mut Load) {
        while self.has_room() && self.ask(now, load) {}
    }

    /// True if another request may be under way.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight < self.rules.in_flight && self.mishap == Mishap::None
    }

    /// Lets the next free terminal ask. False if none has anything to ask.
    fn ask(&mut self, due: Instant, load: &mut Load) -> bool {
        while let Some(at) = self.free.pop_front() {
            let Some(seat) = self.seats.get_mut(at) else { continue };
            let start = self.unsent.len();
            let Some(stan) = seat.till.ask(&mut self.unsent) else {
                load.exhausted = load.exhausted.saturating_add(1);
                continue;
            };
            let mut copies = 1;
            match self.dice.roll() {
                Mishap::None => {}
                Mishap::Duplicate => {
                    copies = 2;
                    self.unsent.extend_from_within(start..);
                }
                mishap @ (Mishap::Drop | Mishap::Delay(_)) => self.mishap = mishap,
            }
            seat.flight = Some(Flight { due, stan, copies, first: None });
            self.asked.push_back(at);
            self.in_flight = self.in_flight.saturating_add(1);
            return true;
        }
        false
    }

    /// Takes in what was read.
    pub(super) fn take(
        &mut self,
        now: Instant,
        read: &[u8],
        load: &mut Load,
    ) -> Result<(), Garbled> {
        if self.unread.is_empty() {
            let taken = self.take_frames(now, read, load)?;
            self.unread.extend_from_slice(read.get(taken..).unwrap_or_default());
        } else {
            let mut unread = std::mem::take(&mut self.unread);
            unread.extend_from_slice(read);
            let taken = self.take_frames(now, &unread, load)?;
            unread.drain(..taken);
            self.unread = unread;
        }
        Ok(())
    }

    fn take_frames(
        &mut self,
        now: Instant,
        bytes: &[u8],
        load: &mut Load,
    ) -> Result<usize, Garbled> {
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match cut(rest, &Limits::default()) {
                Ok(Some(cut)) => {
                    self.take_frame(now, cut.frame, load);
                    taken = taken.saturating_add(cut.consumed);
                }
                Ok(None) => break,
                Err(_) => return Err(Garbled),
            }
        }
        Ok(taken)
    }

    fn take_frame(&mut self, now: Instant, frame: &[u8], load: &mut Load) {
        let answer = Answer::read(frame);
        let place = answer.as_ref().and_then(|answer| self.place_of(answer));
        let (Some(answer), Some(at)) = (answer, place) else {
            load.strays = load.strays.saturating_add(1);
            return;
        };
        let Some(seat) = self.seats.get_mut(at) else { return };
        let Some(flight) = &mut seat.flight else { return };
        let said = (answer.code, answer.rrn());
        if let Some(first) = flight.first {
            // Copies of one request are one request.
            if first != said {
                load.strays = load.strays.saturating_add(1);
            }
        } else {
            flight.first = Some(said);
            let took = now.saturating_duration_since(flight.due);
            load.note_answer(now.saturating_duration_since(self.begin), answer.code, took);
            seat.till.hear(&answer);
        }
        flight.copies = flight.copies.saturating_sub(1);
        if flight.copies == 0 {
            seat.flight = None;
            self.release(at);
        }
    }

    /// The seat that the answer is for.
    fn place_of(&self, answer: &Answer<'_>) -> Option<usize> {
        let at = match self.rules.matching {
            Matching::Loose => return self.asked.front().copied(),
            Matching::Exact => {
                let terminal = answer.terminal()?;
                let found = self.places.binary_search_by_key(&terminal, |(id, _)| *id).ok()?;
                self.places.get(found)?.1
            }
        };
        let flight = self.seats.get(at)?.flight.as_ref()?;
        answer.has(flight.stan).then_some(at)
    }

    fn release(&mut self, at: usize) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match self.rules.matching {
            Matching::Loose => drop(self.asked.pop_front()),
            Matching::Exact => self.asked.retain(|asked| *asked != at),
        }
        self.free.push_back(at);
    }

    /// Gives up what has waited longer than it may.
    pub(super) fn give_up_late(&mut self, now: Instant, load: &mut Load) {
        let is_late = |due: Instant, limit: Duration| now.saturating_duration_since(due) > limit;
        while let Some(&at) = self.asked.front() {
            let flight = self.seats.get(at).and_then(|seat| seat.flight.as_ref());
            if !flight.is_some_and(|flight| is_late(flight.due, self.rules.timeout)) {
                break;
            }
            self.give_up(now, at, load);
        }
        let Some(patience) = self.rules.patience else { return };
        while self.backlog.front().is_some_and(|due| is_late(*due, patience)) {
            if let Some(due) = self.backlog.pop_front() {
                self.miss(now, due, Missed::Unsent, load);
            }
        }
    }

    /// Gives up all that is under way: the line is gone.
    pub(super) fn give_up_all(&mut self, now: Instant, load: &mut Load) {
        while let Some(&at) = self.asked.front() {
            self.give_up(now, at, load);
        }
        self.unread.clear();
        self.unsent.clear();
    }

    /// Gives up what was due and never sent: the time is over.
    pub(super) fn give_up_backlog(&mut self, now: Instant, load: &mut Load) {
        for due in std::mem::take(&mut self.backlog) {
            self.miss(now, due, Missed::Unsent, load);
        }
    }

    fn give_up(&mut self, now: Instant, at: usize, load: &mut Load) {
        let flight = self.seats.get_mut(at).and_then(|seat| {
            let flight = seat.flight.take()?;
            if flight.first.is_none() {
                seat.till.miss();
            }
            Some(flight)
        });
        // What was heard once is not unanswered; its copy is.
        if let Some(Flight { due, first: None, .. }) = flight {
            self.miss(now, due, Missed::Unanswered, load);
        }
        self.release(at);
    }

    fn miss(&self, now: Instant, due: Instant, why: Missed, load: &mut Load) {
        let at = now.saturating_duration_since(self.begin);
        load.note_missed(at, why, now.saturating_duration_since(due));
    }
}
