//! Gather: what the request says, who sends it, whether it is genuine, whose card it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codec::{Envelope, Message};
use domain::risk::PinFact;
use domain::shard::{Command, Original, Request, Reversal};
use domain::terms::{Amount, BatchNo, CardId, Refusal, Stan};
use domain::txn::{TxnKey, TxnKind};
use keys::{KeyLayout, Pan12, PinVerdict, WorkingKeys};
use routing::Route;

use super::{Asked, Outgoing, Step, Tell, care, settle};
use crate::clock::Moment;
use crate::facts::{Busy, CardRef, Facts, Found, Guard, SealedKeyring, TerminalEntry};
use crate::message::matrix::{self, NoRow, Row, Transaction};
use crate::message::reply::{self, Reply, Requirement};
use crate::message::request::{self, Origin};
use crate::message::response::ResponseCode;
use crate::telemetry::Suspicion;

/// A request whose sender is known and whose message code is right.
pub(super) struct Genuine<'f> {
    pub(super) facts: &'f Facts,
    pub(super) now: Moment,
    frame: &'f [u8],
    envelope: Envelope<'f>,
    pub(super) message: Message<'f>,
    row: &'static Row,
    pub(super) origin: Origin,
    pub(super) entry: Arc<TerminalEntry>,
    keys: Option<Arc<WorkingKeys>>,
}

/// Why a request is answered without asking a shard.
pub(super) enum Stop {
    /// It is refused: the code, and the field that is to blame, or 0.
    Refuse(ResponseCode, u8),
    /// It must come again later.
    Later,
}

impl From<(ResponseCode, u8)> for Stop {
    fn from((code, field): (ResponseCode, u8)) -> Self {
        Self::Refuse(code, field)
    }
}

/// Gathers what there is to know about `frame` (TPDU, header, message). Changes nothing, save
/// that it marks what is in flight.
#[must_use]
pub fn gather(facts: &Facts, now: Moment, frame: &[u8]) -> Step {
    let Ok(envelope) = Envelope::parse(frame) else { return Step::Drop("frame") };
    let (message, error) = match Message::salvage(facts.dialect, envelope.body) {
        Ok(salvaged) => salvaged,
        Err(error) => {
            facts.telemetry.unreadable(&error);
            return Step::Drop(error.code());
        }
    };
    let row = match matrix::lookup(&request::codes(&message)) {
        Err(NoRow::NotARequest) => return Step::Drop("MTI_BAD"),
        Err(NoRow::NotOffered) => Err(ResponseCode::NOT_SUPPORTED),
        Err(NoRow::Invalid) => Err(ResponseCode::INVALID_TRANSACTION),
        Ok(row) => Ok(row),
    };
    let refuse = |code, field: u8, row| {
        facts.telemetry.refused_unasked(now, code, field);
        answer(facts, now, &envelope, &message, row, None, code, Requirement::None)
    };
    if let Some(error) = error {
        facts.telemetry.unreadable(&error);
        return refuse(request::code_of(&error), error.field.0, row.ok());
    }
    let row = match row {
        Ok(row) => row,
        Err(code) => return refuse(code, 3, None),
    };
    let Some(origin) = Origin::of(&message) else {
        return refuse(ResponseCode::FORMAT_ERROR, 41, Some(row));
    };
    let Some(entry) = facts.terminals.get(origin.terminal) else {
        facts.telemetry.suspect(now, Suspicion::UnknownTerminal, origin.terminal);
        return refuse(ResponseCode::UNKNOWN_TERMINAL, 41, Some(row));
    };
    if entry.merchant() != origin.merchant {
        facts.telemetry.suspect(now, Suspicion::MerchantDiffers, origin.terminal);
        return refuse(ResponseCode::INVALID_MERCHANT, 42, Some(row));
    }
    let mut requirement = Requirement::None;
    let keys = if row.mac {
        match genuine(facts, &message, &entry) {
            Ok(keys) => Some(keys),
            Err(asks) => {
                facts.telemetry.mac_failed();
                facts.telemetry.refused_unasked(now, ResponseCode::MAC_WRONG, 64);
                // Without a message code of its own: to sign what a stranger chose would give him
                // the codes of messages that he can turn into others.
                let code = ResponseCode::MAC_WRONG;
                return answer(facts, now, &envelope, &message, Some(row), None, code, asks);
            }
        }
    } else {
        None
    };
    let genuine = Genuine { facts, now, frame, envelope, message, row, origin, entry, keys };
    match genuine.ask() {
        Ok(step) => step,
        Err(Stop::Later) => Step::Later,
        Err(Stop::Refuse(code, field)) => {
            if code == ResponseCode::BATCH_DIFFERS {
                requirement = Requirement::SignOn;
            }
            if code == ResponseCode::DUPLICATE {
                facts.telemetry.duplicate_differs(now, genuine.origin.terminal);
            }
            facts.telemetry.refused_unasked(now, code, field);
            genuine.answer(code, requirement)
        }
    }
}

/// Verifies the message code; where it is wrong, says what the header shall ask for.
fn genuine(
    facts: &Facts,
    message: &Message<'_>,
    entry: &TerminalEntry,
) -> Result<Arc<WorkingKeys>, Requirement> {
    if entry.keys().is_none() {
        return Err(Requirement::SignOn);
    }
    let (Some(bytes), Some(code)) = (message.mac_input(), message.raw(64)) else {
        return Err(Requirement::None);
    };
    entry.verify_mac(facts.hsm.as_ref(), bytes, code).map_err(|wrong| {
        let is_enough = wrong.in_a_row >= facts.rules.mac_errors_max;
        if is_enough { Requirement::SignOn } else { Requirement::None }
    })
}

#[expect(clippy::too_many_arguments, reason = "one answer has these parts, and one caller each")]
fn answer(
    facts: &Facts,
    now: Moment,
    envelope: &Envelope<'_>,
    message: &Message<'_>,
    row: Option<&Row>,
    keys: Option<(&WorkingKeys, keys::MacAlgorithm)>,
    code: ResponseCode,
    requirement: Requirement,
) -> Step {
    let reply = Reply { requirement, ..Reply::only(code, now.at) };
    write(facts, envelope, message, row, keys, &reply)
}

fn write(
    facts: &Facts,
    envelope: &Envelope<'_>,
    message: &Message<'_>,
    row: Option<&Row>,
    keys: Option<(&WorkingKeys, keys::MacAlgorithm)>,
    reply: &Reply<'_>,
) -> Step {
    let mut bytes = Vec::new();
    match reply::write(facts, envelope, message, row, keys, reply, &mut bytes) {
        Ok(()) => Step::Answer(Outgoing { bytes, code: reply.code }),
        Err(error) => {
            tracing::error!(%error, "an answer could not be built");
            Step::Drop("answer")
        }
    }
}

impl Genuine<'_> {
    fn ask(&self) -> Result<Step, Stop> {
        request::check_form(&self.message, self.row.must)?;
        match self.row.transaction {
            Transaction::Echo => Ok(self.answer(ResponseCode::APPROVED, Requirement::None)),
            Transaction::SignOn => self.sign_on(),
            Transaction::SignOff => {
                let command = Command::SignOff(self.origin.terminal);
                Ok(self.ask_own_shard(command, Guard::Free, None))
            }
            Transaction::Card(kind) => self.transact(kind),
            Transaction::Reversal(kind) => self.reverse(kind),
            Transaction::Settlement => settle::close(self),
            Transaction::UploadStripe => settle::upload_stripe(self),
            Transaction::UploadDetail => settle::upload_detail(self),
            Transaction::UploadEnd => settle::end(self),
            Transaction::Care(errand) => care::run(self, errand),
        }
    }

    /// Answers with a code, without asking a shard.
    pub(super) fn answer(&self, code: ResponseCode, requirement: Requirement) -> Step {
        let keys = self.keys.as_deref().map(|keys| (keys, self.entry.scheme().mac));
        let (envelope, message) = (&self.envelope, &self.message);
        let requirement = if requirement == Requirement::None {
            care::requirement(self.facts, self.origin.terminal, &self.entry)
        } else {
            requirement
        };
        answer(self.facts, self.now, envelope, message, Some(self.row), keys, code, requirement)
    }

    /// Answers "approved" with this F62, without asking a shard.
    pub(super) fn answer_with(&self, f62: &[u8]) -> Step {
        let requirement = care::requirement(self.facts, self.origin.terminal, &self.entry);
        let reply = Reply {
            requirement,
            keys: Some(f62),
            ..Reply::only(ResponseCode::APPROVED, self.now.at)
        };
        write(self.facts, &self.envelope, &self.message, Some(self.row), None, &reply)
    }

    fn tell(&self, key_block: Option<Vec<u8>>) -> Tell {
        Tell {
            frame: self.frame.to_vec(),
            row: self.row,
            terminal: self.origin.terminal,
            entry: Arc::clone(&self.entry),
            keys: self.keys.clone(),
            key_block,
            arrived: self.now,
        }
    }

    /// Asks the shard of the terminal.
    pub(super) fn ask_own_shard(
        &self,
        command: Command,
        guard: Guard,
        key_block: Option<Vec<u8>>,
    ) -> Step {
        let shard = self.origin.terminal.shard();
        Step::Ask(Box::new(Asked { shard, command, guard, tell: self.tell(key_block) }))
    }

    pub(super) fn batch(&self) -> Result<BatchNo, Stop> {
        request::batch(&self.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 60))
    }

    pub(super) fn stan(&self) -> Result<Stan, Stop> {
        request::stan(&self.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 11))
    }

    fn sign_on(&self) -> Result<Step, Stop> {
        let scheme = self.entry.scheme();
        let asked = request::codes(&self.message).network.unwrap_or_default();
        let layout = KeyLayout::for_request(&asked, scheme.algorithm, scheme.layout)
            .ok_or(Stop::Refuse(ResponseCode::NOT_SUPPORTED, 60))?;
        let (id, tmk) = (&self.origin.terminal.0, self.entry.sealed_tmk());
        let fresh = self.facts.hsm.generate_working_keys(id, &tmk, layout).map_err(|error| {
            tracing::error!(%error, terminal = %self.origin.terminal, "no working keys");
            Stop::Refuse(ResponseCode::MALFUNCTION, 62)
        })?;
        // A transaction that was verified with the keys of now must not finish under others.
        let alone = self.entry.begin_alone().map_err(|_busy| Stop::Later)?;
        let keyring = SealedKeyring { current: fresh.sealed, older: self.entry.kept_keys() };
        let sealed_keys = serde_json::to_vec(&keyring)
            .map_err(|_error| Stop::Refuse(ResponseCode::MALFUNCTION, 62))?
            .into_boxed_slice();
        let command = Command::SignOn { terminal: self.origin.terminal, sealed_keys };
        Ok(self.ask_own_shard(command, Guard::Alone(alone), Some(fresh.f62)))
    }

    fn transact(&self, kind: TxnKind) -> Result<Step, Stop> {
        request::check_currency(&self.message).or_else(|stop| match kind {
            TxnKind::Inquiry => Ok(()),
            TxnKind::Sale | TxnKind::Void | TxnKind::Refund => Err(stop),
        })?;
        // Not refused, because nobody could remember that: the terminal gives up and reverses, and
        // for reversals there is room.
        if kind == TxnKind::Sale && !self.facts.has_room.load(Ordering::Relaxed) {
            return Ok(Step::Drop("NO_ROOM"));
        }
        let amount = match kind {
            TxnKind::Inquiry => Amount::ZERO,
            TxnKind::Sale | TxnKind::Void | TxnKind::Refund => self.amount()?,
        };
        let (batch, stan) = (self.batch()?, self.stan()?);
        let (card, pan) = self.card()?;
        let pin = self.pin(&card, &pan)?;
        let original = matches!(kind, TxnKind::Void | TxnKind::Refund).then(|| {
            let said = request::original(&self.message);
            let known = said.batch.zip(said.stan);
            let made_with = known.and_then(|(batch, stan)| self.entry.card_of(batch, stan));
            let other_card = made_with.is_some_and(|other| other != card.card);
            Original { other_card, ..said }
        });
        let claim = self.entry.begin(batch, stan, card.card).map_err(|busy| match busy {
            Busy::Barred => Stop::Refuse(ResponseCode::ALREADY_UNDONE, 11),
            Busy::TakenByOtherCard => Stop::Refuse(ResponseCode::DUPLICATE, 11),
            Busy::InFlight => Stop::Later,
        })?;
        let only_repeats = if !claim.batch_is_open {
            Some(Refusal::BatchDiffers)
        } else if kind == TxnKind::Refund && !self.entry.may_refund() {
            Some(Refusal::TerminalMayNot)
        } else {
            None
        };
        let request = Request {
            key: TxnKey { terminal: self.origin.terminal, batch, stan },
            kind,
            card: card.card,
            merchant: self.origin.merchant,
            amount,
            pin,
            original,
            only_repeats,
        };
        Ok(self.ask_card(card.card, Command::Transact(request), Guard::Claim(claim)))
    }

    fn reverse(&self, kind: TxnKind) -> Result<Step, Stop> {
        let (batch, stan, amount) = (self.batch()?, self.stan()?, self.amount()?);
        let key = TxnKey { terminal: self.origin.terminal, batch, stan };
        let named = if self.message.has(2) || self.message.has(35) {
            self.card().ok().map(|(card, _pan)| card.card)
        } else {
            None
        };
        let made_with = self.entry.card_of(batch, stan);
        let card = match (made_with, named) {
            // It names another card than the original was made with: not the original's reversal.
            (Some(made_with), Some(named)) if made_with != named => {
                return Err(Stop::Refuse(ResponseCode::NOT_FOUND, 2));
            }
            (Some(card), _) | (None, Some(card)) => card,
            (None, None) => match self.entry.find_or_bar(batch, stan) {
                Found::Card(card) => card,
                Found::Settled => {
                    return Err(Stop::Refuse(ResponseCode::INVALID_TRANSACTION, 60));
                }
                Found::Barred => {
                    return Ok(self.ask_own_shard(Command::Bar(key), Guard::Free, None));
                }
            },
        };
        let claim = self.entry.begin_reversal(batch, stan, card).map_err(|_closing| Stop::Later)?;
        let reversal = Reversal {
            key,
            kind,
            card,
            merchant: self.origin.merchant,
            amount,
            batch_is_open: claim.batch_is_open,
        };
        Ok(self.ask_card(card, Command::Reverse(reversal), Guard::Claim(claim)))
    }

    fn ask_card(&self, card: CardId, command: Command, guard: Guard) -> Step {
        let tell = self.tell(None);
        Step::Ask(Box::new(Asked { shard: card.shard(), command, guard, tell }))
    }

    fn amount(&self) -> Result<Amount, Stop> {
        request::amount(&self.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 4))
    }

    /// Finds the card and the part of its number that PIN blocks are bound to.
    fn card(&self) -> Result<(CardRef, Pan12), Stop> {
        let mut track = [0_u8; 37];
        let mut length = 0;
        if let Some(field) = self.message.digits(35) {
            length = field.len();
            if field.copy_to(&mut track).is_none() {
                return Err(Stop::Refuse(ResponseCode::FORMAT_ERROR, 35));
            }
        }
        let swiped = track.get_mut(..length).filter(|track| !track.is_empty());
        let swiped = match (swiped, self.keys.as_deref()) {
            (Some(track), Some(keys)) if request::has_encrypted_track(&self.message) => {
                let clear = self.facts.hsm.decrypt_track(keys, track);
                clear.map_err(|_error| Stop::Refuse(ResponseCode::FORMAT_ERROR, 35))?;
                Some(&*track)
            }
            (track, _) => track.map(|track| &*track),
        };
        let card = request::card(&self.message, swiped).inspect_err(|_refused| {
            if request::names_two_cards(&self.message, swiped) {
                self.facts.telemetry.suspect(self.now, Suspicion::TwoCards, self.origin.terminal);
            }
        })?;
        match self.facts.routes.route(&card.pan) {
            Route::Own => {}
            Route::Unknown => return Err(Stop::Refuse(ResponseCode::NO_ISSUER, 2)),
            Route::Disabled => return Err(Stop::Refuse(ResponseCode::ISSUER_DOWN, 2)),
            Route::Partner(_) => return Err(Stop::Refuse(ResponseCode::NO_LINE, 2)),
        }
        let digits = card.pan.digits();
        let found = self.facts.cards.get(&self.facts.hsm.pan_index(digits));
        let unknown = Stop::Refuse(ResponseCode::INVALID_CARD, 2);
        let pan = Pan12::from_pan(digits);
        found.zip(pan).ok_or(unknown)
    }

    /// Has the PIN verified. What becomes of the verdict is the shard's to say.
    fn pin(&self, card: &CardRef, pan: &Pan12) -> Result<PinFact, Stop> {
        let Some(field) = request::pin(&self.message)? else { return Ok(PinFact::Absent) };
        let (Some(keys), Some(expected)) = (self.keys.as_deref(), &card.pin) else {
            return Ok(PinFact::Wrong);
        };
        let hsm = &self.facts.hsm;
        let verdict = hsm.verify_pin(keys, field.block, field.format, pan, card.card.0, expected);
        Ok(match verdict {
            PinVerdict::Right => PinFact::Right,
            PinVerdict::Wrong => PinFact::Wrong,
        })
    }
}
