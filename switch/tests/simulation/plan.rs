//! What kind of world a seed makes: how bad the weather is, and what terminals do in it.

use super::dice::Dice;

/// Microseconds of virtual time.
pub type Micros = u64;

pub const MILLISECOND: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;
pub const HOUR: Micros = 3600 * SECOND;

/// How long a request may wait for room in the host.
pub const WAIT_MAX: Micros = 2 * SECOND;

/// What a world is for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Whatever goes wrong, nothing false is said and nothing said is lost.
    #[default]
    Safety,
    /// No more goes wrong than a node must get over; once nothing does, it answers at once.
    Liveness,
    /// Days pass as they do in a shop.
    Years,
}

/// When a world begins: UTC, milliseconds since 1970, and the business date by then. All
/// but the first begin two minutes before a midnight that is not like others.
pub const BEGINNINGS: [(i64, (i16, i8, i8)); 4] = [
    (1_795_000_000_000, (2026, 11, 18)),
    (1_798_732_680_000, (2026, 12, 31)),
    (1_835_366_280_000, (2028, 2, 28)),
    (1_803_830_280_000, (2027, 2, 28)),
];

/// How a line treats frames. Chances are in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub delay_max: Micros,
    pub lost: u32,
    pub doubled: u32,
    /// Frames that take longer than a terminal waits.
    pub late: u32,
    /// Lines that break while a frame is sent.
    pub cut: u32,
    /// Whether a frame may overtake another.
    pub overtaking: bool,
}

/// What befalls the host. Chances are in a thousand, where nothing else is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// Crashes in a hundred thousand steps.
    pub crashes: u32,
    /// Crashes in which the machine goes on.
    pub kills: u32,
    /// Crashes in the middle of a step of the journal, for a sync.
    pub cuts: u32,
    /// Stops in good order, for a sync.
    pub stops: u32,
    /// Snapshots, for a sync.
    pub snapshots: u32,
    /// The disk is full for a time, for a sync.
    pub full_disk: u32,
    /// Damage is tried, for a start.
    pub rot: u32,
    pub sync_max: Micros,
    /// Syncs that take seconds.
    pub stalls: u32,
    /// Syncs that fail, and end the node.
    pub sync_fails: u32,
    /// Another writer comes first, for a sync.
    pub contests: u32,
    /// Questions that no shard takes, and frames that wait too long for room.
    pub shed: u32,
    /// The business date turns, for a sync.
    pub cut_offs: u32,
    /// A command comes while the disk is full.
    pub full: u32,
    /// Somebody sets the clock of the day, for a sync.
    pub clock_steps: u32,
    /// The operator sets a terminal up anew, for a sync.
    pub set_ups: u32,
}

/// What terminals and their users do. Chances are in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// A request without an answer is sent again as it was.
    pub repeats: u32,
    /// The terminal is switched off and on.
    pub power: u32,
    /// After that it counts trace numbers from a low one again.
    pub recounts: u32,
    pub reconnects: u32,
    pub wrong_pin: u32,
    pub no_pin: u32,
    pub wrong_card: u32,
    pub odd_amount: u32,
    /// Settlements are not waited for: a sale comes next.
    pub hasty: u32,
    /// Reversals do not name the card.
    pub cardless: u32,
    /// Requests carry the terminal's own date and time, anew in every repeat.
    pub clocked: u32,
}

/// How often terminals do what, in parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix {
    pub sale: u32,
    pub void: u32,
    pub refund: u32,
    pub reverse: u32,
    pub balance: u32,
    /// One of the rarer things.
    pub rarely: u32,
    /// Which of them this world knows, bit by bit.
    pub rare: u64,
    /// One terminal in so many takes a part; 0: none.
    pub parts: usize,
    pub settle: u32,
    pub sign_on: u32,
    pub sign_off: u32,
    pub echo: u32,
}

/// The world of a seed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub mode: Mode,
    /// One of [`BEGINNINGS`].
    pub beginning: usize,
    /// The journal is in files.
    pub on_disk: bool,
    pub segment_bytes: u64,
    /// Everything is printed at the end, to be looked through.
    pub prints: bool,
    pub terminals: usize,
    pub cards: usize,
    pub desks: usize,
    /// What each terminal does before the weather clears.
    pub rounds: u32,
    pub weather: Weather,
    pub trouble: Trouble,
    pub habits: Habits,
    pub mix: Mix,
    /// Terminals wait this long for an answer.
    pub patience: Micros,
    pub rest_max: Micros,
    pub money_max: u64,
    /// The most that an ordinary sale comes to.
    pub sale_max: u64,
    pub mac_errors_max: u32,
    pub answer_max: Micros,
}

impl Plan {
    pub fn of(dice: &mut Dice) -> Self {
        let mode = if dice.chance(600) { Mode::Safety } else { Mode::Liveness };
        let patience = dice.between(3, 20) * SECOND;
        let on_disk = dice.chance(650);
        Self {
            mode,
            beginning: dice.place(BEGINNINGS.len()),
            on_disk,
            segment_bytes: dice.between(3, 16) * (4 << 10),
            prints: dice.chance(60),
            terminals: dice.place(5) + 4,
            cards: dice.place(5) + 3,
            desks: dice.place(3) + 1,
            rounds: u32::try_from(dice.between(8, 36)).unwrap(),
            weather: weather(dice),
            trouble: trouble(mode, on_disk, dice),
            habits: habits(dice),
            mix: mix(dice),
            patience,
            rest_max: dice.between(1, 5000) * MILLISECOND,
            sale_max: 3_000,
            money_max: dice.between(3_000, 50_000),
            mac_errors_max: u32::try_from(dice.between(1, 3)).unwrap(),
            answer_max: if dice.chance(700) { patience * 3 / 4 } else { 60 * SECOND },
        }
    }

    /// The same with days as long as they are: a customer every ten minutes, and no more trouble
    /// in nine days than the others have in an hour.
    pub fn years(dice: &mut Dice) -> Self {
        let mut plan = Self::of(dice);
        plan.mode = Mode::Years;
        plan.rounds = u32::MAX;
        plan.rest_max = 20 * 60 * SECOND;
        // Nobody pays anything in, so there must be enough for all those days.
        plan.cards = 60;
        plan.money_max = 90_000;
        plan.sale_max = 400;
        plan.segment_bytes = 256 << 10;
        let trouble = &mut plan.trouble;
        // A day turns when its time comes.
        trouble.cut_offs = 0;
        trouble.crashes = trouble.crashes.min(4);
        trouble.sync_fails = 0;
        for often in [&mut trouble.cuts, &mut trouble.stops, &mut trouble.snapshots] {
            *often = (*often).min(u32::from(dice.chance(300)));
        }
        plan
    }

    /// How long the weather may be bad.
    pub const fn storm_max(&self) -> Micros {
        match self.mode {
            Mode::Safety | Mode::Liveness => 4 * HOUR,
            Mode::Years => 9 * 24 * HOUR,
        }
    }
}

fn weather(dice: &mut Dice) -> Weather {
    Weather {
        delay_max: dice.between(1, 1500) * MILLISECOND,
        lost: dice.sometimes(250),
        doubled: dice.sometimes(300),
        late: dice.sometimes(60),
        cut: dice.sometimes(60),
        overtaking: dice.chance(500),
    }
}

/// What no node need get over is left out where it must live.
fn trouble(mode: Mode, on_disk: bool, dice: &mut Dice) -> Trouble {
    let is_safety = mode == Mode::Safety;
    let mut rarely = |often: u32, most: u32| {
        if dice.chance(often) { dice.sometimes(most) } else { 0 }
    };
    let files = if on_disk { 1000 } else { 0 };
    let (contests, shed, full) = (rarely(300, 120), rarely(300, 40), rarely(300, 60));
    let (clock_steps, set_ups) = (rarely(300, 30), rarely(300, 20));
    let cuts = if is_safety { rarely(files, 30) } else { 0 };
    let (stops, snapshots) = (rarely(files / 2, 10), rarely(files, 40));
    let full_disk = rarely(files / 4, 8);
    let rot = if is_safety { rarely(files, 500) } else { 0 };
    let sync_fails = dice.sometimes(if is_safety { 15 } else { 5 });
    Trouble {
        crashes: dice.sometimes(if is_safety { 400 } else { 200 }),
        kills: *dice.pick(&[0, 500, 1000]),
        cuts,
        stops,
        snapshots,
        full_disk,
        rot,
        sync_max: dice.between(1, 400) * MILLISECOND,
        stalls: dice.sometimes(20),
        sync_fails,
        contests: if on_disk { 0 } else { contests },
        shed,
        cut_offs: dice.sometimes(10),
        full,
        clock_steps,
        set_ups,
    }
}

fn habits(dice: &mut Dice) -> Habits {
    Habits {
        repeats: dice.sometimes(600),
        power: dice.sometimes(60),
        recounts: if dice.chance(700) { 0 } else { 500 },
        reconnects: dice.sometimes(150),
        wrong_pin: dice.sometimes(150),
        no_pin: dice.sometimes(60),
        wrong_card: dice.sometimes(80),
        odd_amount: dice.sometimes(60),
        hasty: dice.sometimes(100),
        cardless: if dice.chance(500) { 0 } else { dice.sometimes(1000) },
        clocked: if dice.chance(600) { 0 } else { dice.sometimes(1000) },
    }
}

fn mix(dice: &mut Dice) -> Mix {
    Mix {
        sale: 12,
        void: dice.sometimes(8),
        refund: dice.sometimes(6),
        reverse: dice.sometimes(5),
        balance: dice.sometimes(4),
        rarely: dice.sometimes(24),
        rare: dice.next() | dice.next(),
        parts: dice.place(4),
        settle: dice.sometimes(5),
        sign_on: dice.sometimes(2),
        sign_off: dice.sometimes(1),
        echo: dice.sometimes(1),
    }
}
