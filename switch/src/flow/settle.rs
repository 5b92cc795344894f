//! Gather, for a terminal's settlement.

use domain::shard::{Command, Upload};
use domain::terms::{Amount, Stan};

use super::Step;
use super::gather::{Genuine, Stop};
use crate::facts::{Guard, Unsigned};
use crate::message::request;
use crate::message::response::ResponseCode;

/// A settlement (0500): waits until nothing of the terminal is in flight, then counts.
pub(super) fn close(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let claimed =
        request::totals(&genuine.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 48))?;
    let batch = genuine.batch()?;
    if !genuine.entry.may_close(batch) {
        return Err(Stop::Refuse(ResponseCode::BATCH_DIFFERS, 60));
    }
    let alone = genuine.entry.begin_alone().map_err(|_busy| Stop::Later)?;
    genuine.keep_pace(Unsigned::Settlement)?;
    let terminal = genuine.origin.terminal;
    let command = Command::CloseBatch { terminal, batch, claimed, counted: alone.totals() };
    Ok(genuine.ask_own_shard(command, Guard::Alone(alone), None))
}

/// Up to eight details of stripe transactions (0320, 201).
pub(super) fn upload_stripe(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let details =
        request::details(&genuine.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 48))?;
    upload(genuine, details)
}

/// One detail in the fields of its transaction (0320, 203 to 206).
pub(super) fn upload_detail(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let amount =
        request::amount(&genuine.message).ok_or(Stop::Refuse(ResponseCode::FORMAT_ERROR, 4))?;
    let stan = genuine.stan()?;
    upload(genuine, vec![(stan, amount)])
}

fn upload(genuine: &Genuine<'_>, details: Vec<(Stan, Amount)>) -> Result<Step, Stop> {
    genuine.keep_pace(Unsigned::Upload)?;
    let upload = Upload { terminal: genuine.origin.terminal, batch: genuine.batch()?, details };
    Ok(genuine.ask_own_shard(Command::Upload(upload), Guard::Free, None))
}

/// The end of an upload (0320, 202 or 207): waits until its settlement is through, because what was
/// booked is known only then.
pub(super) fn end(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let batch = genuine.batch()?;
    let alone = genuine.entry.begin_alone().map_err(|_busy| Stop::Later)?;
    genuine.keep_pace(Unsigned::Upload)?;
    let booked = genuine.entry.closed_slips(batch);
    let terminal = genuine.origin.terminal;
    let command = Command::EndBatch { terminal, batch, booked };
    Ok(genuine.ask_own_shard(command, Guard::Alone(alone), None))
}
