//! Gather: what the request says, who sends it, whether it is genuine, whose card it is.

use std::sync::Arc;

use codec::{Envelope, Message};
use domain::shard::Command;
use domain::terms::{BatchNo, Stan};
use keys::{KeyLayout, WorkingKeys};

use super::{Asked, Outgoing, Step, Tell, care, settle};
use crate::clock::Moment;
use crate::facts::{Facts, Guard, SealedKeyring, TerminalEntry, Unsigned};
use crate::message::matrix::{self, NoRow, Row, Transaction};
use crate::message::reply::{self, Reply, Requirement};
use crate::message::request::{self, Origin};
use crate::message::response::ResponseCode;
use crate::telemetry::Suspicion;

/// A request whose sender is known and whose message code is right.
pub(super) struct Genuine<'f> {
    pub(super) facts: &'f Facts,
    pub(super) now: Moment,
    /// When it came, in microseconds.
    arrived: u64,
    envelope: Envelope<'f>,
    pub(super) message: Message<'f>,
    row: &'static Row,
    pub(super) origin: Origin,
    pub(super) entry: Arc<TerminalEntry>,
    pub(super) keys: Option<Arc<WorkingKeys>>,
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

/// Gathers what there is to know about `frame` (TPDU, header, message), which came in the
/// microsecond `arrived`. Changes nothing, save that it marks what is in flight, and what is turned
/// away.
#[must_use]
pub fn gather(facts: &Facts, now: Moment, arrived: u64, frame: &[u8]) -> Step {
    let Ok(envelope) = Envelope::parse(frame) else { return Step::Drop("FRAME_BAD") };
    let (message, error) = match Message::salvage(facts.dialect, envelope.body) {
        Ok(salvaged) => salvaged,
        Err(error) => {
            facts.telemetry.unreadable(&error);
            return Step::Drop(error.code());
        }
    };
    let codes = request::codes(&message);
    let row = match matrix::lookup(&codes) {
        Err(NoRow::NotARequest) => return Step::Drop("MTI_BAD"),
        // Whoever does not say what he asks for is not told that there is no such thing.
        Err(_) if codes.kind.is_none() => Err(ResponseCode::FORMAT_ERROR),
        Err(NoRow::NotOffered) => Err(ResponseCode::NOT_SUPPORTED),
        Err(NoRow::Invalid) => Err(ResponseCode::INVALID_TRANSACTION),
        Ok(row) => Ok(row),
    };
    let refuse = |code, field: u8, row: Option<&Row>| {
        facts.telemetry.refused_unasked(now, &message, row, (code, field));
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
                let why = (ResponseCode::MAC_WRONG, 64);
                facts.telemetry.refused_unasked(now, &message, Some(row), why);
                // Without a message code of its own: to sign what a stranger chose would give him
                // the codes of messages that he can turn into others.
                let code = ResponseCode::MAC_WRONG;
                return answer(facts, now, &envelope, &message, Some(row), None, code, asks);
            }
        }
    } else {
        None
    };
    let genuine = Genuine { facts, now, arrived, envelope, message, row, origin, entry, keys };
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
            let why = (code, field);
            facts.telemetry.refused_unasked(now, &genuine.message, Some(row), why);
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
    if !entry.is_signed_on() {
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
            Step::Drop("ANSWER_FAILED")
        }
    }
}

impl Genuine<'_> {
    fn ask(&self) -> Result<Step, Stop> {
        request::check_form(&self.message, self.row.must)?;
        request::check_chip(&self.message).map_err(|error| {
            self.facts.telemetry.unreadable(&error);
            Stop::Refuse(ResponseCode::FORMAT_ERROR, error.field.0)
        })?;
        match self.row.transaction {
            Transaction::Echo => Ok(self.answer(ResponseCode::APPROVED, Requirement::None)),
            Transaction::SignOn => self.sign_on(),
            Transaction::SignOff => {
                self.keep_pace(Unsigned::Keys)?;
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

    /// True if it has waited so long that there is too much to do.
    pub(super) fn has_waited(&self) -> bool {
        self.now.micros.saturating_sub(self.arrived) > self.facts.rules.wait_micros_max
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
            f62: Some(f62),
            ..Reply::only(ResponseCode::APPROVED, self.now.at)
        };
        write(self.facts, &self.envelope, &self.message, Some(self.row), None, &reply)
    }

    pub(super) fn tell(&self, f62: Option<Vec<u8>>) -> Tell {
        Tell {
            row: self.row,
            terminal: self.origin.terminal,
            entry: Arc::clone(&self.entry),
            keys: self.keys.clone(),
            f62,
            arrived: self.arrived,
        }
    }

    /// Asks the shard of the terminal.
    pub(super) fn ask_own_shard(
        &self,
        command: Command,
        guard: Guard,
        f62: Option<Vec<u8>>,
    ) -> Step {
        let shard = self.origin.terminal.shard();
        Step::Ask(Asked { shard, command, guard, tell: self.tell(f62) })
    }

    pub(super) fn batch(&self) -> Result<BatchNo, Stop> {
        request::batch(&self.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 60))
    }

    pub(super) fn stan(&self) -> Result<Stan, Stop> {
        request::stan(&self.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 11))
    }

    /// Refuses what comes too often without a message code.
    pub(super) fn keep_pace(&self, kind: Unsigned) -> Result<(), Stop> {
        let rules = &self.facts.rules;
        let (most, suspicion) = match kind {
            Unsigned::Keys => (rules.unsigned_per_minute, Suspicion::KeyRate),
            Unsigned::Tmk => (rules.unsigned_per_minute, Suspicion::TmkRate),
            Unsigned::Settlement => (rules.unsigned_per_minute, Suspicion::SettlementRate),
            Unsigned::Upload => (rules.uploads_per_minute, Suspicion::UploadRate),
            Unsigned::Report => (rules.unsigned_per_minute, Suspicion::ReportRate),
        };
        if self.entry.takes(kind, self.now, most) {
            return Ok(());
        }
        self.facts.telemetry.suspect(self.now, suspicion, self.origin.terminal);
        Err(Stop::Refuse(ResponseCode::COUNT_LIMIT, 0))
    }

    fn sign_on(&self) -> Result<Step, Stop> {
        let scheme = self.entry.scheme();
        let asked = request::codes(&self.message).network.unwrap_or_default();
        let layout = KeyLayout::for_request(&asked, scheme.algorithm, scheme.layout)
            .ok_or(Stop::Refuse(ResponseCode::NOT_SUPPORTED, 60))?;
        // A transaction that was verified with the keys of now must not finish under others.
        let alone = self.entry.begin_alone().map_err(|_busy| Stop::Later)?;
        self.keep_pace(Unsigned::Keys)?;
        let (id, tmk) = (&self.origin.terminal.0, self.entry.sealed_tmk());
        let fresh = self.facts.hsm.generate_working_keys(id, &tmk, layout).map_err(|error| {
            tracing::error!(%error, terminal = %self.origin.terminal, "no working keys");
            Stop::Refuse(ResponseCode::MALFUNCTION, 62)
        })?;
        let keyring = SealedKeyring { current: fresh.sealed, older: self.entry.kept_keys() };
        let sealed_keys = serde_json::to_vec(&keyring)
            .map_err(|_error| Stop::Refuse(ResponseCode::MALFUNCTION, 62))?
            .into_boxed_slice();
        let command = Command::SignOn { terminal: self.origin.terminal, sealed_keys };
        Ok(self.ask_own_shard(command, Guard::Alone(alone), Some(fresh.f62)))
    }
}
