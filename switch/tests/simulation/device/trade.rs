//! The rarer requests of a day: what is set aside and taken later, told after the event, loaded,
//! paid with points or by telephone, brought into use.

use domain::txn::TxnKind;
use loadtest::terminal::{About, Hold, Scheme, SlipKind, SlipState};
use loadtest::{Fen, HolderCheck, IdDocument, TerminalError};

use super::request::Hand;
use super::{Device, Made, Scene, What};
use crate::history::{self, Asked, Told};

/// Returns what the switch calls a transaction that leaves a slip.
pub(super) const fn kind_of(slip: SlipKind) -> TxnKind {
    match slip {
        SlipKind::Sale | SlipKind::MotoSale => TxnKind::Sale,
        SlipKind::Void | SlipKind::MotoVoid => TxnKind::Void,
        SlipKind::Refund | SlipKind::MotoRefund => TxnKind::Refund,
        SlipKind::PreAuth | SlipKind::AdditionalPreAuth => TxnKind::PreAuth,
        SlipKind::PreAuthVoid => TxnKind::PreAuthVoid,
        SlipKind::Completion => TxnKind::Completion,
        SlipKind::CompletionAdvice => TxnKind::CompletionAdvice,
        SlipKind::CompletionVoid => TxnKind::CompletionVoid,
        SlipKind::OfflineSale => TxnKind::OfflineSale,
        SlipKind::ECash => TxnKind::ECash,
        SlipKind::TopUp => TxnKind::TopUp,
        SlipKind::PointsSale => TxnKind::PointsSale,
        SlipKind::PointsVoid => TxnKind::PointsVoid,
        SlipKind::Activation => TxnKind::Activation,
    }
}

impl Device {
    /// Does one of the rarer things that this world knows.
    pub(super) fn rarely(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        type Choice = fn(&mut Device, &mut Scene<'_>) -> Result<Made, TerminalError>;
        const CHOICES: [Choice; 12] = [
            Device::pre_auth,
            Device::pre_auth,
            Device::use_hold,
            Device::use_hold,
            Device::use_hold,
            Device::load,
            Device::load,
            Device::points,
            Device::moto,
            Device::tell_later,
            Device::tell_later,
            Device::card_care,
        ];
        let known: Vec<_> =
            (0..CHOICES.len()).filter(|at| scene.plan.mix.rare >> at & 1 == 1).collect();
        if known.is_empty() {
            return Err(TerminalError::NothingOwed);
        }
        CHOICES[*scene.dice.pick(&known)](self, scene)
    }

    fn pre_auth(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let fen = scene.dice.between(1, 2_000);
        let frame = self.terminal.pre_auth(&hand.present(&scene.cast.cards), Fen(fen))?;
        Ok(self.slip_made(frame, SlipKind::PreAuth, (hand.card, fen), scene))
    }

    /// Adds to a pre-authorisation of this merchant, frees it, or takes it.
    fn use_hold(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let merchant = self.setup.merchant.0;
        let known: Vec<_> = scene
            .history
            .receipts
            .iter()
            .filter(|receipt| receipt.slip.kind == SlipKind::PreAuth)
            .filter(|receipt| receipt.merchant == merchant)
            .cloned()
            .collect();
        if known.is_empty() {
            return self.pre_auth(scene);
        }
        let receipt = scene.dice.pick(&known);
        let hold = Hold::of(&receipt.slip).ok_or(TerminalError::NothingOwed)?;
        let hand = self.hand_of(receipt.card, scene);
        let held = receipt.slip.imprint.amount.0;
        let presented = hand.present(&scene.cast.cards);
        let all = match self.terminal.held(&receipt.slip.imprint.card, &hold.auth) {
            Fen(0) => Fen(held),
            all => all,
        };
        let taken = scene.dice.between(1, held * 13 / 10);
        match scene.dice.below(5) {
            0 => {
                let fen = scene.dice.between(1, 500);
                let frame = self.terminal.add_pre_auth(&hold, &presented, Fen(fen))?;
                Ok(self.slip_made(frame, SlipKind::AdditionalPreAuth, (hand.card, fen), scene))
            }
            1 => {
                let frame = self.terminal.void_pre_auth(&hold, &presented, all)?;
                Ok(self.slip_made(frame, SlipKind::PreAuthVoid, (hand.card, all.0), scene))
            }
            2 => {
                self.terminal.complete_by_advice(&hold, &presented, Fen(taken))?;
                self.tell(scene)
            }
            _ => {
                let frame = self.terminal.complete(&hold, &presented, Fen(taken))?;
                Ok(self.slip_made(frame, SlipKind::Completion, (hand.card, taken), scene))
            }
        }
    }

    /// Takes cash for a card that was verified before, or has one verified.
    fn load(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let document = IdDocument::default();
        let verified = self.terminal.verified().map(|verified| verified.card.clone());
        let card = verified
            .and_then(|pan| scene.cast.cards.iter().position(|card| card.plastic.pan == pan));
        let Some(card) = card else {
            let hand = self.any_hand(scene);
            let presented = hand.present(&scene.cast.cards);
            let frame = self.terminal.verify_account(&presented, &document)?;
            let asked = (TxnKind::Verification, hand.card, 0);
            return Ok(self.made(frame, What::Verification, asked, scene));
        };
        let hand = self.hand(card, scene);
        let fen = scene.dice.between(1, 40_000);
        let presented = hand.present(&scene.cast.cards);
        let frame = self.terminal.top_up(&presented, Fen(fen), &document)?;
        Ok(self.slip_made(frame, SlipKind::TopUp, (hand.card, fen), scene))
    }

    /// Confirms the top-up that is owed one.
    pub(super) fn confirm(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let imprint = self.terminal.confirmation_owed().unwrap().imprint.clone();
        let frame = self.terminal.confirm()?;
        let card = scene.cast.cards.iter().find(|card| card.plastic.pan == imprint.card).unwrap();
        let asked = Asked {
            key: history::key_of(self.setup.id, imprint.batch, imprint.stan.get()),
            kind: TxnKind::TopUpConfirm,
            card: card.id,
            fen: imprint.amount.0 as i64,
            sent: scene.now,
            told: Told::Nothing,
        };
        Ok(Made::asking(frame, What::Confirmation, asked, scene))
    }

    fn points(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let presented = hand.present(&scene.cast.cards);
        if scene.dice.chance(300) {
            let frame = self.terminal.points(&presented)?;
            return Ok(self.made(
                frame,
                What::Points,
                (TxnKind::PointsInquiry, hand.card, 0),
                scene,
            ));
        }
        let points = scene.dice.between(1, 300);
        let frame = self.terminal.points_sale(&presented, points, Scheme::Issuer, "")?;
        Ok(self.slip_made(frame, SlipKind::PointsSale, (hand.card, points), scene))
    }

    fn moto(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let fen = scene.dice.between(1, 2_000);
        let presented = hand.present(&scene.cast.cards);
        let frame = self.terminal.moto_sale(&presented, Fen(fen), &HolderCheck::default())?;
        Ok(self.slip_made(frame, SlipKind::MotoSale, (hand.card, fen), scene))
    }

    /// Sells without asking, or changes the amount of such a sale, and tells it later.
    fn tell_later(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let fen = scene.dice.between(1, 1_500);
        let presented = hand.present(&scene.cast.cards);
        let changed = self.slip(scene, |kind, state| {
            let may_change = matches!(kind, SlipKind::OfflineSale | SlipKind::Sale);
            may_change && state == SlipState::Approved
        });
        match (scene.dice.below(3), changed) {
            (0, Some((of, _card, before))) => {
                let tip = scene.dice.below(before as u64 / 4 + 1);
                self.terminal.tip(of, Fen(before as u64 + tip), Fen(tip))?;
            }
            (1, _) => {
                let hand = Hand { entry: super::request::chip(scene), ..hand };
                self.terminal.sell_from_chip(&hand.present(&scene.cast.cards), Fen(fen))?;
            }
            _ => {
                self.terminal.sell_offline(&presented, Fen(fen), Some("123456"))?;
            }
        }
        self.tell(scene)
    }

    /// Tells the first thing that the host has not been told.
    pub(super) fn tell(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let first = self.terminal.notices().next().cloned().ok_or(TerminalError::NothingOwed)?;
        let frame = self.terminal.notice()?;
        // Those that were told too often are passed over.
        let message_stan = super::request::stan_of(&frame);
        let notices = self.terminal.notices().chain([&first]);
        let notice = notices.into_iter().find(|n| n.imprint.stan.get() == message_stan).unwrap();
        let kind = match notice.about {
            About::Slip(kind) => kind_of(kind),
            About::Adjustment | About::Tip => TxnKind::Adjustment,
            About::Script => TxnKind::ScriptNotice,
        };
        let imprint = &notice.imprint;
        let card = scene.cast.cards.iter().find(|card| card.plastic.pan == imprint.card).unwrap();
        let fen = if kind == TxnKind::ScriptNotice { 0 } else { imprint.amount.0 as i64 };
        let asked = Asked {
            key: history::key_of(self.setup.id, imprint.batch, imprint.stan.get()),
            kind,
            card: card.id,
            fen,
            sent: scene.now,
            told: Told::Nothing,
        };
        Ok(Made::asking(frame, What::Notice, asked, scene))
    }

    /// Brings a card into use, or gives it the PIN that it has: a cardholder who is not sure.
    fn card_care(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let presented = hand.present(&scene.cast.cards);
        if scene.dice.chance(500) {
            let frame = self.terminal.activate(&presented)?;
            return Ok(self.slip_made(frame, SlipKind::Activation, (hand.card, 0), scene));
        }
        let same = scene.cast.cards[hand.card].plastic.pin.clone().unwrap();
        let frame = self.terminal.change_pin(&presented, &same)?;
        Ok(self.made(frame, What::PinChange, (TxnKind::PinChange, hand.card, 0), scene))
    }

    fn slip_made(
        &self,
        frame: Vec<u8>,
        slip: SlipKind,
        (card, fen): (usize, u64),
        scene: &mut Scene<'_>,
    ) -> Made {
        self.made(frame, What::Money(slip), (kind_of(slip), card, fen as i64), scene)
    }
}
