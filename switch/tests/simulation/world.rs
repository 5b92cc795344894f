//! One world: a clock, an agenda, a host that crashes, lines, terminals. Nothing happens but what
//! stands on the agenda, in its order.

mod host;
mod power;
mod till;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil;
use keys::{Hsm, Lmk, SeededRandom, SoftHsm};
use switch::clock::Moment;

use super::audit::{Audit, Violation};
use super::cast::Cast;
use super::clock::WallClock;
use super::core::{Core, Decided, Mail};
use super::device::Device;
use super::dice::Dice;
use super::history::History;
use super::journal::Journal;
use super::logbook;
use super::network::{LineId, Network};
use super::plan::{BEGINNINGS, HOUR, Micros, Mode, Plan, SECOND, Weather};
use super::tally::Tally;
use super::trace::Trace;
use super::writer::Mood;

/// Within this time after the weather has cleared, everything must be done.
const FINALE_MAX: Micros = 900 * SECOND;

/// Something that will happen. What belongs to one life of the host says which.
enum Task {
    /// A device's time to rest or wait is over.
    Alarm {
        device: usize,
        alarm: u64,
    },
    /// A frame reaches the host.
    Up {
        line: LineId,
        frame: Vec<u8>,
    },
    /// A frame reaches the terminal.
    Down {
        line: LineId,
        frame: Vec<u8>,
    },
    /// An end of a line notices that it is broken.
    TerminalNotices(LineId),
    HostNotices(LineId),
    /// A command reaches its desk.
    Mail {
        life: u64,
        desk: usize,
        mail: Box<Mail>,
    },
    /// A desk looks at what the journal has told it.
    Look {
        life: u64,
        desk: usize,
    },
    /// An answer reaches its line.
    Decided {
        life: u64,
        decided: Box<Decided>,
    },
    /// A session asked to be woken.
    Wake {
        life: u64,
        line: LineId,
        token: u64,
    },
    /// The journal goes to the disk, and reaches it.
    Write {
        life: u64,
    },
    Sync {
        life: u64,
    },
    /// Somebody makes room on the disk.
    Room,
    /// The next business date begins, where days are as long as they are.
    Midnight,
    /// The host comes back.
    Start,
}

/// A world in the making.
pub struct World {
    now: Micros,
    clock: WallClock,
    agenda: BTreeMap<(Micros, u64), Task>,
    next_task: u64,
    dice: Dice,
    plan: Plan,
    weather: Weather,
    is_calm: bool,
    cast: Cast,
    network: Network,
    devices: Vec<Device>,
    hsm: Arc<dyn Hsm>,
    journal: Journal,
    mood: Mood,
    core: Option<Core>,
    life: u64,
    /// When the last command to each desk arrives: later ones come later.
    last_mail: Vec<Micros>,
    is_sync_due: bool,
    /// How many entries the journal has said to be durable.
    told_durable: u64,
    /// When frames reached the host, by line, type and trace number.
    arrivals: BTreeMap<(LineId, String), Vec<Micros>>,
    date: civil::Date,
    days: u32,
    ghosts: u32,
    history: History,
    audit: Audit,
    tally: Tally,
    trace: Trace,
}

/// What came of a seed.
pub struct Outcome {
    pub tally: Tally,
    pub digest: u64,
    pub violation: Option<Violation>,
}

/// Lets the world of a seed happen. `tells`: its trace goes to standard output.
pub fn run(seed: u64, in_years: bool, tells: bool) -> Outcome {
    let mut world = World::new(seed, in_years, tells);
    let violation = world.happen().err();
    world.tally.micros = world.now;
    world.tally.terminal_micros = world.now * world.devices.len() as u64;
    world.tally.answers = std::mem::take(&mut world.history.answers);
    world.tally.entries = world.audit.census();
    Outcome { tally: world.tally, digest: world.trace.digest(), violation }
}

impl World {
    fn new(seed: u64, in_years: bool, tells: bool) -> Self {
        drop(logbook::take());
        let mut dice = Dice::new(seed);
        let plan = if in_years { Plan::years(&mut dice) } else { Plan::of(&mut dice) };
        let cast = Cast::of(&plan, &mut dice);
        let random = Box::new(SeededRandom::new(dice.next()));
        let hsm: Arc<dyn Hsm> = Arc::new(SoftHsm::with_randomness(Lmk::demo(), random));
        let setups = cast.terminals.iter().enumerate();
        let devices = setups.map(|(at, setup)| Device::new(at, setup, plan.rounds)).collect();
        let (beginning, (year, month, day)) = BEGINNINGS[plan.beginning];
        Self {
            now: 0,
            clock: WallClock::new(beginning),
            mood: Mood::default(),
            agenda: BTreeMap::new(),
            next_task: 0,
            weather: plan.weather,
            is_calm: false,
            network: Network::default(),
            devices,
            hsm,
            journal: Journal::of(&plan, &mut dice),
            core: None,
            life: 0,
            last_mail: vec![0; plan.desks],
            is_sync_due: false,
            told_durable: 0,
            arrivals: BTreeMap::new(),
            date: civil::date(year, month, day),
            days: 0,
            ghosts: 0,
            history: History::default(),
            audit: Audit::new(&cast),
            tally: Tally::default(),
            trace: Trace::new(tells),
            dice,
            plan,
            cast,
        }
    }

    fn happen(&mut self) -> Result<(), Violation> {
        let plan = format!("{:?}", self.plan);
        self.trace.note(0, plan.as_bytes(), || plan.clone());
        self.set_up()?;
        for device in 0..self.devices.len() {
            let first = self.dice.below(SECOND);
            self.set_alarm(device, first);
        }
        if self.plan.mode == Mode::Years {
            self.after(24 * HOUR, Task::Midnight);
        }
        while self.now < self.plan.storm_max() && !self.devices.iter().all(Device::is_at_rest) {
            self.step()?;
            self.maybe_crash()?;
        }
        self.clear_up();
        self.settle_down()?;
        // A desk learns of another writer when it writes: let each shard be written once more.
        self.end_the_days();
        self.settle_down()?;
        self.conclude()
    }

    /// Lets everything happen that is on the agenda.
    fn settle_down(&mut self) -> Result<(), Violation> {
        let end = self.now + FINALE_MAX;
        while let Some((&(at, _), _)) = self.agenda.first_key_value() {
            if at > end {
                return Err(Violation::new("I20", "no end within fifteen minutes"));
            }
            self.step()?;
        }
        Ok(())
    }

    /// Does what is next on the agenda.
    fn step(&mut self) -> Result<(), Violation> {
        let Some(((at, _), task)) = self.agenda.pop_first() else {
            return Err(Violation::new("I20", "nothing happens any more"));
        };
        self.now = at;
        match task {
            Task::Alarm { device, alarm } => self.on_alarm(device, alarm),
            Task::Up { line, frame } => self.on_up(line, &frame),
            Task::Down { line, frame } => self.on_down(line, &frame),
            Task::TerminalNotices(line) => self.on_terminal_notices(line),
            Task::HostNotices(line) => {
                if let Some(core) = &mut self.core {
                    core.close(line);
                }
            }
            Task::Mail { life, desk, mail } => self.on_mail(life, desk, *mail),
            Task::Look { life, desk } => self.on_look(life, desk),
            Task::Decided { life, decided } => self.on_decided(life, &decided),
            Task::Wake { life, line, token } => self.on_wake(life, line, token),
            Task::Write { life } => self.on_write(life)?,
            Task::Sync { life } => self.on_sync(life)?,
            Task::Room => self.make_room(),
            Task::Midnight => self.on_midnight(),
            Task::Start => self.start()?,
        }
        match self.history.complaints.pop() {
            Some(complaint) => Err(match complaint.split_once(": ") {
                Some((rule @ ("I20" | "F8"), text)) => Violation::new(rule, text),
                _ => Violation::new("terminal", &complaint),
            }),
            None => Ok(()),
        }
    }

    fn at(&mut self, at: Micros, task: Task) {
        self.next_task += 1;
        self.agenda.insert((at, self.next_task), task);
    }

    fn after(&mut self, delay: Micros, task: Task) {
        self.at(self.now + delay, task);
    }

    fn moment(&self) -> Moment {
        Moment { at: self.clock.at(self.now), micros: self.now }
    }

    /// The weather clears: no more faults, and everybody finishes.
    fn clear_up(&mut self) {
        self.is_calm = true;
        self.make_room();
        if let Some(files) = self.journal.files() {
            files.disk().outlive();
        }
        self.trace.note(self.now, b"calm", || "the weather clears".to_owned());
        self.weather = Weather { delay_max: 20_000, ..Weather::default() };
        self.plan.trouble = super::plan::Trouble { sync_max: 5_000, ..Default::default() };
        self.plan.habits = super::plan::Habits::default();
        // What the storm still holds arrives before anything is settled.
        let settles_from = self.now + 90 * SECOND;
        let calm = if self.plan.mode == Mode::Liveness { 10 * SECOND } else { 90 * SECOND };
        self.network.clear_up(self.now);
        for device in 0..self.devices.len() {
            let (target, mut scene) = self.scene(device);
            target.clear_up(settles_from, &mut scene);
            let first = calm + self.dice.below(SECOND);
            self.set_alarm(device, first);
        }
    }

    /// All is done: nothing may be left, and both sides must tell the same story.
    fn conclude(&mut self) -> Result<(), Violation> {
        let core = self.core.as_ref().ok_or_else(|| Violation::new("I20", "no host at the end"))?;
        let waiting: usize = core.desks().map(switch::account::Desk::waiting).sum();
        let in_flight = core.in_flight();
        if waiting > 0 || in_flight > 0 {
            let text = format!("{waiting} commands and {in_flight} requests are left waiting");
            return Err(Violation::new("I19", &text));
        }
        let kept = self.journal.entries().map_err(|error| Violation::new("I10", &error))?;
        self.audit.follow(&kept)?;
        self.audit.check_live(core)?;
        self.check_held(core)?;
        self.audit.check_history(&self.history, &self.clock)?;
        self.check_secrets()
    }

    /// Nothing of any terminal is held any more.
    fn check_held(&self, core: &Core) -> Result<(), Violation> {
        for device in &self.devices {
            let entry = core.facts.terminals.get(device.id());
            if entry.is_some_and(|entry| entry.begin_alone().is_err()) {
                let text = format!("something of terminal {} is in flight", device.id());
                return Err(Violation::new("I19", &text));
            }
        }
        Ok(())
    }

    /// Looks for secrets wherever something was written or printed.
    fn check_secrets(&self) -> Result<(), Violation> {
        self.audit.check_secrets("the log", &logbook::take())?;
        if let Some(files) = self.journal.files() {
            for bytes in files.contents() {
                self.audit.check_secrets("the journal's files", &bytes)?;
            }
        }
        let printed = if self.plan.prints { self.audit.printed() } else { String::new() };
        self.audit.check_secrets("what is printed", printed.as_bytes())
    }
}
