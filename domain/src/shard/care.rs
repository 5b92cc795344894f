//! What would be done to look after a terminal.

use super::command::Detail;
use super::{Event, Shard};
use crate::terms::{Refusal, TerminalId, Timestamp};
use crate::txn::{Care, CareList, IssuedTmk, TerminalCare, TmkCare, TmkRequest};

/// The longest report a terminal may make of itself, in bytes.
pub const REPORT_MAX: usize = 256;
/// How many master keys may be made under one permission: a terminal that lost power on the way
/// begins anew.
pub const TMK_ISSUES_MAX: u8 = 8;

impl Shard {
    /// Says what of `care` is new.
    pub(super) fn care(
        &self,
        terminal: TerminalId,
        care: &Care,
        now: Timestamp,
    ) -> Result<(Detail, Option<Event>), Refusal> {
        let known = &self.known(terminal)?.care;
        let is_new = match care {
            Care::Acknowledged { list, version } => known.acknowledged.get(list) != Some(version),
            Care::Reported { text, .. } if text.len() > REPORT_MAX => {
                return Err(Refusal::UploadTooLong);
            }
            Care::Reported { text, version } => {
                let is_met = version.is_none()
                    || known.acknowledged.get(&CareList::Status) == version.as_ref();
                let is_said = known.report.as_ref().is_some_and(|report| report.text == *text);
                !(is_met && is_said)
            }
            Care::TmkIssued(issued) => issues(&known.tmk, issued)?,
            Care::TmkActivated { request } => activates(&known.tmk, *request)?,
        };
        let event = is_new.then(|| Event::Cared { terminal, care: care.clone(), at: now });
        Ok((Detail::Plain, event))
    }
}

/// Says whether a master key is made, or was before.
fn issues(known: &TmkCare, issued: &IssuedTmk) -> Result<bool, Refusal> {
    if let Some(pending) = known.pending.as_ref().filter(|known| known.request == issued.request) {
        // Whoever asks again must be given the key that was made, not another.
        let is_same = pending.sealed == issued.sealed;
        return if is_same { Ok(false) } else { Err(Refusal::DuplicateDiffers) };
    }
    let is_used = known.active.as_ref().is_some_and(|tmk| tmk.enrolment == issued.enrolment);
    if is_used || known.issued_under(issued.enrolment) >= TMK_ISSUES_MAX {
        return Err(Refusal::TerminalMayNot);
    }
    Ok(true)
}

/// Says whether a master key comes into use, or has before.
fn activates(known: &TmkCare, request: TmkRequest) -> Result<bool, Refusal> {
    let is_of = |tmk: &Option<IssuedTmk>| tmk.as_ref().is_some_and(|tmk| tmk.request == request);
    if is_of(&known.active) {
        return Ok(false);
    }
    if is_of(&known.pending) { Ok(true) } else { Err(Refusal::OriginalNotFound) }
}

/// Says whether the books can take in what was done.
pub(crate) fn fits(known: &TerminalCare, care: &Care) -> bool {
    match care {
        Care::Acknowledged { .. } => true,
        Care::Reported { text, .. } => text.len() <= REPORT_MAX,
        Care::TmkIssued(issued) => issues(&known.tmk, issued) == Ok(true),
        Care::TmkActivated { request } => activates(&known.tmk, *request) == Ok(true),
    }
}
