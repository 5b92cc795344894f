//! A terminal and whoever uses it: keeps the rules of its trade, has habits, and loses power.

mod finale;
mod outcome;
mod request;

use domain::terms::TerminalId;
use jiff::civil;
use keys::TerminalKeys;
use loadtest::terminal::{SignOn, SlipKind};
use loadtest::{BatchNo, Stan, Terminal, TerminalError, TerminalSetup};

use super::cast::Cast;
use super::dice::Dice;
use super::history::History;
use super::network::LineId;
use super::plan::{MILLISECOND, Micros, Plan};
use finale::Finale;

/// What a device sees of the world, and where it writes down what it was told.
pub struct Scene<'w> {
    pub now: Micros,
    /// What the terminals' clocks show.
    pub local: civil::DateTime,
    pub plan: &'w Plan,
    pub cast: &'w Cast,
    pub dice: &'w mut Dice,
    pub history: &'w mut History,
}

/// What a device does next.
pub enum Step {
    /// It sends this frame and waits for an answer.
    Send(Vec<u8>),
    /// It does nothing for a time.
    Rest(Micros),
    /// It hangs up, and goes on after a time.
    HangUp(Micros),
    /// It has done all it had to do.
    Done,
}

/// A request under way.
struct Doing {
    what: What,
    /// For a transaction its place in the history, for a reversal that of what it undoes.
    asked: Option<usize>,
    /// How often it was sent.
    sent: u32,
    /// When it was sent first.
    since: Micros,
    /// It carries the date and time of the terminal.
    is_clocked: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum What {
    SignOn,
    SignOff,
    Echo,
    Balance,
    Money(SlipKind),
    Reversal,
    Settle,
    Upload,
    End,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::SignOn => "sign-on",
            Self::SignOff => "sign-off",
            Self::Echo => "echo",
            Self::Balance => "balance",
            Self::Money(kind) => kind.name(),
            Self::Reversal => "reversal",
            Self::Settle => "settlement",
            Self::Upload => "upload",
            Self::End => "end of upload",
        }
    }
}

/// A request that is made: the frame, and how it stands in the history.
struct Made {
    frame: Vec<u8>,
    doing: Doing,
}

/// A terminal in its world.
pub struct Device {
    pub line: Option<LineId>,
    /// Counts what the device waits for: an alarm of an earlier wait means nothing.
    pub alarm: u64,
    terminal: Terminal,
    setup: TerminalSetup,
    /// The same keys as in the terminal, for requests that it cannot make.
    keys: Option<TerminalKeys>,
    /// Its place among all devices.
    place: usize,
    doing: Option<Doing>,
    needs_keys: bool,
    /// The batch whose totals were compared and whose end has not been told.
    settled: Option<BatchNo>,
    rounds: u32,
    finale: Option<Finale>,
}

impl Device {
    pub fn new(place: usize, setup: &TerminalSetup, rounds: u32) -> Self {
        Self {
            line: None,
            alarm: 0,
            terminal: Terminal::new(setup),
            setup: setup.clone(),
            keys: None,
            place,
            doing: None,
            needs_keys: false,
            settled: None,
            rounds,
            finale: None,
        }
    }

    pub const fn id(&self) -> TerminalId {
        TerminalId(self.setup.id.0)
    }

    pub const fn is_waiting(&self) -> bool {
        self.doing.is_some()
    }

    /// True if it has nothing to do until the weather clears.
    pub const fn is_at_rest(&self) -> bool {
        self.doing.is_none() && self.rounds == 0
    }

    /// The weather has cleared: what is open is brought to an end.
    pub fn clear_up(&mut self, settles_from: Micros, scene: &mut Scene<'_>) {
        self.rounds = 0;
        if self.is_waiting() {
            self.terminal.on_timeout();
            self.give_up(scene);
        }
        self.finale = Some(Finale::new(settles_from));
    }

    /// Decides what to do, with nothing under way and the line open.
    pub fn next(&mut self, scene: &mut Scene<'_>) -> Step {
        if self.finale.is_none() {
            if self.rounds == 0 {
                return Step::Done;
            }
            if scene.dice.chance(scene.plan.habits.power) {
                return self.power_off(scene);
            }
            if scene.dice.chance(scene.plan.habits.reconnects) {
                return Step::HangUp(scene.dice.below(500) * MILLISECOND);
            }
        }
        match self.duty(scene) {
            Some(made) => self.send(made, scene),
            None if self.finale.is_some() => self.next_of_finale(scene),
            None => {
                self.rounds -= 1;
                let made = self.choose(scene);
                self.send(made, scene)
            }
        }
    }

    /// What a terminal must do before anything else.
    fn duty(&mut self, scene: &mut Scene<'_>) -> Option<Result<Made, TerminalError>> {
        if !self.terminal.is_signed_on() || self.terminal.wants_sign_on() || self.needs_keys {
            return Some(self.sign_on());
        }
        if self.terminal.owed().is_some() {
            return Some(self.reversal(scene));
        }
        if self.settled.is_some_and(|batch| batch != self.terminal.batch()) {
            self.settled = None;
        }
        let is_hasty = self.finale.is_none() && scene.dice.chance(scene.plan.habits.hasty);
        (self.settled.is_some() && !is_hasty).then(|| self.explain())
    }

    fn send(&mut self, made: Result<Made, TerminalError>, scene: &mut Scene<'_>) -> Step {
        match made {
            Ok(Made { frame, mut doing }) => {
                doing.since = scene.now;
                doing.is_clocked = scene.dice.chance(scene.plan.habits.clocked);
                let frame = if doing.is_clocked { self.clocked(frame, scene) } else { frame };
                self.doing = Some(doing);
                Step::Send(frame)
            }
            // Nothing to void, or nothing to refund: the next customer, please.
            Err(_) => Step::Rest(scene.dice.below(scene.plan.rest_max)),
        }
    }

    /// No answer came, or the line broke: sends again, or gives up.
    pub fn on_silence(&mut self, scene: &mut Scene<'_>, has_line: bool) -> Step {
        self.terminal.on_timeout();
        let Some(doing) = &mut self.doing else { return Step::Rest(0) };
        if self.finale.is_some() {
            scene.history.complaints.push(format!("I20: {:?} without an answer", doing.what));
        }
        let may_repeat = has_line && doing.sent < 3 && doing.what != What::Reversal;
        if may_repeat && scene.dice.chance(scene.plan.habits.repeats) {
            doing.sent += 1;
            let is_clocked = doing.is_clocked;
            let frame = self.terminal.again().unwrap();
            let frame = if is_clocked { self.clocked(frame, scene) } else { frame };
            return Step::Send(frame);
        }
        self.give_up(scene);
        Step::Rest(scene.dice.below(scene.plan.rest_max))
    }

    /// The answer to what is under way will never be known, unless a reversal settles it.
    fn give_up(&mut self, scene: &mut Scene<'_>) {
        if let Some(doing) = self.doing.take()
            && doing.what == What::Money(SlipKind::Refund)
        {
            self.doubt(scene);
        }
    }

    fn doubt(&self, scene: &mut Scene<'_>) {
        scene.history.doubts.insert((self.id(), super::history::batch_of(self.terminal.batch())));
    }

    fn power_off(&mut self, scene: &mut Scene<'_>) -> Step {
        self.lose_power(scene);
        Step::HangUp(scene.dice.below(5_000) * MILLISECOND)
    }

    /// Switches off and on, whatever is under way.
    pub fn lose_power(&mut self, scene: &mut Scene<'_>) {
        let state = self.terminal.state();
        self.terminal = Terminal::resume(&self.setup, state).unwrap();
        self.give_up(scene);
        self.settled = None;
        if scene.dice.chance(scene.plan.habits.recounts) {
            let low = scene.dice.between(1, 10);
            self.terminal.set_stan(Stan::new(u32::try_from(low).unwrap()).unwrap());
        }
    }

    fn sign_on(&mut self) -> Result<Made, TerminalError> {
        let frame = self.terminal.sign_on(SignOn::for_layout(self.setup.layout))?;
        Ok(Made::of(frame, What::SignOn))
    }

    /// The upload of a settlement, and its end.
    fn explain(&mut self) -> Result<Made, TerminalError> {
        if self.terminal.must_upload() {
            return Ok(Made::of(self.terminal.upload()?, What::Upload));
        }
        Ok(Made::of(self.terminal.end_upload()?, What::End))
    }

    /// The trace number of the request that was just made.
    fn last_stan(&self) -> u32 {
        match self.terminal.stan().get() {
            1 => 999_999,
            next => next - 1,
        }
    }
}

impl Made {
    const fn of(frame: Vec<u8>, what: What) -> Self {
        Self { frame, doing: Doing { what, asked: None, sent: 1, since: 0, is_clocked: false } }
    }
}
