//! What a terminal makes of an answer.

use codec::{Dialect, Envelope, Message};
use keys::{KeyLayout, TerminalKeys};

use super::reply::Unreadable;
use super::settle::Settling;
use super::trade::Done;
use super::{
    Awaiting, Held, Kind, Reason, Reconciled, Reply, SignOn, Slip, SlipKind, SlipState, Terminal,
    TerminalError, chip,
};
use crate::code::Code;

/// Refusals after which a terminal stops sending a reversal. It goes on as long as nobody answers.
const REFUSALS_MAX: u8 = 3;

/// What the host asks for in digit 6 of the header: a sign-on.
const SIGN_ON_AGAIN: u8 = 3;

impl Terminal {
    /// Takes the answer to the request under way: a frame without its length.
    ///
    /// Message type, fields 3, 11, 41 and 42 must be the request's, field 4 too unless the
    /// approval is partial. The message code is checked if the answer says success, as terminals
    /// do.
    ///
    /// # Errors
    /// What does not belong to the request leaves it under way ([`TerminalError::Idle`],
    /// [`TerminalError::Unreadable`], [`TerminalError::NotMine`]). An answer that cannot be
    /// believed ends it, and leaves what silence would.
    pub fn on_frame(&mut self, frame: &[u8]) -> Result<Reply, TerminalError> {
        let awaiting = self.awaiting.as_ref().ok_or(TerminalError::Idle)?;
        let envelope = Envelope::parse(frame).map_err(Unreadable::from)?;
        let message = Message::parse(Dialect::unionpay_pos(), envelope.body);
        let message = message.map_err(Unreadable::from)?;
        let reply = Reply::of(&message, envelope.header.requirement());
        if let Some(field) = self.first_difference(awaiting, &message, &reply) {
            return Err(TerminalError::NotMine(field));
        }
        let is_believed = self.check(awaiting, &message, &reply);
        let Some(awaiting) = self.awaiting.take() else { return Err(TerminalError::Idle) };
        self.last = Some(awaiting.clone());
        if reply.requirement == SIGN_ON_AGAIN {
            self.wants_sign_on = true;
        }
        if let Err(error) = is_believed {
            self.on_silence(&awaiting, Reason::BadMac);
            return Err(error);
        }
        let stan = awaiting.stan;
        self.apply(awaiting, &reply, message.raw(62))?;
        let slip = stan.filter(|_| message.raw(55).is_some_and(chip::has_script));
        if let Some(slip) = slip.and_then(|stan| self.slips.get(&stan)).cloned() {
            self.note_script(&slip);
        }
        Ok(reply)
    }

    /// The first field that shows that the answer is to something else.
    fn first_difference(
        &self,
        awaiting: &Awaiting,
        message: &Message<'_>,
        reply: &Reply,
    ) -> Option<u8> {
        let [class, version, function, origin] = awaiting.mti;
        let expected = [class, version, function.saturating_add(1), origin];
        let is_partial = reply.code == Some(Code::PARTIAL);
        let processing = message.digits(3);
        // An amount of nothing may be left out on either side.
        let asked = awaiting.amount.unwrap_or_default();
        let differs = [
            (0, *message.mti().as_bytes() != expected),
            (3, awaiting.processing.is_some_and(|sent| processing.is_none_or(|got| got != sent))),
            (4, !is_partial && reply.amount.is_some_and(|got| got != asked)),
            (11, awaiting.stan.is_some() && reply.stan != awaiting.stan),
            (41, message.text(41) != Some(&self.setup.id.0)),
            (42, message.text(42) != Some(&self.setup.merchant.0)),
        ];
        differs.into_iter().find_map(|(field, differs)| differs.then_some(field))
    }

    /// Says whether the terminal may act on the answer.
    fn check(
        &self,
        awaiting: &Awaiting,
        message: &Message<'_>,
        reply: &Reply,
    ) -> Result<(), TerminalError> {
        let has_mac = match awaiting.kind {
            Kind::Inquiry
            | Kind::Verification(_)
            | Kind::Money { .. }
            | Kind::Reversal
            | Kind::Confirmation
            | Kind::Notice(_) => true,
            Kind::Settlement => return Ok(()),
            // Where nothing hangs on it, hosts leave the code out of an upload's answer.
            Kind::Upload { .. } => return Ok(()),
            Kind::SignOn(_) | Kind::SignOff | Kind::Echo | Kind::End => false,
        };
        let code = reply.code.ok_or(TerminalError::NoCode)?;
        if !has_mac || !code.is_success() {
            return Ok(());
        }
        if self.has_right_mac(message) { Ok(()) } else { Err(TerminalError::MacWrong) }
    }

    pub(super) fn has_right_mac(&self, message: &Message<'_>) -> bool {
        match (&self.keys, message.mac_input(), message.raw(64)) {
            (Some(held), Some(input), Some(mac)) => {
                held.keys.verify_mac(self.setup.mac, input, mac)
            }
            _ => false,
        }
    }

    fn apply(
        &mut self,
        awaiting: Awaiting,
        reply: &Reply,
        f62: Option<&[u8]>,
    ) -> Result<(), TerminalError> {
        match awaiting.kind {
            Kind::SignOn(ask) if reply.is_success() => {
                self.adopt(ask, f62.ok_or(TerminalError::NoKeys)?, reply)?;
            }
            Kind::SignOff if reply.is_success() => self.keys = None,
            Kind::Verification(imprint) if reply.is_success() => {
                self.note_verified(&imprint, reply);
            }
            Kind::Money { kind: SlipKind::TopUp, .. } if reply.code == Some(Code::NO_ANSWER) => {
                self.confirmation = self.confirmation_of(&awaiting);
            }
            Kind::Money { kind, link, imprint } if reply.is_success() => {
                if kind == SlipKind::TopUp {
                    self.verified = None;
                }
                self.file(Slip::new(kind, *imprint, link).answered(reply));
            }
            Kind::Confirmation => self.conclude_confirmation(reply),
            Kind::Notice(stan) => self.conclude_notice(stan, reply),
            Kind::Reversal => self.conclude_reversal(reply),
            Kind::Settlement => {
                // Neither yes nor no, and the flag of a failed comparison: ask again later.
                self.settling = match reply.reconciled {
                    Some(compared @ (Reconciled::Balanced | Reconciled::Unbalanced)) => {
                        Some(Settling::new(compared))
                    }
                    Some(Reconciled::Failed) | None => None,
                };
            }
            Kind::Upload { count, form } => {
                let is_taken = reply.code.is_none_or(Code::is_success);
                match &mut self.settling {
                    Some(settling) if is_taken => settling.taken(count),
                    Some(settling) => settling.refused(count, form),
                    None => {}
                }
            }
            Kind::End => {
                self.settling = None;
                self.archive_slips();
                self.batch = self.batch.next();
            }
            Kind::SignOn(_)
            | Kind::SignOff
            | Kind::Echo
            | Kind::Inquiry
            | Kind::Verification(_)
            | Kind::Money { .. } => {}
        }
        Ok(())
    }

    /// Takes working keys and the batch number of a sign-on's answer. Nothing changes if the keys
    /// are not right.
    fn adopt(&mut self, ask: SignOn, f62: &[u8], reply: &Reply) -> Result<(), TerminalError> {
        let Self { setup, .. } = self;
        let asked = KeyLayout::for_request(ask.code(), setup.algorithm, setup.layout);
        self.keys = Some(self.unlock(f62, asked)?);
        self.wants_sign_on = false;
        if let Some(batch) = reply.batch.filter(|batch| *batch != self.batch) {
            self.archive_slips();
            self.batch = batch;
            self.settling = None;
        }
        Ok(())
    }

    /// Opens a block of working keys.
    pub(super) fn unlock(
        &self,
        f62: &[u8],
        asked: Option<KeyLayout>,
    ) -> Result<Held, TerminalError> {
        let (tmk, algorithm) = (self.setup.tmk.as_bytes(), self.setup.algorithm);
        let keys = TerminalKeys::from_sign_on(tmk, algorithm, f62, asked)?;
        Ok(Held { keys, block: f62.to_vec() })
    }

    /// Files the slip of a transaction. An answer to a repeat changes nothing.
    pub(super) fn file(&mut self, slip: Slip) {
        if self.slips.contains_key(&slip.imprint.stan) {
            return;
        }
        self.follow(slip.kind, &slip.link(), &slip.imprint.card, Done::Done);
        self.slips.insert(slip.imprint.stan, slip);
    }

    fn conclude_reversal(&mut self, reply: &Reply) {
        let Some(mut owed) = self.owed.take() else { return };
        if !reply.code.is_some_and(Code::ends_reversal) {
            owed.refused = owed.refused.saturating_add(1);
            self.owed = (owed.refused < REFUSALS_MAX).then_some(owed);
            return;
        }
        // "Does not belong" ends it too, and means that the slip stands: voided, say, or settled.
        if reply.code == Some(Code(*b"12")) {
            return;
        }
        let Some(slip) = self.slips.get_mut(&owed.imprint.stan) else { return };
        if slip.state == SlipState::Reversed {
            return;
        }
        slip.state = SlipState::Reversed;
        let (kind, link, card) = (slip.kind, slip.link(), slip.imprint.card.clone());
        self.follow(kind, &link, &card, Done::Undone);
    }
}
