//! The host's side of a world: what the actors around the parts of a node would do.

use std::sync::atomic::Ordering;

use domain::risk::PinFact;
use domain::shard::{Command, Request};
use domain::terms::{Amount, BatchNo, BusinessDate, MerchantId, ShardNo, Stan, TerminalId};
use domain::txn::{TxnKey, TxnKind};
use switch::clock::Moment;
use switch::facts::Guard;
use switch::terminal::Action;

use super::{Task, World};
use crate::audit::Violation;
use crate::core::{Decided, Mail, Waiter};
use crate::journal::Journal;
use crate::network::{LineId, Way, unframed};
use crate::plan::{HOUR, MILLISECOND};
use crate::trace::{about, brief};

impl World {
    /// Starts the host for the first time, and makes it know everybody.
    pub(super) fn set_up(&mut self) -> Result<(), Violation> {
        while self.core.is_none() {
            self.start()?;
        }
        let mut commands = self.cast.commands(self.hsm.as_ref());
        let date = self.business_date();
        let dates = self.cast.shards().into_iter().map(|shard| (shard, Command::CutOff(date)));
        commands.extend(dates);
        let at = self.moment().at;
        let core = self.core.as_mut().unwrap();
        for (shard, command) in commands {
            let waiter = Waiter { guard: Guard::Free, reply: None };
            let desk = core.desk_of(shard);
            core.on_mail(desk, at, Mail { shard, command, waiter });
            self.journal.write().unwrap();
            self.journal.sync().unwrap();
            core.answer(desk);
        }
        Ok(())
    }

    /// Does what a session wants, as the actor around it would.
    pub(super) fn act(&mut self, line: LineId, now: Moment, action: Action) {
        match action {
            Action::Send(frame) => {
                self.check_in_time(line, &frame);
                self.transmit(line, Way::Down, &frame);
            }
            Action::WakeAfter(time, token) => {
                let delay = u64::try_from(time.as_micros()).unwrap();
                self.after(delay, Task::Wake { life: self.life, line, token });
            }
            Action::Ask(question) => {
                let is_shed = self.dice.chance(self.plan.trouble.shed);
                let core = self.core.as_mut().unwrap();
                if is_shed {
                    drop(question.guard);
                    core.shed(line, now, question.token);
                    return;
                }
                let waiter = Waiter { guard: question.guard, reply: Some((line, question.token)) };
                self.post(Mail { shard: question.shard, command: question.command, waiter });
            }
        }
    }

    /// Puts a command into the mailbox of its desk; nothing overtakes there.
    fn post(&mut self, mail: Mail) {
        let Some(core) = &self.core else { return };
        let desk = core.desk_of(mail.shard);
        let at = (self.now + self.dice.below(3 * MILLISECOND)).max(self.last_mail[desk]);
        self.last_mail[desk] = at;
        self.at(at, Task::Mail { life: self.life, desk, mail: Box::new(mail) });
    }

    pub(super) fn on_mail(&mut self, life: u64, desk: usize, mail: Mail) {
        let now = self.moment();
        let is_full = self.dice.chance(self.plan.trouble.full);
        let Some(core) = self.core.as_mut().filter(|_| life == self.life) else { return };
        self.mood.store(is_full, Ordering::Relaxed);
        let line = || format!("desk {desk} decides {}", name_of(&mail.command));
        self.trace.note(now.micros, &[desk as u8, mail.shard.0], line);
        let decided = core.on_mail(desk, now.at, mail);
        self.mood.store(false, Ordering::Relaxed);
        self.tell(decided);
        if !self.is_sync_due {
            self.is_sync_due = true;
            self.after(0, Task::Write { life });
        }
    }

    fn tell(&mut self, decided: Vec<Decided>) {
        for decided in decided {
            let delay = self.dice.below(MILLISECOND);
            let task = Task::Decided { life: self.life, decided: Box::new(decided) };
            self.after(delay, task);
        }
    }

    pub(super) fn on_look(&mut self, life: u64, desk: usize) {
        let Some(core) = self.core.as_mut().filter(|_| life == self.life) else { return };
        let decided = core.answer(desk);
        self.tell(decided);
    }

    pub(super) fn on_decided(&mut self, life: u64, decided: &Decided) {
        let now = self.moment();
        let Some(core) = self.core.as_mut().filter(|_| life == self.life) else { return };
        core.on_decided(now, decided);
        self.attend(decided.line, now);
    }

    pub(super) fn on_wake(&mut self, life: u64, line: LineId, token: u64) {
        let now = self.moment();
        let Some(core) = self.core.as_mut().filter(|_| life == self.life) else { return };
        core.on_wake(line, now, token);
        self.attend(line, now);
    }

    /// The operator sets a terminal up anew: now it may refund, now it may not.
    pub(super) fn set_up_anew(&mut self) {
        let terminal = self.dice.place(self.cast.terminals.len());
        let may_refund = self.dice.chance(500);
        let (shard, command) = self.cast.register(terminal, may_refund, self.hsm.as_ref());
        let waiter = Waiter { guard: Guard::Free, reply: None };
        self.trace.note(self.now, b"set up", || format!("terminal {terminal} is set up anew"));
        self.post(Mail { shard, command, waiter });
    }

    /// Another writer is first on the shard of a card: it sells something there.
    pub(super) fn contest(&mut self) -> Result<(), Violation> {
        let Journal::Memory(journal) = &self.journal else { return Ok(()) };
        self.audit.follow(&journal.entries())?;
        self.ghosts += 1;
        let card = self.dice.pick(&self.cast.cards).id;
        let fen = self.dice.between(1, 500) as i64;
        let key = TxnKey {
            terminal: TerminalId(*b"99999999"),
            batch: BatchNo::FIRST,
            stan: Stan::new(self.ghosts).unwrap(),
        };
        let merchant = MerchantId(*b"999999999999999");
        let request = Request {
            amount: Amount::from_fen(fen),
            pin: PinFact::Right,
            ..Request::plain(key, TxnKind::Sale, card, merchant)
        };
        let shard: ShardNo = card.shard();
        let state = self.audit.books().shard(shard);
        let decision = state.decide(&Command::Transact(request), self.moment().at);
        journal.contest(shard, &[decision.event.unwrap()]);
        self.tally.contests += 1;
        self.trace.note(self.now, &[shard.0], || format!("another writer on {shard:?}"));
        Ok(())
    }

    /// The next business date begins. It never goes so far that a late copy finds its original
    /// forgotten.
    pub(super) fn turn_the_day(&mut self) {
        if self.days < 9 {
            self.end_the_days();
        }
    }

    /// One more business date begins.
    pub(super) fn end_the_days(&mut self) {
        self.days += 1;
        self.date = self.date.tomorrow().unwrap();
        let date = self.business_date();
        self.trace.note(self.now, b"day", || format!("business date {date}"));
        for shard in self.cast.shards() {
            let waiter = Waiter { guard: Guard::Free, reply: None };
            self.post(Mail { shard, command: Command::CutOff(date), waiter });
        }
    }

    pub(super) fn on_midnight(&mut self) {
        self.turn_the_day();
        self.after(24 * HOUR, Task::Midnight);
    }

    fn business_date(&self) -> BusinessDate {
        let (year, month, day) = (self.date.year(), self.date.month(), self.date.day());
        BusinessDate::new(year as u16, month as u8, day as u8).unwrap()
    }

    /// No answer leaves when the terminal has given up waiting for it.
    fn check_in_time(&mut self, line: LineId, frame: &[u8]) {
        let now = self.now;
        let earliest = now.saturating_sub(self.plan.answer_max);
        let arrived = self.arrivals.get(&(line, about(unframed(frame))));
        if !arrived.is_some_and(|times| times.iter().any(|&at| at >= earliest)) {
            self.history.complaints.push(format!("F8: late {}", brief(unframed(frame))));
        }
    }
}

const fn name_of(command: &Command) -> &'static str {
    match command {
        Command::IssueCard(_) => "a card",
        Command::RegisterTerminal { .. } => "a terminal",
        Command::CutOff(_) => "a cut-off",
        Command::Transact(_) => "a transaction",
        Command::Reverse(_) => "a reversal",
        Command::Bar(_) => "a bar",
        Command::SignOn { .. } => "a sign-on",
        Command::SignOff(_) => "a sign-off",
        Command::CloseBatch { .. } => "a settlement",
        Command::Upload(_) => "an upload",
        Command::EndBatch { .. } => "the end of an upload",
        Command::Care { .. } => "care of a terminal",
    }
}
