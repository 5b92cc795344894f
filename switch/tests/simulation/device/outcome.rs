//! What a device makes of an answer.

use codec::{Dialect, Envelope, Message};
use domain::txn::TxnKey;
use keys::TerminalKeys;
use loadtest::terminal::{Reconciled, SlipKind};
use loadtest::{Reply, TerminalError};

use super::{Device, Doing, Scene, What};
use crate::history::{self, Receipt, Settled, Told, Undone};

/// The code is wrong, or there are no keys: sign on.
const MAC_WRONG: [u8; 2] = *b"A0";

impl Device {
    /// Takes in a frame, without its length. True if it ended the request under way.
    pub fn on_frame(&mut self, scene: &mut Scene<'_>, frame: &[u8]) -> bool {
        let batch = self.terminal.batch();
        match self.terminal.on_frame(frame) {
            Ok(reply) => {
                let Some(doing) = self.doing.take() else { return true };
                let code = reply.code.map_or([0; 2], |code| code.0);
                if code == MAC_WRONG {
                    self.needs_keys = true;
                }
                match doing.what {
                    What::SignOn if reply.is_success() => self.signed_on(frame),
                    What::Balance
                    | What::Money(_)
                    | What::Points
                    | What::Verification
                    | What::PinChange
                    | What::Confirmation
                    | What::Notice => self.told(&doing, &reply, scene),
                    What::Reversal => self.undone(&doing, code, scene),
                    What::Settle => {
                        let is_balanced = reply.reconciled == Some(Reconciled::Balanced);
                        if reply.reconciled.is_some() {
                            self.settled = Some(batch);
                            let (terminal, batch) = (self.id(), history::batch_of(batch));
                            let settled = Settled { terminal, batch, is_balanced };
                            scene.history.settled.push(settled);
                        }
                    }
                    What::End => self.settled = None,
                    What::SignOn | What::SignOff | What::Echo | What::Upload => {}
                }
                self.note_finale(&doing, code, scene);
                let answer = match reply.reconciled.filter(|_| doing.what == What::Settle) {
                    Some(reconciled) => format!("{reconciled:?}"),
                    None => reply.code.map(|code| code.to_string()).unwrap_or_default(),
                };
                *scene.history.answers.entry((doing.what.name(), answer)).or_default() += 1;
                true
            }
            // To something else, or to nothing any more.
            Err(TerminalError::Idle | TerminalError::NotMine(_) | TerminalError::Unreadable(_)) => {
                false
            }
            Err(error) => {
                scene.history.complaints.push(format!("{}: {error}", self.id()));
                self.doing = None;
                true
            }
        }
    }

    fn signed_on(&mut self, frame: &[u8]) {
        self.needs_keys = false;
        let envelope = Envelope::parse(frame).unwrap();
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body).unwrap();
        let (tmk, algorithm) = (self.setup.tmk.as_bytes(), self.setup.algorithm);
        let block = message.raw(62).unwrap();
        self.keys = TerminalKeys::from_sign_on(tmk, algorithm, block, None).ok();
    }

    fn told(&self, doing: &Doing, reply: &Reply, scene: &mut Scene<'_>) {
        let asked = &mut scene.history.asked[doing.asked.unwrap()];
        let (at, rrn) = (scene.now, reply.rrn.clone().unwrap_or_default());
        let Some(code) = reply.code.filter(|_| !reply.is_success()) else {
            let (auth, balance) = (reply.auth_code.clone(), reply.balance_fen);
            let fen = reply.amount.map_or(asked.fen, |amount| amount.0 as i64);
            asked.told = Told::Approved { at, rrn, auth, balance, fen };
            let TxnKey { terminal, batch, stan } = asked.key;
            let is_kept = matches!(
                doing.what,
                What::Money(
                    SlipKind::Sale | SlipKind::MotoSale | SlipKind::Completion | SlipKind::PreAuth
                )
            );
            if is_kept {
                let card = scene.cast.cards.iter().position(|card| card.id == asked.card);
                let stan = loadtest::Stan::new(stan.number()).unwrap();
                let slip = self.terminal.slip(stan).unwrap().clone();
                let (merchant, card) = (self.setup.merchant.0, card.unwrap());
                scene.history.receipts.push(Receipt { slip, merchant, card });
            }
            if doing.what != What::Balance {
                scene.history.note_slip(terminal, batch);
            }
            return;
        };
        if doing.what == What::Notice {
            // The terminal counts what it did without asking, whatever the host says of it.
            let TxnKey { terminal, batch, .. } = asked.key;
            scene.history.restated.insert((terminal, batch));
            if code.is_of_the_moment() {
                // This says nothing of what became of an earlier copy.
                scene.history.doubts.insert((terminal, batch));
                return;
            }
        }
        let auth = reply.auth_code.clone();
        asked.told = Told::Refused { at, code: code.0, rrn, auth };
    }

    fn undone(&self, doing: &Doing, code: [u8; 2], scene: &mut Scene<'_>) {
        let undone = Undone { asked: doing.asked.unwrap(), code };
        let key = scene.history.asked[undone.asked].key;
        if !undone.is_done() && self.terminal.owed().is_none() {
            // The terminal gave it up, and the books know better.
            scene.history.doubts.insert((key.terminal, key.batch));
        }
        scene.history.note_slip(key.terminal, key.batch);
        scene.history.undone.push(undone);
    }
}
