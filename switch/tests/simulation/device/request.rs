//! The requests of a day at the till.

use codec::{Dialect, Envelope, Message, MessageBuilder, write_frame};
use domain::txn::TxnKind;
use jiff::civil;
use loadtest::terminal::{Chip, Entry, Original, Reason, SlipKind, SlipState};
use loadtest::{Fen, Presented, Stan, TerminalError};

use super::{Device, Made, Scene, What};
use crate::cast::Card;
use crate::history::{self, Asked, Told};
use crate::network::unframed;

/// How a cardholder presents a card.
struct Hand {
    /// Its place in the cast.
    card: usize,
    entry: Entry,
    pin: Option<loadtest::Pin>,
}

impl Device {
    /// Chooses what the next customer wants.
    pub(super) fn choose(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let mix = scene.plan.mix;
        type Choice = fn(&mut Device, &mut Scene<'_>) -> Result<Made, TerminalError>;
        let choices: [(u32, Choice); 9] = [
            (mix.sale, Self::sale),
            (mix.void, Self::void),
            (mix.refund, Self::refund),
            (mix.reverse, Self::take_back),
            (mix.balance, Self::balance),
            (mix.settle, |device, scene| device.settle(scene)),
            (mix.sign_on, |device, _| device.sign_on()),
            (mix.sign_off, |device, _| Ok(Made::of(device.terminal.sign_off()?, What::SignOff))),
            (mix.echo, |device, _| Ok(Made::of(device.terminal.echo()?, What::Echo))),
        ];
        let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut at = u32::try_from(scene.dice.below(sum.into())).unwrap();
        for (weight, choice) in choices {
            if at < weight {
                return choice(self, scene);
            }
            at -= weight;
        }
        unreachable!("the place is within the sum")
    }

    fn hand(&self, card: usize, scene: &mut Scene<'_>) -> Hand {
        let (habits, dice) = (scene.plan.habits, &mut *scene.dice);
        let right = scene.cast.cards[card].plastic.pin.as_ref().unwrap();
        let pin = if dice.chance(habits.no_pin) {
            None
        } else if dice.chance(habits.wrong_pin) {
            Some(right.other())
        } else {
            Some(right.clone())
        };
        let entry = match dice.below(4) {
            0 => Entry::Stripe,
            1 => Entry::StripeWithPan,
            2 => Entry::Manual,
            _ => Entry::Chip(Chip::simulated(dice.next(), 1, [0x26, 0x11, 0x18])),
        };
        Hand { card, entry, pin }
    }

    fn any_hand(&self, scene: &mut Scene<'_>) -> Hand {
        let card = scene.dice.place(scene.cast.cards.len());
        self.hand(card, scene)
    }

    /// The card of an original; now and then another one.
    fn hand_of(&self, card: usize, scene: &mut Scene<'_>) -> Hand {
        if scene.dice.chance(scene.plan.habits.wrong_card) {
            self.any_hand(scene)
        } else {
            self.hand(card, scene)
        }
    }

    /// Writes down that a transaction is sent.
    fn made(
        &self,
        frame: Vec<u8>,
        what: What,
        asked: (TxnKind, usize, i64),
        scene: &mut Scene<'_>,
    ) -> Made {
        let (kind, card, fen) = asked;
        let key = history::key_of(self.setup.id, self.terminal.batch(), self.last_stan());
        let card = scene.cast.cards[card].id;
        let asked = Asked { key, kind, card, fen, sent: scene.now, told: Told::Nothing };
        scene.history.asked.push(asked);
        let mut made = Made::of(frame, what);
        made.doing.asked = Some(scene.history.asked.len() - 1);
        made
    }

    fn sale(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let fen = if scene.dice.chance(scene.plan.habits.odd_amount) {
            *scene.dice.pick(&[0, 100_001, 999_999_999_999])
        } else {
            scene.dice.between(1, 3_000)
        };
        self.sell(&hand, fen, scene)
    }

    /// A sale of a small amount with the right PIN, to see that the switch is well.
    pub(super) fn fresh_sale(
        &mut self,
        card: usize,
        scene: &mut Scene<'_>,
    ) -> Result<Made, TerminalError> {
        let pin = scene.cast.cards[card].plastic.pin.clone();
        let fen = scene.dice.between(1, 20);
        self.sell(&Hand { card, entry: Entry::Stripe, pin }, fen, scene)
    }

    fn sell(
        &mut self,
        hand: &Hand,
        fen: u64,
        scene: &mut Scene<'_>,
    ) -> Result<Made, TerminalError> {
        let frame = self.terminal.sale(&hand.present(&scene.cast.cards), Fen(fen))?;
        let asked = (TxnKind::Sale, hand.card, fen as i64);
        Ok(self.made(frame, What::Money(SlipKind::Sale), asked, scene))
    }

    fn balance(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let hand = self.any_hand(scene);
        let frame = self.terminal.balance(&hand.present(&scene.cast.cards))?;
        Ok(self.made(frame, What::Balance, (TxnKind::Inquiry, hand.card, 0), scene))
    }

    fn void(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let any = scene.dice.chance(100);
        let Some((of, card, fen)) = self.slip(scene, |kind, state| {
            kind == SlipKind::Sale && (any || state == SlipState::Approved)
        }) else {
            return self.sale(scene);
        };
        if scene.dice.chance(300) {
            let frame = self.terminal.void(of, None)?;
            let asked = (TxnKind::Void, card, fen);
            return Ok(self.made(frame, What::Money(SlipKind::Void), asked, scene));
        }
        let hand = self.hand_of(card, scene);
        let frame = self.terminal.void(of, Some(&hand.present(&scene.cast.cards)))?;
        let asked = (TxnKind::Void, hand.card, fen);
        Ok(self.made(frame, What::Money(SlipKind::Void), asked, scene))
    }

    fn refund(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        if scene.history.receipts.is_empty() {
            return self.sale(scene);
        }
        let receipt = scene.dice.pick(&scene.history.receipts).clone();
        let is_ours = receipt.merchant == self.setup.merchant.0;
        if !is_ours && scene.dice.chance(800) {
            return self.sale(scene);
        }
        let hand = self.hand_of(receipt.card, scene);
        let whole = receipt.slip.imprint.amount.0;
        let fen = match scene.dice.below(4) {
            0 => whole + scene.dice.below(2),
            _ => scene.dice.between(1, whole.max(1)),
        };
        let original = Original::of(&receipt.slip);
        let frame = self.terminal.refund(&original, &hand.present(&scene.cast.cards), Fen(fen))?;
        let asked = (TxnKind::Refund, hand.card, fen as i64);
        Ok(self.made(frame, What::Money(SlipKind::Refund), asked, scene))
    }

    /// Reverses what was approved: the printer jammed.
    fn take_back(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let Some((of, _, _)) = self
            .slip(scene, |kind, state| kind != SlipKind::Refund && state == SlipState::Approved)
        else {
            return self.sale(scene);
        };
        let frame = self.terminal.reverse(of, Reason::Trouble)?;
        Ok(self.reversing(frame, scene))
    }

    /// Sends the reversal that is owed.
    pub(super) fn reversal(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let frame = self.terminal.reversal()?;
        Ok(self.reversing(frame, scene))
    }

    fn reversing(&self, frame: Vec<u8>, scene: &mut Scene<'_>) -> Made {
        let imprint = &self.terminal.owed().unwrap().imprint;
        let key = history::key_of(self.setup.id, imprint.batch, imprint.stan.get());
        let is_cardless = scene.dice.chance(scene.plan.habits.cardless);
        let frame = if is_cardless { self.without_card(&frame) } else { frame };
        let mut made = Made::of(frame, What::Reversal);
        made.doing.asked = scene.history.asked.iter().rposition(|asked| asked.key == key);
        made
    }

    /// Writes a reversal anew as terminals send it that do not keep card numbers.
    fn without_card(&self, frame: &[u8]) -> Vec<u8> {
        self.rewritten(frame, &[2, 14], None)
    }

    /// Writes a request anew with the date and time that the terminal shows now. One without a
    /// message code stays as it is.
    pub(super) fn clocked(&self, frame: Vec<u8>, scene: &Scene<'_>) -> Vec<u8> {
        let envelope = Envelope::parse(unframed(&frame)).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        if message.raw(64).is_none() || self.keys.is_none() {
            return frame;
        }
        self.rewritten(&frame, &[12, 13], Some(scene.local))
    }

    /// Writes a frame anew without some fields, and with a date and time.
    fn rewritten(&self, frame: &[u8], left_out: &[u8], at: Option<civil::DateTime>) -> Vec<u8> {
        let dialect = Dialect::unionpay_pos();
        let envelope = Envelope::parse(unframed(frame)).unwrap();
        let message = Message::parse(dialect, envelope.body).unwrap();
        let keys = self.keys.as_ref().unwrap();
        let mut out = Vec::new();
        write_frame(&mut out, envelope.tpdu, envelope.header, |body| {
            let mut builder = MessageBuilder::start(dialect, body, message.mti().as_bytes())?;
            let mut at = at;
            for field in message.fields().map(|field| field.0) {
                if field > 13
                    && let Some(at) = at.take()
                {
                    builder.digits(12, at.strftime("%H%M%S").to_string().as_bytes())?;
                    builder.digits(13, at.strftime("%m%d").to_string().as_bytes())?;
                }
                if field != 64 && !left_out.contains(&field) {
                    builder.copy(&message, field)?;
                }
            }
            builder.finish_with_mac(64, |bytes| keys.mac(self.setup.mac, bytes).unwrap())
        })
        .unwrap();
        out
    }

    pub(super) fn settle(&mut self, scene: &mut Scene<'_>) -> Result<Made, TerminalError> {
        let (batch, totals) = (history::batch_of(self.terminal.batch()), self.terminal.totals());
        let frame = self.terminal.settle()?;
        scene.history.claims.entry((self.id(), batch)).or_insert(totals);
        Ok(Made::of(frame, What::Settle))
    }

    /// Picks a slip of the open batch: its trace number, card and amount.
    fn slip(
        &self,
        scene: &mut Scene<'_>,
        fits: impl Fn(SlipKind, SlipState) -> bool,
    ) -> Option<(Stan, usize, i64)> {
        let slips: Vec<_> =
            self.terminal.slips().filter(|slip| fits(slip.kind, slip.state)).collect();
        if slips.is_empty() {
            return None;
        }
        let imprint = &scene.dice.pick(&slips).imprint;
        let is_its = |card: &Card| card.plastic.pan == imprint.card;
        let card = scene.cast.cards.iter().position(is_its).unwrap();
        Some((imprint.stan, card, imprint.amount.0 as i64))
    }
}

impl Hand {
    fn present<'c>(&'c self, cards: &'c [Card]) -> Presented<'c> {
        let plastic = &cards[self.card].plastic;
        Presented {
            card: &plastic.pan,
            expiry: plastic.expiry,
            entry: self.entry,
            pin: self.pin.as_ref(),
        }
    }
}
