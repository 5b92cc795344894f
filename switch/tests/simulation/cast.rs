//! Who takes part: terminals, cards, and the commands that make the switch know them.

use std::collections::BTreeSet;

use domain::issuing::{CardStatus, Identity, PinPolicy, ProductId, Right, Rights, Terms};
use domain::ledger::{Parts, Purse};
use domain::shard::{CardIssued, Command};
use domain::terms::{Amount, CardId, Expiry, MerchantId, ShardNo, TerminalId};
use domain::txn::TerminalProfile;
use keys::{Algorithm, Hsm, KeyLayout, MacAlgorithm};
use loadtest::{Fen, Kit, TerminalSetup, TestCard};
use switch::facts::Scheme;

use super::dice::Dice;
use super::plan::Plan;

/// A card in somebody's hand.
pub struct Card {
    pub id: CardId,
    pub plastic: TestCard,
    pub terms: Terms,
    pub status: CardStatus,
}

/// Everybody who takes part.
pub struct Cast {
    pub terminals: Vec<TerminalSetup>,
    pub cards: Vec<Card>,
}

/// Cipher, layout and message code of a make of terminals.
const MAKES: [(Algorithm, KeyLayout, MacAlgorithm); 5] = [
    (Algorithm::Des, KeyLayout::Des40A, MacAlgorithm::UnionPay),
    (Algorithm::Des, KeyLayout::Des60A, MacAlgorithm::X99),
    (Algorithm::Des, KeyLayout::Des40B, MacAlgorithm::X919),
    (Algorithm::Des, KeyLayout::Des60B, MacAlgorithm::Cmac),
    (Algorithm::Sm4, KeyLayout::Sm4x40, MacAlgorithm::Sm4A),
];

impl Cast {
    pub fn of(plan: &Plan, dice: &mut Dice) -> Self {
        let (terminals, cards) = (plan.terminals as u32, plan.cards as u32);
        let kit = Kit::generate(terminals, cards, dice.next());
        let mut terminals = kit.terminals;
        for setup in &mut terminals {
            // Two merchants, so that a terminal can meet slips of its own shop and of another.
            setup.merchant.0[14] = *dice.pick(b"001");
            setup.may_refund = !dice.chance(50);
            (setup.algorithm, setup.layout, setup.mac) =
                if dice.chance(600) { MAKES[0] } else { *dice.pick(&MAKES) };
        }
        let cards = (1..).zip(kit.cards);
        let cards = cards.map(|(number, plastic)| card(number, plastic, plan, dice)).collect();
        Self { terminals, cards }
    }

    /// Returns what sets everybody up, each command with its shard.
    pub fn commands(&self, hsm: &dyn Hsm) -> Vec<(ShardNo, Command)> {
        let terminals = self.terminals.iter().enumerate();
        let mut commands: Vec<_> =
            terminals.map(|(at, setup)| self.register(at, setup.may_refund, hsm)).collect();
        for card in &self.cards {
            commands.push((card.id.shard(), Command::IssueCard(Box::new(issue(card, hsm)))));
        }
        commands
    }

    /// Returns what sets a terminal up, for its shard.
    pub fn register(&self, at: usize, may_refund: bool, hsm: &dyn Hsm) -> (ShardNo, Command) {
        let setup = &self.terminals[at];
        let terminal = TerminalId(setup.id.0);
        let sealed = hsm.import_tmk(&setup.id.0, setup.tmk.as_bytes(), setup.algorithm).unwrap();
        let scheme = Scheme { algorithm: setup.algorithm, layout: setup.layout, mac: setup.mac };
        let profile = TerminalProfile {
            merchant: MerchantId(setup.merchant.0),
            sealed_tmk: sealed.as_bytes().into(),
            scheme: scheme.to_text(),
            rights: if may_refund { Rights::ALL } else { Rights::ALL.without(Right::Refund) },
        };
        (terminal.shard(), Command::RegisterTerminal { terminal, profile })
    }

    /// Returns the shards that anything happens in.
    pub fn shards(&self) -> BTreeSet<ShardNo> {
        let cards = self.cards.iter().map(|card| card.id.shard());
        let terminals = self.terminals.iter().map(|setup| TerminalId(setup.id.0).shard());
        cards.chain(terminals).collect()
    }
}

fn card(number: u64, mut plastic: TestCard, plan: &Plan, dice: &mut Dice) -> Card {
    plastic.main = Fen(dice.between(0, plan.money_max));
    plastic.bonus = Fen(if dice.chance(500) { dice.between(0, plan.money_max / 4) } else { 0 });
    plastic.held = Fen(if dice.chance(200) { dice.below(plastic.main.0 + 1) } else { 0 });
    let pin = match dice.below(3) {
        0 => PinPolicy::Always,
        1 => PinPolicy::Above(Amount::from_fen(1_000)),
        _ => PinPolicy::Never,
    };
    let mut draw = [Purse::Bonus, Purse::Main];
    if dice.chance(300) {
        draw.reverse();
    }
    let terms = Terms {
        named: dice.chance(500),
        pin,
        transaction_max: Amount::from_fen(if dice.chance(200) { 1_500 } else { 100_000 }),
        draw: draw.into_iter().collect(),
        refund_days: *dice.pick(&[0, 1, 30]),
        ..Terms::plain(ProductId(1))
    };
    let unusual = [CardStatus::Sold, CardStatus::Frozen, CardStatus::Lost, CardStatus::Cancelled];
    let status = if dice.chance(50) { *dice.pick(&unusual) } else { CardStatus::Active };
    Card { id: CardId(number), plastic, terms, status }
}

fn issue(card: &Card, hsm: &dyn Hsm) -> CardIssued {
    let Card { id, plastic, terms, status } = card;
    let digits = plastic.pan.digits().as_bytes();
    let pin = plastic.pin.as_ref().unwrap().digits().as_bytes();
    let money = |fen: Fen| Amount::from_fen(fen.0 as i64);
    let main = Parts::only(Purse::Main, money(plastic.main));
    CardIssued {
        card: *id,
        terms: terms.clone(),
        status: *status,
        expiry: Expiry::NEVER,
        identity: Identity {
            index: hsm.pan_index(digits).0,
            sealed_pan: hsm.seal_pan(digits, id.0).unwrap().as_bytes().into(),
            pin: Some(hsm.derive_pin_verification(id.0, pin).unwrap().to_bytes()),
        },
        opening: main.plus(&Parts::only(Purse::Bonus, money(plastic.bonus))),
        held: Parts::only(Purse::Main, money(plastic.held)),
    }
}
