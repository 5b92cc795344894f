//! Gather, for a terminal that is looked after: lists, reports, master keys.
//!
//! Nothing of this carries a message code in the dialect, so nothing of it is a secret, and
//! whoever names a terminal may say that it has what it has not. A new master key is the
//! exception: it is made only for a terminal with a permission, under its conditions.

use domain::shard::{Command, REPORT_MAX, TMK_ISSUES_MAX};
use domain::terms::TerminalId;
use domain::txn::{Care, CareList, IssuedTmk, TmkRequest};
use keys::{KeyError, SealedKey, WrappedTmk};
use sha2::{Digest, Sha256};

use super::Step;
use super::gather::{Genuine, Stop};
use crate::facts::{Facts, Guard, Permission, TerminalEntry, Unsigned, objects};
use crate::message::errand::{self, Errand};
use crate::message::reply::Requirement;
use crate::message::response::ResponseCode;

/// What a terminal that lacks something is asked for; the first that it lacks.
const ORDER: [(CareList, Requirement); 5] = [
    (CareList::Parameters, Requirement::Parameters),
    (CareList::CaKeys, Requirement::CaKeys),
    (CareList::Aids, Requirement::Aids),
    (CareList::Blacklist, Requirement::Blacklist),
    (CareList::Status, Requirement::Status),
];
/// In how many digits a terminal counts the keys and applications it has.
const ENTRY_DIGITS: usize = 2;
/// In how many digits a terminal counts the listed cards it has.
const CARD_DIGITS: usize = 6;

/// Says what the header of an answer asks of a terminal that need not sign on.
pub(super) fn requirement(facts: &Facts, id: TerminalId, entry: &TerminalEntry) -> Requirement {
    let lacks = |list| facts.care.version(list, id).is_some_and(|v| !entry.has(list, v));
    let first = ORDER.iter().find(|(list, _)| lacks(*list));
    first.map_or(Requirement::None, |(_, requirement)| *requirement)
}

/// Does what the terminal came for.
pub(super) fn run(genuine: &Genuine<'_>, errand: Errand) -> Result<Step, Stop> {
    match errand {
        Errand::Fetch(CareList::Parameters) => parameters(genuine),
        Errand::Query(list) => part(genuine, list, ENTRY_DIGITS),
        Errand::Fetch(CareList::Blacklist) => part(genuine, CareList::Blacklist, CARD_DIGITS),
        Errand::Fetch(list) => entry(genuine, list),
        Errand::End(list) => end(genuine, list),
        Errand::Report => report(genuine),
        Errand::HostKey => host_key(genuine),
        Errand::NewTmk => new_tmk(genuine),
        Errand::UseTmk => use_tmk(genuine),
    }
}

const NOT_OFFERED: Stop = Stop::Refuse(ResponseCode::NOT_SUPPORTED, 60);
const MALFORMED: Stop = Stop::Refuse(ResponseCode::FORMAT_ERROR, 62);
const NOT_PERMITTED: Stop = Stop::Refuse(ResponseCode::NOT_PERMITTED_TO_TERMINAL, 41);

fn parameters(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let id = genuine.origin.terminal;
    let sheet = genuine.facts.care.parameters(id).ok_or(NOT_OFFERED)?;
    gave(genuine, CareList::Parameters);
    Ok(genuine.answer_with(sheet))
}

/// What a list has, from where the terminal is: as much as one answer takes.
fn part(genuine: &Genuine<'_>, list: CareList, digits: usize) -> Result<Step, Stop> {
    let care = &genuine.facts.care;
    care.version(list, genuine.origin.terminal).ok_or(NOT_OFFERED)?;
    let start = errand::start(&genuine.message, digits).ok_or(MALFORMED)?;
    let part = care.part(list, start).ok_or(MALFORMED)?;
    if part.is_last {
        gave(genuine, list);
    }
    Ok(genuine.answer_with(&part.bytes))
}

/// One key, or one application.
fn entry(genuine: &Genuine<'_>, list: CareList) -> Result<Step, Stop> {
    let key = match list {
        CareList::CaKeys => {
            let named = errand::objects(&genuine.message, [errand::NAME, errand::INDEX]);
            // Put together, a shorter scheme with a longer number must not look like another.
            let named = named.filter(|[rid, index]| (rid.len(), index.len()) == (5, 1));
            named.map(|[rid, index]| [rid, index].concat())
        }
        CareList::Parameters | CareList::Status | CareList::Aids | CareList::Blacklist => {
            errand::objects(&genuine.message, [errand::NAME]).map(|[name]| name.to_vec())
        }
    };
    let entry = genuine.facts.care.entry(list, &key.ok_or(MALFORMED)?).ok_or(NOT_OFFERED)?;
    Ok(genuine.answer_with(&entry))
}

fn gave(genuine: &Genuine<'_>, list: CareList) {
    if let Some(version) = genuine.facts.care.version(list, genuine.origin.terminal) {
        genuine.entry.gave(list, version);
    }
}

/// The terminal has what it was given. If this node gave it nothing since it started, it may be
/// that it was given something else before: then it is answered, and asked again.
fn end(genuine: &Genuine<'_>, list: CareList) -> Result<Step, Stop> {
    let terminal = genuine.origin.terminal;
    genuine.facts.care.version(list, terminal).ok_or(NOT_OFFERED)?;
    Ok(match genuine.entry.given(list) {
        Some(version) => ask(genuine, Care::Acknowledged { list, version }, Guard::Free, None),
        None => genuine.answer(ResponseCode::APPROVED, Requirement::None),
    })
}

fn report(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let text = errand::report(&genuine.message, REPORT_MAX).ok_or(MALFORMED)?;
    genuine.keep_pace(Unsigned::Report)?;
    let version = genuine.facts.care.version(CareList::Status, genuine.origin.terminal);
    Ok(ask(genuine, Care::Reported { text: text.into(), version }, Guard::Free, None))
}

/// The host's public RSA key. The terminal must know its fingerprint: anybody could send one.
fn host_key(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let permission = permission(genuine)?;
    let public = genuine.facts.care.host_key().ok_or(NOT_OFFERED)?.public();
    let padding = match permission.padding {
        keys::TransportPadding::OaepSha256 => 1,
        keys::TransportPadding::Pkcs1V15 => 2,
    };
    let sent = objects([
        (errand::PADDING, &[padding][..]),
        (errand::MODULUS, &public.modulus),
        (errand::EXPONENT, &public.exponent),
        (errand::CHECK, &public.fingerprint()),
    ]);
    Ok(genuine.answer_with(&[b"1", &*sent].concat()))
}

/// A new master key, under the transport key that came. A repeat gets the same again.
fn new_tmk(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let permission = permission(genuine)?;
    check_signed(genuine, permission)?;
    let named = errand::objects(&genuine.message, [errand::SERIAL, errand::TRANSPORT]);
    let [serial, wrapped] = named.ok_or(MALFORMED)?;
    if *serial != *permission.serial {
        return Err(NOT_PERMITTED);
    }
    genuine.keep_pace(Unsigned::Tmk)?;
    // Two copies of one request must not be given two keys.
    let alone = genuine.entry.begin_alone().map_err(|_busy| Stop::Later)?;
    let request = request_of(permission, wrapped);
    let known = genuine.entry.tmk_care();
    let mut made = [&known.pending, &known.active].into_iter().flatten();
    if let Some(made) = made.find(|tmk| tmk.request == request) {
        let sealed = SealedKey::from_bytes(made.sealed.to_vec());
        return Ok(genuine.answer_with(&f62_of(&wrap(genuine, permission, &sealed, wrapped)?)));
    }
    let is_spent = known.issued_under(permission.enrolment) >= TMK_ISSUES_MAX;
    let is_used =
        known.active.as_ref().is_some_and(|tmk| tmk.enrolment == permission.enrolment) || is_spent;
    if is_used || genuine.now.at > permission.until {
        return Err(NOT_PERMITTED);
    }
    let (id, algorithm) = (&genuine.origin.terminal.0, genuine.entry.scheme().algorithm);
    let sealed = genuine.facts.hsm.generate_tmk(id, algorithm).map_err(|e| fault(genuine, &e))?;
    let f62 = f62_of(&wrap(genuine, permission, &sealed, wrapped)?);
    let enrolment = permission.enrolment;
    let issued = IssuedTmk { enrolment, request, sealed: sealed.as_bytes().into() };
    Ok(ask(genuine, Care::TmkIssued(issued), Guard::Alone(alone), Some(f62)))
}

/// The new master key comes into use. Until here the old one was good, and it stays so unless the
/// terminal proves that it has the new one.
fn use_tmk(genuine: &Genuine<'_>) -> Result<Step, Stop> {
    let [proof] = errand::objects(&genuine.message, [errand::TMK_PROOF]).ok_or(MALFORMED)?;
    genuine.keep_pace(Unsigned::Tmk)?;
    let (hsm, id) = (&genuine.facts.hsm, &genuine.origin.terminal.0);
    let is_proven = |tmk: &IssuedTmk| {
        let sealed = SealedKey::from_bytes(tmk.sealed.to_vec());
        hsm.verify_tmk_proof(id, &sealed, proof).is_ok()
    };
    let known = genuine.entry.tmk_care();
    if known.active.as_ref().is_some_and(is_proven) {
        return Ok(genuine.answer(ResponseCode::APPROVED, Requirement::None));
    }
    let pending = known.pending.filter(is_proven);
    let pending = pending.ok_or(Stop::Refuse(ResponseCode::NOT_FOUND, 62))?;
    let permission = permission(genuine)?;
    if permission.enrolment != pending.enrolment {
        return Err(NOT_PERMITTED);
    }
    check_signed(genuine, permission)?;
    // No sign-on may be under way, whose keys would come under the master key of before.
    let alone = genuine.entry.begin_alone().map_err(|_busy| Stop::Later)?;
    let care = Care::TmkActivated { request: pending.request };
    Ok(ask(genuine, care, Guard::Alone(alone), None))
}

fn permission<'f>(genuine: &Genuine<'f>) -> Result<&'f Permission, Stop> {
    genuine.facts.care.permission(genuine.origin.terminal).ok_or(NOT_PERMITTED)
}

/// Verifies the message code, where the permission asks for one.
fn check_signed(genuine: &Genuine<'_>, permission: &Permission) -> Result<(), Stop> {
    if !permission.signed {
        return Ok(());
    }
    let signed = genuine.message.mac_input().zip(genuine.message.raw(64));
    let verified = signed
        .and_then(|(bytes, code)| genuine.entry.verify_mac(&*genuine.facts.hsm, bytes, code).ok());
    verified.map(|_keys| ()).ok_or_else(|| {
        genuine.facts.telemetry.mac_failed();
        Stop::Refuse(ResponseCode::MAC_WRONG, 64)
    })
}

fn request_of(permission: &Permission, wrapped: &[u8]) -> TmkRequest {
    let digest = Sha256::new().chain_update(permission.enrolment.0).chain_update(wrapped);
    let digest: [u8; 32] = digest.finalize().into();
    TmkRequest(digest.first_chunk().copied().unwrap_or_default())
}

fn wrap(
    genuine: &Genuine<'_>,
    permission: &Permission,
    sealed: &SealedKey,
    wrapped: &[u8],
) -> Result<WrappedTmk, Stop> {
    let (facts, id) = (genuine.facts, &genuine.origin.terminal.0);
    let key = facts.care.host_key().ok_or(NOT_OFFERED)?;
    facts.hsm.wrap_tmk(id, sealed, key, permission.padding, wrapped).map_err(|error| {
        if error == KeyError::TransportRefused { MALFORMED } else { fault(genuine, &error) }
    })
}

fn f62_of(tmk: &WrappedTmk) -> Vec<u8> {
    let sent = [(errand::TMK, &tmk.cipher_text[..]), (errand::TMK_CHECK, &tmk.check)];
    [b"1", &*objects(sent)].concat()
}

fn fault(genuine: &Genuine<'_>, error: &KeyError) -> Stop {
    tracing::error!(%error, terminal = %genuine.origin.terminal, "no new master key");
    Stop::Refuse(ResponseCode::MALFUNCTION, 62)
}

fn ask(genuine: &Genuine<'_>, care: Care, guard: Guard, f62: Option<Vec<u8>>) -> Step {
    let command = Command::Care { terminal: genuine.origin.terminal, care };
    genuine.ask_own_shard(command, guard, f62)
}
