//! A fleet of terminals under load, and what all of them have seen together.

mod player;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub use player::AMOUNT;

use player::Player;
use script::{Author, Script};

use crate::audit::{Reversal, Slip, Slips, Told};
use crate::ids::CardNumber;
use crate::kit::{Kit, TestCard};
use crate::load::{self, Carousel, Load, LoadError, Pace, Plan, Rules, Till};
use crate::scenario::{Act, Cards, Scenario};
use crate::terminal::{SlipKind, Terminal, TerminalError};

/// How long all sign-ons, or all inquiries, may take.
const ONCE_MAX: Duration = Duration::from_secs(120);

/// All terminals of a scenario, by the line they share.
pub struct Fleet {
    crews: Vec<Vec<Player>>,
}

/// What a fleet counted beside its slips.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Answers whose message code was verified.
    pub verified: u64,
    /// Those among them whose code was wrong.
    pub wrong: u64,
    /// Sign-ons that were sent.
    pub sign_ons: u64,
    /// Those that brought keys.
    pub signed_on: u64,
}

/// Why a fleet cannot do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A request could not be built.
    #[error("a request could not be built: {0}")]
    Terminal(#[from] TerminalError),
    /// A load could not be put on.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Not all terminals got keys.
    #[error("{granted} of {all} terminals could sign on")]
    NoKeys {
        /// Those that could.
        granted: u64,
        /// All.
        all: u64,
    },
    /// A thread that wrote requests ended before its time.
    #[error("a thread that wrote requests failed")]
    Thread,
}

impl Fleet {
    /// The fleet of a scenario, with the terminals and cards of its kit.
    #[must_use]
    pub fn new(scenario: &Scenario, kit: &Kit) -> Self {
        let size = |count: u32| usize::try_from(count).unwrap_or_default();
        let each = size(scenario.cards_each.max(1));
        let cards_of = |number: usize| match scenario.cards {
            Cards::One => kit.cards.iter().take(1).cloned().collect(),
            Cards::Own => {
                let first = number.saturating_mul(each);
                kit.cards.iter().skip(first).take(each).cloned().collect()
            }
        };
        let mut crews: Vec<Vec<Player>> = Vec::new();
        crews.resize_with(size(scenario.connections).max(1), Vec::new);
        let lines = crews.len();
        for (number, setup) in kit.terminals.iter().enumerate() {
            let player = Player::new(Terminal::new(setup), cards_of(number), scenario.entry);
            if let Some(crew) = crews.get_mut(number.checked_rem(lines).unwrap_or_default()) {
                crew.push(player);
            }
        }
        Self { crews }
    }

    fn players(&self) -> impl Iterator<Item = &Player> {
        self.crews.iter().flatten()
    }

    /// How many terminals there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.players().count()
    }

    /// Signs every terminal on.
    ///
    /// # Errors
    /// [`FleetError::NoKeys`] unless all get keys, and [`FleetError::Load`].
    pub fn sign_on(&mut self, plan: &Plan) -> Result<(), FleetError> {
        let before = self.counts().signed_on;
        self.once(plan, Act::SignOn)?;
        for player in self.crews.iter_mut().flatten() {
            player.seen.request.clear();
            player.seen.reply.clear();
        }
        let granted = self.counts().signed_on.saturating_sub(before);
        let all = u64::try_from(self.size()).unwrap_or(u64::MAX);
        if granted < all { Err(FleetError::NoKeys { granted, all }) } else { Ok(()) }
    }

    /// Lets every terminal ask this once.
    fn once(&mut self, plan: &Plan, act: Act) -> Result<Load, FleetError> {
        self.prepare(&BTreeMap::from([(act, 1)]), 1, plan.threads, 0)?;
        let pace = Pace::Closed(ONCE_MAX);
        let rules = Rules { in_flight: plan.rules.in_flight, ..Rules::default() };
        self.run(&Plan { pace, rules, ..plan.clone() })
    }

    /// Writes the next `count` requests of every terminal, on `threads` threads.
    ///
    /// # Errors
    /// If a request cannot be built.
    pub fn prepare(
        &mut self,
        mix: &BTreeMap<Act, u32>,
        count: usize,
        threads: usize,
        seed: u64,
    ) -> Result<(), FleetError> {
        let share = self.crews.len().div_ceil(threads.max(1)).max(1);
        thread::scope(|scope| {
            let parts = self.crews.chunks_mut(share).zip(0..);
            let hands: Vec<_> = parts
                .map(|(crews, part)| {
                    let seed = seed.wrapping_mul(1_000).wrapping_add(part);
                    scope.spawn(move || write_all(crews, mix, count, seed))
                })
                .collect();
            hands.into_iter().try_for_each(|hand| match hand.join() {
                Ok(written) => Ok(written?),
                Err(_panic) => Err(FleetError::Thread),
            })
        })
    }

    /// Gives every terminal this card to pay with from here on.
    pub fn present(&mut self, card: &TestCard) {
        for player in self.crews.iter_mut().flatten() {
            player.put_card_away();
            player.cards = vec![card.clone()];
        }
    }

    /// An echo test, its length in front, of one of the terminals.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn echo_test(&mut self) -> Result<Vec<u8>, FleetError> {
        let player = self.crews.iter_mut().flatten().next();
        let terminal = &mut player.ok_or(TerminalError::Idle)?.terminal;
        let frame = terminal.echo()?;
        terminal.on_timeout();
        Ok(frame)
    }

    /// Puts the fleet on its lines.
    ///
    /// # Errors
    /// If a line cannot be opened.
    pub fn run(&mut self, plan: &Plan) -> Result<Load, FleetError> {
        let (load, crews) = load::run(plan, std::mem::take(&mut self.crews))?;
        self.crews = crews;
        Ok(load)
    }

    /// The same requests for a server that does not look at them, line by line.
    #[must_use]
    pub fn carousels(&self) -> Vec<Vec<Carousel>> {
        let carousel = |player: &Player| {
            // What is written when its turn comes is not in the script.
            let frames = if player.script.frames.is_empty() {
                Arc::new(player.seen.request.clone())
            } else {
                Arc::clone(&player.script.frames)
            };
            Carousel::new(player.terminal(), frames)
        };
        self.crews.iter().map(|crew| crew.iter().map(carousel).collect()).collect()
    }

    /// The first request that was sent since the sign-on, and the first success that came, each
    /// with its length in front.
    #[must_use]
    pub fn sample(&self) -> Option<(&[u8], &[u8])> {
        let seen = self.players().map(|player| &player.seen);
        let mut whole = seen.filter(|seen| !seen.request.is_empty() && !seen.reply.is_empty());
        whole.next().map(|seen| (&seen.request[..], &seen.reply[..]))
    }

    /// What was counted beside slips.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.players().fold(Counts::default(), |sum, Player { seen, .. }| Counts {
            verified: sum.verified.saturating_add(seen.verified),
            wrong: sum.wrong.saturating_add(seen.wrong),
            sign_ons: sum.sign_ons.saturating_add(seen.sign_ons),
            signed_on: sum.signed_on.saturating_add(seen.signed_on),
        })
    }

    /// Every slip, to be held against the journal.
    #[must_use]
    pub fn slips(&self) -> Slips {
        let mut slips = Slips::default();
        for player in self.players() {
            slips.add(player.terminal(), player.terminal.batch(), &player.slips);
        }
        slips
    }

    /// Asks what each card may spend, and says which cards have another balance than their slips
    /// leave. A card whose outcome is unknown may have either.
    ///
    /// # Errors
    /// If a line cannot be opened or a request not be built.
    pub fn check_balances(&mut self, plan: &Plan) -> Result<Vec<String>, FleetError> {
        // What an inquiry of the load was told is not what there is after it.
        for player in self.crews.iter_mut().flatten() {
            player.seen.balance_fen = None;
        }
        self.once(plan, Act::Balance)?;
        let mut accounts: BTreeMap<&CardNumber, Account> = BTreeMap::new();
        for player in self.players() {
            let Some(card) = player.cards.first() else { continue };
            let account = accounts.entry(&card.pan).or_insert_with(|| Account::of(card));
            account.told = player.seen.balance_fen.or(account.told);
            for slip in player.slips_of_card() {
                account.take(slip);
            }
        }
        let wrong = accounts.iter().filter(|(_, account)| !account.agrees());
        Ok(wrong.map(|(card, account)| account.describe(card)).collect())
    }
}

/// What a card should have left, in fen.
struct Account {
    least: i64,
    most: i64,
    told: Option<i64>,
}

impl Account {
    fn of(card: &TestCard) -> Self {
        let spendable = i64::try_from(card.spendable().0).unwrap_or(i64::MAX);
        Self { least: spendable, most: spendable, told: None }
    }

    fn take(&mut self, slip: &Slip) {
        let amount = i64::try_from(slip.amount.0).unwrap_or(i64::MAX);
        let moves = if slip.kind == SlipKind::Void { amount } else { amount.saturating_neg() };
        let (least, most) = match (slip.told, slip.reversal) {
            (Told::Refused, _) | (_, Reversal::Confirmed) => (0, 0),
            (Told::Approved, Reversal::None) => (moves, moves),
            (Told::Approved | Told::Nothing, _) => (moves.min(0), moves.max(0)),
        };
        self.least = self.least.saturating_add(least);
        self.most = self.most.saturating_add(most);
    }

    fn agrees(&self) -> bool {
        self.told.is_some_and(|told| (self.least..=self.most).contains(&told))
    }

    fn describe(&self, card: &CardNumber) -> String {
        let Self { least, most, told } = self;
        let told = told.map_or_else(|| "nothing".to_owned(), |told| format!("{told} fen"));
        format!("{card} should have {least} to {most} fen, and the host says {told}")
    }
}

fn write_all(
    crews: &mut [Vec<Player>],
    mix: &BTreeMap<Act, u32>,
    count: usize,
    seed: u64,
) -> Result<(), TerminalError> {
    let mut author = Author::new(mix, seed);
    for player in crews.iter_mut().flatten() {
        let script: Script = author.write(player, count)?;
        player.play(script);
    }
    Ok(())
}
