//! The life of the host: it starts, makes its journal durable, stops, crashes.

use domain::faults::{self, Fault};

use super::{Task, World};
use crate::audit::Violation;
use crate::core::Core;
use crate::journal::{Journal, Start};
use crate::network::LineId;
use crate::plan::{MILLISECOND, SECOND};
use crate::rot;

/// How many steps of the journal it takes at most until the power goes in the middle of one.
const STEPS: u64 = 12;
/// How often somebody finds out whether there is room on the disk.
const FULL_RETRY: u64 = 200 * MILLISECOND;

impl World {
    /// Starts the host with what its journal holds, which must be all that it ever said to be
    /// durable.
    pub(super) fn start(&mut self) -> Result<(), Violation> {
        if self.core.is_some() {
            return Ok(());
        }
        if let Journal::Memory(journal) = &self.journal {
            journal.lie_about_sync(faults::is_planted(Fault::SyncSkipped));
        }
        self.dare_cut();
        let books = match self.journal.start() {
            Start::Up(books) => books,
            Start::Down => {
                let loses_power = !self.dice.chance(self.plan.trouble.kills);
                self.journal.crash(loses_power, &mut self.dice);
                self.trace.note(self.now, b"down", || "the host ends in a start".to_owned());
                self.after(SECOND, Task::Start);
                return Ok(());
            }
            Start::Full => {
                self.trace.note(self.now, b"full", || "no room to start".to_owned());
                self.after(FULL_RETRY, Task::Start);
                return Ok(());
            }
            Start::Refused(error) => return Err(Violation::new("I10", &error)),
        };
        self.disarm_cut();
        let kept = self.journal.entries().map_err(|error| Violation::new("I10", &error))?;
        self.trace.note(self.now, b"start", || format!("starts with {} entries", kept.len()));
        if (kept.len() as u64) < self.told_durable {
            let text = format!("{} entries of {} are left", kept.len(), self.told_durable);
            return Err(Violation::new("I10", &text));
        }
        self.audit.follow(&kept)?;
        self.audit.check_replay(&books)?;
        self.audit.check_answers(&self.history)?;
        let books = if self.dice.chance(self.plan.trouble.rot) { self.rot()? } else { books };
        self.core = Some(Core::start(&self.plan, &self.journal, &self.mood, *books, &self.hsm));
        self.is_sync_due = false;
        Ok(())
    }

    /// Damages the journal in several ways, one after the other, and starts once more.
    fn rot(&mut self) -> Result<Box<domain::books::Books>, Violation> {
        self.journal.crash(false, &mut self.dice);
        if let Some(files) = self.journal.files() {
            for _ in 0..3 {
                rot::probe(files, self.audit.books(), &mut self.dice)?;
                self.tally.damages += 1;
            }
        }
        match self.journal.start() {
            Start::Up(books) => Ok(books),
            Start::Down | Start::Full | Start::Refused(_) => {
                Err(Violation::new("I10", "what was mended is refused"))
            }
        }
    }

    fn dare_cut(&mut self) {
        if self.dice.chance(self.plan.trouble.cuts)
            && let Some(files) = self.journal.files()
        {
            files.disk().cut_after(Some(self.dice.below(STEPS)));
        }
    }

    fn disarm_cut(&self) {
        if let Some(files) = self.journal.files() {
            files.disk().cut_after(None);
        }
    }

    /// What waits goes to the disk.
    pub(super) fn on_write(&mut self, life: u64) -> Result<(), Violation> {
        if life != self.life || self.core.is_none() {
            return Ok(());
        }
        self.dare_cut();
        if self.journal.write().is_err() {
            return self.crash();
        }
        let trouble = self.plan.trouble;
        let longest = if self.dice.chance(trouble.stalls) { 10 * SECOND } else { trouble.sync_max };
        let delay = self.dice.below(longest);
        self.after(delay, Task::Sync { life });
        Ok(())
    }

    /// What was written is durable, or the node ends.
    pub(super) fn on_sync(&mut self, life: u64) -> Result<(), Violation> {
        if life != self.life || self.core.is_none() {
            return Ok(());
        }
        self.is_sync_due = false;
        self.tally.syncs += 1;
        self.befall()?;
        if self.dice.chance(self.plan.trouble.sync_fails) {
            self.journal.fail_next_sync();
        }
        if self.journal.sync().is_err() {
            return self.crash();
        }
        // Where others write too, what was not taken is counted as well.
        if self.journal.files().is_some() {
            self.told_durable = self.journal.durable().0;
        }
        self.trace.note(self.now, b"sync", || format!("durable: {:?}", self.journal.durable()));
        for desk in 0..self.plan.desks {
            if self.core.as_ref().is_some_and(|core| core.has_outcome(desk)) {
                let delay = self.dice.below(MILLISECOND);
                self.after(delay, Task::Look { life, desk });
            }
        }
        if self.dice.chance(self.plan.trouble.snapshots) && !self.snapshot() {
            return self.crash();
        }
        if self.dice.chance(self.plan.trouble.stops) {
            return self.stop();
        }
        // More came while this was in flight, or a desk that decided anew submitted again.
        if self.core.as_ref().is_some_and(|core| core.desks().any(|desk| desk.waiting() > 0)) {
            self.is_sync_due = true;
            let delay = if self.journal.is_full() { FULL_RETRY } else { MILLISECOND };
            self.after(delay, Task::Write { life });
        }
        Ok(())
    }

    /// What may befall a host at any time.
    fn befall(&mut self) -> Result<(), Violation> {
        let trouble = self.plan.trouble;
        if self.dice.chance(trouble.contests) {
            self.contest()?;
        }
        if self.dice.chance(trouble.cut_offs) {
            self.turn_the_day();
        }
        if self.dice.chance(trouble.set_ups) {
            self.set_up_anew();
        }
        if self.dice.chance(trouble.clock_steps) {
            let offset = *self.dice.pick(&[-86_400_000, -7_200_000, -1_500, 0, 90_000, 86_400_000]);
            self.clock.set(self.now, offset);
            self.trace.note(self.now, &offset.to_le_bytes(), || format!("clock {offset} ms off"));
        }
        if self.dice.chance(trouble.full_disk)
            && let Some(files) = self.journal.files()
        {
            files.disk().set_full(true);
            let time = self.dice.below(30 * SECOND);
            self.trace.note(self.now, b"full", || "the disk is full".to_owned());
            self.tally.full_disks += 1;
            self.note_room();
            self.after(time, Task::Room);
        }
        Ok(())
    }

    pub(super) fn make_room(&mut self) {
        if let Some(files) = self.journal.files() {
            files.disk().set_full(false);
            self.note_room();
        }
    }

    /// The node looks now and then whether its disk has room.
    fn note_room(&self) {
        if let Some(core) = &self.core {
            core.note_room(!self.journal.is_full());
        }
    }

    /// Tries a snapshot. False if the power went with it; what else may fail is no harm.
    fn snapshot(&mut self) -> bool {
        self.dare_cut();
        let written = self.journal.snapshot();
        self.tally.snapshots += u64::from(written.is_ok());
        self.trace.note(self.now, b"snapshot", || format!("snapshot: {}", written.is_ok()));
        !self.journal.files().is_some_and(|files| files.disk().is_cut())
    }

    /// The operator stops the host in good order.
    fn stop(&mut self) -> Result<(), Violation> {
        if self.journal.is_full() || self.journal.stop().is_err() {
            return self.crash();
        }
        self.trace.note(self.now, b"stop", || "the host stops".to_owned());
        self.go_down();
        Ok(())
    }

    pub(super) fn maybe_crash(&mut self) -> Result<(), Violation> {
        let crashes = u64::from(self.plan.trouble.crashes);
        if self.core.is_some() && self.dice.below(100_000) < crashes {
            return self.crash();
        }
        Ok(())
    }

    /// The host is gone, with everything that was not durable. What is must still be there when
    /// it comes back.
    fn crash(&mut self) -> Result<(), Violation> {
        self.tally.crashes += 1;
        let loses_power = !self.dice.chance(self.plan.trouble.kills);
        self.core = None;
        self.journal.crash(loses_power, &mut self.dice);
        self.trace.note(self.now, b"crash", || format!("crash, without power: {loses_power}"));
        self.go_down();
        Ok(())
    }

    fn go_down(&mut self) {
        self.core = None;
        self.is_sync_due = false;
        self.arrivals.clear();
        for device in 0..self.devices.len() {
            if let Some(line) = self.devices[device].line.filter(|&line| self.is_of_this_life(line))
            {
                self.network.cut(line);
                let noticed = self.dice.below(5 * SECOND);
                self.after(noticed, Task::TerminalNotices(line));
            }
        }
        self.life += 1;
        let down = self.dice.below(3 * SECOND);
        self.after(down, Task::Start);
    }

    fn is_of_this_life(&self, line: LineId) -> bool {
        self.network.line(line).is_some_and(|line| line.life == self.life)
    }
}
