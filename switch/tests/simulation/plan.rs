//! What kind of world a seed makes: how bad the weather is, and what terminals do in it.

use super::dice::Dice;

/// Microseconds of virtual time.
pub type Micros = u64;

pub const MILLISECOND: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;

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
    pub sync_max: Micros,
    /// Syncs that take seconds.
    pub stalls: u32,
    /// Syncs that fail, and end the node.
    pub sync_fails: u32,
    /// Another writer comes first, for a sync.
    pub contests: u32,
    /// Questions that no shard takes.
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
}

/// How often terminals do what, in parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix {
    pub sale: u32,
    pub void: u32,
    pub refund: u32,
    pub reverse: u32,
    pub balance: u32,
    pub settle: u32,
    pub sign_on: u32,
    pub sign_off: u32,
    pub echo: u32,
}

/// The world of a seed.
#[derive(Clone, Debug)]
pub struct Plan {
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
    pub mac_errors_max: u32,
    pub answer_max: Micros,
}

impl Plan {
    pub fn of(dice: &mut Dice) -> Self {
        let patience = dice.between(3, 20) * SECOND;
        Self {
            terminals: dice.place(5) + 4,
            cards: dice.place(5) + 3,
            desks: dice.place(3) + 1,
            rounds: u32::try_from(dice.between(8, 36)).unwrap(),
            weather: weather(dice),
            trouble: trouble(dice),
            habits: habits(dice),
            mix: mix(dice),
            patience,
            rest_max: dice.between(1, 5000) * MILLISECOND,
            money_max: dice.between(3_000, 50_000),
            mac_errors_max: u32::try_from(dice.between(1, 3)).unwrap(),
            answer_max: if dice.chance(700) { patience * 3 / 4 } else { 60 * SECOND },
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

fn trouble(dice: &mut Dice) -> Trouble {
    Trouble {
        crashes: dice.sometimes(200),
        sync_max: dice.between(1, 400) * MILLISECOND,
        stalls: dice.sometimes(20),
        sync_fails: dice.sometimes(5),
        contests: if dice.chance(700) { 0 } else { dice.sometimes(120) },
        shed: if dice.chance(700) { 0 } else { dice.sometimes(40) },
        cut_offs: dice.sometimes(10),
        full: if dice.chance(700) { 0 } else { dice.sometimes(60) },
        clock_steps: if dice.chance(700) { 0 } else { dice.sometimes(30) },
        set_ups: if dice.chance(700) { 0 } else { dice.sometimes(20) },
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
    }
}

fn mix(dice: &mut Dice) -> Mix {
    Mix {
        sale: 12,
        void: dice.sometimes(8),
        refund: dice.sometimes(6),
        reverse: dice.sometimes(5),
        balance: dice.sometimes(4),
        settle: dice.sometimes(5),
        sign_on: dice.sometimes(2),
        sign_off: dice.sometimes(1),
        echo: dice.sometimes(1),
    }
}
