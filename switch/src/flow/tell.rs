//! Tell: the shard's answer, as the terminal understands it.

use codec::{Envelope, Message};
use domain::faults::{self, Fault};
use domain::shard::{Answer, Detail};
use domain::terms::Refusal;
use domain::txn::TxnKind;

use super::{Outgoing, Tell, care};
use crate::clock::Moment;
use crate::facts::Facts;
use crate::message::errand::Errand;
use crate::message::matrix::Transaction;
use crate::message::reply::{self, Left, Reference, Reply, Requirement};
use crate::message::request;
use crate::message::response::{self, ResponseCode};
use crate::telemetry::Line;

/// Bytes that nearly every answer has room in.
const ANSWER: usize = 192;

/// Builds the answer to the request that came as `frame` (TPDU, header, message), in the room of
/// `bytes`, counts it and logs it. `None` if it is too late for the terminal to take it: what was
/// decided stands, and the terminal reverses or asks again.
#[must_use]
pub fn tell(
    facts: &Facts,
    now: Moment,
    (frame, tell): (&[u8], &Tell),
    answer: &Answer,
    mut bytes: Vec<u8>,
) -> Option<Outgoing> {
    let micros = now.micros.saturating_sub(tell.arrived);
    if micros > facts.rules.answer_micros_max && !faults::is_planted(Fault::LateAnswerSent) {
        facts.telemetry.too_late();
        return None;
    }
    let envelope = Envelope::parse(frame).ok()?;
    let message = Message::parse(facts.dialect, envelope.body).ok()?;
    let code = code_of(tell.row.transaction, &message, answer);
    let mut reply = reply_of(tell, &message, answer, code);
    if reply.requirement == Requirement::None {
        reply.requirement = care::requirement(facts, tell.terminal, &tell.entry);
    }
    let mac = tell.entry.scheme().mac;
    let keys = tell.keys.as_deref().map(|keys| (keys, mac));
    bytes.clear();
    bytes.reserve(ANSWER);
    let row = Some(tell.row);
    if let Err(error) = reply::write(facts, &envelope, &message, row, keys, &reply, &mut bytes) {
        tracing::error!(%error, terminal = %tell.terminal, "an answer could not be built");
        return None;
    }
    facts.telemetry.told(&Line {
        transaction: tell.row.transaction,
        code,
        terminal: tell.terminal,
        message: &message,
        reference: reply.rrn,
        now,
        micros,
    });
    Some(Outgoing { bytes, code: Some(code) })
}

/// Builds the refusal of a request that no shard decided, nor ever will. `None` if that would not
/// stay true, or comes too late: then the terminal reverses or asks again.
#[must_use]
pub fn turn_away(
    facts: &Facts,
    now: Moment,
    (frame, tell): (&[u8], &Tell),
    mut bytes: Vec<u8>,
) -> Option<Outgoing> {
    let can_be = matches!(tell.row.transaction, Transaction::Card(kind) if !kind.is_told());
    let is_late = now.micros.saturating_sub(tell.arrived) > facts.rules.answer_micros_max;
    if !can_be || is_late {
        return None;
    }
    let envelope = Envelope::parse(frame).ok()?;
    let message = Message::parse(facts.dialect, envelope.body).ok()?;
    let (batch, stan) = request::batch(&message).zip(request::stan(&message))?;
    if !tell.entry.turn_away(batch, stan) {
        return None;
    }
    let (row, code) = (Some(tell.row), ResponseCode::MALFUNCTION);
    let keys = tell.keys.as_deref().map(|keys| (keys, tell.entry.scheme().mac));
    let reply = Reply::only(code, now.at);
    bytes.clear();
    reply::write(facts, &envelope, &message, row, keys, &reply, &mut bytes).ok()?;
    facts.telemetry.refused_unasked(now, &message, row, (code, 0));
    Some(Outgoing { bytes, code: Some(code) })
}

fn code_of(transaction: Transaction, message: &Message<'_>, answer: &Answer) -> ResponseCode {
    match answer.verdict {
        Ok(()) if is_in_part(transaction, message, answer) => ResponseCode::APPROVED_IN_PART,
        Ok(()) => ResponseCode::APPROVED,
        Err(refusal) if matches!(transaction, Transaction::Reversal(_)) => {
            response::of_reversal(refusal)
        }
        Err(refusal) => refusal.into(),
    }
}

/// True if less was approved than asked for.
fn is_in_part(transaction: Transaction, message: &Message<'_>, answer: &Answer) -> bool {
    match (transaction, &answer.detail) {
        (Transaction::Card(TxnKind::Sale), Detail::Approval { approved, .. }) => {
            request::amount(message).is_some_and(|asked| *approved < asked)
        }
        _ => false,
    }
}

fn reply_of<'t>(
    tell: &'t Tell,
    message: &Message<'_>,
    answer: &Answer,
    code: ResponseCode,
) -> Reply<'t> {
    let mut reply =
        Reply { date: answer.date, rrn: reference_of(answer), ..Reply::only(code, answer.at) };
    if answer.verdict == Err(Refusal::BatchDiffers) {
        reply.requirement = Requirement::SignOn;
    }
    match &answer.detail {
        Detail::Plain => {
            let is_new_tmk = tell.row.transaction == Transaction::Care(Errand::NewTmk);
            reply.f62 = tell.f62.as_deref().filter(|_| is_new_tmk && answer.verdict.is_ok());
        }
        Detail::Ended(_) => {}
        Detail::Approval { auth, approved, available, .. } => {
            reply.auth = Some(*auth);
            let asked = request::amount(message).unwrap_or_default();
            if code == ResponseCode::APPROVED_IN_PART {
                reply.amount = Some(*approved);
                reply.due = Some(asked.minus(*approved));
            }
            if request::takes_part(message) {
                let of_points =
                    matches!(tell.row.transaction, Transaction::Card(kind) if kind.is_of_points());
                let left = if of_points { Left::Points } else { Left::Money };
                reply.left = Some(left(*available));
            }
        }
        Detail::Balance { available, .. } => reply.left = Some(Left::Money(*available)),
        Detail::Points(points) => reply.left = Some(Left::Points(*points)),
        Detail::Room(room) => reply.room = Some(*room),
        Detail::Batch(batch) => {
            if tell.row.transaction == Transaction::SignOn {
                reply.batch = Some(*batch);
                reply.f62 = tell.f62.as_deref();
            }
        }
        Detail::Closed(closing) => {
            // The answer to a settlement carries flags instead of a code.
            reply.code = None;
            reply.totals = Some((closing.claimed, closing.is_balanced()));
        }
        Detail::Uploaded(count) => reply.taken = uploaded(tell.row.transaction, *count),
    }
    reply
}

/// A refusal that leaves no entry has no reference of one: the number would be the next entry's.
const fn reference_of(answer: &Answer) -> Reference {
    match answer.verdict {
        Err(Refusal::BatchDiffers | Refusal::DuplicateDiffers) => Reference::Moment(answer.at),
        Ok(()) | Err(_) => Reference::Entry(answer.rrn),
    }
}

/// Only an upload in F48 is told how much of it was taken in.
fn uploaded(transaction: Transaction, count: u32) -> Option<(u32, usize)> {
    (transaction == Transaction::UploadStripe).then_some((count, 2))
}
