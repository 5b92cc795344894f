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
use crate::core::{Core, Decided, Mail, Waiter};
use crate::network::{LineId, Way};
use crate::plan::{MILLISECOND, SECOND};

impl World {
    /// Starts the host for the first time, and makes it know everybody.
    pub(super) fn set_up(&mut self) {
        self.start();
        let mut commands = self.cast.commands(self.hsm.as_ref());
        let dates = self.cast.shards().into_iter().map(|shard| (shard, Command::CutOff(self.date)));
        commands.extend(dates);
        let at = self.moment().at;
        let core = self.core.as_mut().unwrap();
        for (shard, command) in commands {
            let waiter = Waiter { guard: Guard::Free, reply: None };
            core.on_mail(core.desk_of(shard), at, Mail { shard, command, waiter });
        }
        self.journal.sync().unwrap();
        (0..self.plan.desks).for_each(|desk| drop(core.answer(desk)));
    }

    pub(super) fn start(&mut self) {
        let books = self.journal.recovered().books;
        self.core = Some(Core::start(&self.plan, &self.journal, &self.disk, books, &self.hsm));
        self.trace.note(self.now, b"start", || "the host starts".to_owned());
    }

    /// Does what a session wants, as the actor around it would.
    pub(super) fn act(&mut self, line: LineId, now: Moment, action: Action) {
        match action {
            Action::Send(frame) => self.transmit(line, Way::Down, &frame),
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
        self.disk.store(is_full, Ordering::Relaxed);
        let line = || format!("desk {desk} decides {}", name_of(&mail.command));
        self.trace.note(now.micros, &[desk as u8, mail.shard.0], line);
        let decided = core.on_mail(desk, now.at, mail);
        self.disk.store(false, Ordering::Relaxed);
        self.tell(decided);
        if !self.is_sync_due {
            self.is_sync_due = true;
            let trouble = self.plan.trouble;
            let longest =
                if self.dice.chance(trouble.stalls) { 10 * SECOND } else { trouble.sync_max };
            let delay = self.dice.below(longest);
            self.after(delay, Task::Sync { life });
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

    pub(super) fn on_sync(&mut self, life: u64) -> Result<(), Violation> {
        if life != self.life || self.core.is_none() {
            return Ok(());
        }
        self.is_sync_due = false;
        self.tally.syncs += 1;
        if self.dice.chance(self.plan.trouble.contests) {
            self.contest()?;
        }
        if self.dice.chance(self.plan.trouble.cut_offs) {
            self.turn_the_day();
        }
        if self.dice.chance(self.plan.trouble.set_ups) {
            self.set_up_anew();
        }
        if self.dice.chance(self.plan.trouble.clock_steps) {
            let offset = *self.dice.pick(&[-86_400_000, -7_200_000, -1_500, 0, 90_000, 86_400_000]);
            self.clock.set(self.now, offset);
            self.trace.note(self.now, &offset.to_le_bytes(), || format!("clock {offset} ms off"));
        }
        if self.dice.chance(self.plan.trouble.sync_fails) {
            self.journal.fail_next_sync();
        }
        if self.journal.sync().is_err() {
            return self.crash();
        }
        self.trace.note(self.now, b"sync", || format!("durable: {:?}", self.journal.durable()));
        for desk in 0..self.plan.desks {
            if self.core.as_ref().is_some_and(|core| core.has_outcome(desk)) {
                let delay = self.dice.below(MILLISECOND);
                self.after(delay, Task::Look { life, desk });
            }
        }
        // A desk that decided anew submitted again.
        if self.core.as_ref().is_some_and(|core| core.desks().any(|desk| desk.waiting() > 0)) {
            self.is_sync_due = true;
            let delay = self.dice.between(MILLISECOND, self.plan.trouble.sync_max.max(MILLISECOND));
            self.after(delay, Task::Sync { life });
        }
        Ok(())
    }

    /// The operator sets a terminal up anew: now it may refund, now it may not.
    fn set_up_anew(&mut self) {
        let terminal = self.dice.place(self.cast.terminals.len());
        let may_refund = self.dice.chance(500);
        let (shard, command) = self.cast.register(terminal, may_refund, self.hsm.as_ref());
        let waiter = Waiter { guard: Guard::Free, reply: None };
        self.trace.note(self.now, b"set up", || format!("terminal {terminal} is set up anew"));
        self.post(Mail { shard, command, waiter });
    }

    /// Another writer is first on the shard of a card: it sells something there.
    fn contest(&mut self) -> Result<(), Violation> {
        self.audit.follow(&self.journal.entries())?;
        self.ghosts += 1;
        let card = self.dice.pick(&self.cast.cards).id;
        let fen = self.dice.between(1, 500) as i64;
        let request = Request {
            key: TxnKey {
                terminal: TerminalId(*b"99999999"),
                batch: BatchNo::FIRST,
                stan: Stan::new(self.ghosts).unwrap(),
            },
            kind: TxnKind::Sale,
            card,
            merchant: MerchantId(*b"999999999999999"),
            amount: Amount::from_fen(fen),
            pin: PinFact::Right,
            original: None,
            only_repeats: None,
        };
        let shard: ShardNo = card.shard();
        let state = self.audit.books().shard(shard);
        let decision = state.decide(&Command::Transact(request), self.moment().at);
        self.journal.contest(shard, &[decision.event.unwrap()]);
        self.tally.contests += 1;
        self.trace.note(self.now, &[shard.0], || format!("another writer on {shard:?}"));
        Ok(())
    }

    /// The next business date begins. It never goes so far that a late copy finds its original
    /// forgotten.
    fn turn_the_day(&mut self) {
        if self.days < 9 {
            self.end_the_days();
        }
    }

    /// One more business date begins.
    pub(super) fn end_the_days(&mut self) {
        self.days += 1;
        self.date = BusinessDate::new(2026, 11, 18 + self.days as u8).unwrap();
        self.trace.note(self.now, b"day", || format!("business date {}", self.date));
        for shard in self.cast.shards() {
            let waiter = Waiter { guard: Guard::Free, reply: None };
            self.post(Mail { shard, command: Command::CutOff(self.date), waiter });
        }
    }

    pub(super) fn maybe_crash(&mut self) -> Result<(), Violation> {
        let crashes = u64::from(self.plan.trouble.crashes);
        if self.core.is_some() && self.dice.below(100_000) < crashes {
            return self.crash();
        }
        Ok(())
    }

    /// The host is gone, with everything that was not durable. What is must still be there.
    fn crash(&mut self) -> Result<(), Violation> {
        self.tally.crashes += 1;
        self.core = None;
        self.is_sync_due = false;
        let kept = self.journal.crash(self.dice.next());
        self.trace.note(self.now, b"crash", || format!("crash: {} entries left", kept.len()));
        self.audit.follow(&kept)?;
        self.audit.check_replay(&self.journal.recovered().books)?;
        self.audit.check_answers(&self.history)?;
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
        Ok(())
    }

    fn is_of_this_life(&self, line: LineId) -> bool {
        self.network.line(line).is_some_and(|line| line.life == self.life)
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
