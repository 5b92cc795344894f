//! How terminals are looked after: lists, reports, master keys.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]

use std::fmt::Write as _;

use domain::books::{Books, Violation};
use domain::issuing::Rights;
use domain::shard::{Command, Decision, Event, REPORT_MAX, Shard, TMK_ISSUES_MAX};
use domain::terms::{MerchantId, Refusal, ShardNo, TerminalId, Timestamp};
use domain::txn::{
    Care, CareList, Enrolment, IssuedTmk, TerminalProfile, TmkCare, TmkRequest, Version,
};
use proptest::prelude::*;

const MERCHANT: MerchantId = MerchantId(*b"M00000000000001");
const NOW: Timestamp = Timestamp(1_795_334_400_000);

fn profile(merchant: MerchantId) -> TerminalProfile {
    TerminalProfile {
        merchant,
        sealed_tmk: [9; 40].into(),
        scheme: "classic".into(),
        rights: Rights::ALL,
    }
}

fn numbered(number: u32) -> TerminalId {
    TerminalId::parse(format!("T{number:07}").as_bytes()).unwrap()
}

fn terminal() -> TerminalId {
    numbered(1)
}

/// The books of one terminal, in which whatever is decided is inspected before it is done.
struct Desk(Books);

impl Desk {
    fn new() -> Self {
        let mut desk = Self(Books::default());
        let profile = profile(MERCHANT);
        desk.ask(&Command::RegisterTerminal { terminal: terminal(), profile }).unwrap();
        desk
    }

    fn shard(&self) -> &Shard {
        self.0.shard(home())
    }

    fn decide(&self, command: &Command) -> Decision {
        self.shard().decide(command, NOW)
    }

    /// Returns whether the command did anything, or why it was refused.
    fn ask(&mut self, command: &Command) -> Result<bool, Refusal> {
        let Decision { answer, event } = self.decide(command);
        if let Some(event) = &event {
            assert_eq!(self.0.inspect(home(), event), Ok(()));
            self.0.apply(home(), event);
        }
        answer.verdict.map(|()| event.is_some())
    }

    fn care(&mut self, care: Care) -> Result<bool, Refusal> {
        self.ask(&Command::Care { terminal: terminal(), care })
    }

    fn tmk(&self) -> &TmkCare {
        &self.shard().terminal(terminal()).unwrap().care.tmk
    }

    /// Returns what the terminal has, in words.
    fn has(&self) -> String {
        let care = &self.shard().terminal(terminal()).unwrap().care;
        let mut has = String::new();
        for (list, version) in &care.acknowledged {
            write!(has, "{list:?}={} ", version.0[0]).unwrap();
        }
        if let Some(report) = &care.report {
            write!(has, "report={} ", report.text.escape_ascii()).unwrap();
        }
        let name = |tmk: &Option<IssuedTmk>| tmk.as_ref().map_or(0, |tmk| tmk.sealed[0]);
        write!(has, "next={} own={}", name(&care.tmk.pending), name(&care.tmk.active)).unwrap();
        has
    }
}

fn home() -> ShardNo {
    terminal().shard()
}

fn issue(enrolment: u8, request: u8, key: u8) -> Care {
    let (enrolment, request) = (Enrolment([enrolment; 8]), TmkRequest([request; 16]));
    Care::TmkIssued(IssuedTmk { enrolment, request, sealed: [key; 40].into() })
}

fn activate(request: u8) -> Care {
    Care::TmkActivated { request: TmkRequest([request; 16]) }
}

fn has(list: CareList, version: u8) -> Care {
    Care::Acknowledged { list, version: Version([version; 8]) }
}

fn report(text: &[u8], version: Option<u8>) -> Care {
    Care::Reported { text: text.into(), version: version.map(|version| Version([version; 8])) }
}

/// What is asked, what comes of it (`true`: something changed), and what the terminal has then.
#[test]
fn a_terminal_is_looked_after() {
    use CareList::{CaKeys, Parameters};
    let mut desk = Desk::new();
    let rows = [
        (has(Parameters, 1), Ok(true), "Parameters=1 next=0 own=0"),
        (has(Parameters, 1), Ok(false), "Parameters=1 next=0 own=0"),
        (has(CaKeys, 1), Ok(true), "Parameters=1 CaKeys=1 next=0 own=0"),
        (has(Parameters, 2), Ok(true), "Parameters=2 CaKeys=1 next=0 own=0"),
        (has(Parameters, 1), Ok(true), "Parameters=1 CaKeys=1 next=0 own=0"),
        (report(b"ok", None), Ok(true), "Parameters=1 CaKeys=1 report=ok next=0 own=0"),
        (report(b"ok", None), Ok(false), "Parameters=1 CaKeys=1 report=ok next=0 own=0"),
        (report(b"ok", Some(1)), Ok(true), "Parameters=1 Status=1 CaKeys=1 report=ok next=0 own=0"),
        (
            report(b"ok", Some(1)),
            Ok(false),
            "Parameters=1 Status=1 CaKeys=1 report=ok next=0 own=0",
        ),
        (
            report(b"bad", Some(1)),
            Ok(true),
            "Parameters=1 Status=1 CaKeys=1 report=bad next=0 own=0",
        ),
    ];
    for (care, outcome, after) in rows {
        let what = format!("{care:?}");
        assert_eq!((desk.care(care), &*desk.has()), (outcome, after), "{what}");
    }
    assert_eq!(desk.care(report(&[b'1'; REPORT_MAX], None)), Ok(true));
    let too_long = desk.care(report(&[b'1'; REPORT_MAX + 1], None));
    assert_eq!(too_long, Err(Refusal::UploadTooLong));
}

/// Until a new key is activated the old one stays; a repeat changes nothing.
#[test]
fn a_master_key_is_made_and_comes_into_use() {
    use Refusal::{DuplicateDiffers, OriginalNotFound, TerminalMayNot};
    let mut desk = Desk::new();
    let rows = [
        (activate(1), Err(OriginalNotFound), "next=0 own=0"),
        (issue(1, 1, 11), Ok(true), "next=11 own=0"),
        (issue(1, 1, 11), Ok(false), "next=11 own=0"),
        // The same request must not get two keys.
        (issue(1, 1, 12), Err(DuplicateDiffers), "next=11 own=0"),
        (activate(2), Err(OriginalNotFound), "next=11 own=0"),
        // A terminal that lost its transport key begins anew.
        (issue(1, 2, 12), Ok(true), "next=12 own=0"),
        (activate(1), Err(OriginalNotFound), "next=12 own=0"),
        (activate(2), Ok(true), "next=0 own=12"),
        (activate(2), Ok(false), "next=0 own=12"),
        // The permission is used up; the next one is good again.
        (issue(1, 2, 13), Err(TerminalMayNot), "next=0 own=12"),
        (issue(1, 3, 13), Err(TerminalMayNot), "next=0 own=12"),
        (issue(2, 3, 13), Ok(true), "next=13 own=12"),
        (activate(2), Ok(false), "next=13 own=12"),
        (activate(3), Ok(true), "next=0 own=13"),
        (activate(2), Err(OriginalNotFound), "next=0 own=13"),
    ];
    for (care, outcome, after) in rows {
        let what = format!("{care:?}");
        assert_eq!((desk.care(care), &*desk.has()), (outcome, after), "{what}");
    }
}

#[test]
fn a_permission_makes_only_so_many_keys() {
    let mut desk = Desk::new();
    for request in 1..=TMK_ISSUES_MAX {
        assert_eq!(desk.care(issue(1, request, request)), Ok(true));
    }
    assert_eq!(desk.care(issue(1, 100, 100)), Err(Refusal::TerminalMayNot));
    assert_eq!(desk.care(issue(1, TMK_ISSUES_MAX, TMK_ISSUES_MAX)), Ok(false));
    assert_eq!(desk.care(issue(2, 100, 100)), Ok(true));
    assert_eq!(desk.tmk().issued_under(Enrolment([2; 8])), 1);
    assert_eq!(desk.tmk().issued_under(Enrolment([1; 8])), 0);
}

/// What an operator puts in by hand ends what came from afar; another change of the profile
/// leaves it.
#[test]
fn a_key_put_in_by_hand_is_the_terminals() {
    let mut desk = Desk::new();
    for care in [issue(1, 1, 11), activate(1), issue(2, 2, 12)] {
        assert_eq!(desk.care(care), Ok(true));
    }
    let mut profile = profile(MerchantId(*b"M00000000000002"));
    let change = |profile| Command::RegisterTerminal { terminal: terminal(), profile };
    assert_eq!(desk.ask(&change(profile.clone())), Ok(true));
    assert_eq!(desk.has(), "next=12 own=11");
    profile.sealed_tmk = [8; 40].into();
    assert_eq!(desk.ask(&change(profile)), Ok(true));
    assert_eq!(desk.has(), "next=0 own=0");
    assert_eq!(desk.care(activate(2)), Err(Refusal::OriginalNotFound));
}

#[test]
fn nobody_looks_after_an_unknown_terminal() {
    let mut desk = Desk::new();
    let unknown = (2..).map(numbered).find(|other| other.shard() == home()).unwrap();
    let care = has(CareList::Aids, 1);
    let refused = desk.ask(&Command::Care { terminal: unknown, care: care.clone() });
    assert_eq!(refused, Err(Refusal::UnknownTerminal));
    let event = Event::Cared { terminal: unknown, care, at: NOW };
    assert_eq!(desk.0.inspect(home(), &event), Err(Violation::Unfounded));
}

/// What no decision makes is not taken in.
#[test]
fn the_books_take_in_only_what_can_be() {
    let mut desk = Desk::new();
    desk.care(issue(1, 1, 11)).unwrap();
    for care in [activate(2), issue(1, 1, 12), issue(1, 1, 11), report(&[0; REPORT_MAX + 1], None)]
    {
        let event = Event::Cared { terminal: terminal(), care, at: NOW };
        assert_eq!(desk.0.inspect(home(), &event), Err(Violation::Unfounded), "{event:?}");
    }
}

fn any_care() -> impl Strategy<Value = Care> {
    use CareList::{Aids, Blacklist, CaKeys, Parameters};
    let list = prop::sample::select(vec![Parameters, CaKeys, Aids, Blacklist]);
    let version = || prop::option::of(1..3_u8);
    prop_oneof![
        (list, 1..3_u8).prop_map(|(list, version)| has(list, version)),
        (1..3_u8, version()).prop_map(|(text, version)| report(&[text], version)),
        (1..3_u8, 1..5_u8).prop_map(|(enrolment, request)| issue(enrolment, request, request)),
        (1..5_u8).prop_map(activate),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    let care = any_care().prop_map(|care| Command::Care { terminal: terminal(), care });
    let register = (1..3_u8).prop_map(|key| {
        let mut profile = profile(MERCHANT);
        profile.sealed_tmk = [key; 40].into();
        Command::RegisterTerminal { terminal: terminal(), profile }
    });
    prop_oneof![9 => care, 1 => register]
}

proptest! {
    /// A repeat changes nothing, whatever is done can be undone, and what was decided fits.
    #[test]
    fn care_is_repeatable_and_can_be_undone(commands in prop::collection::vec(any_command(), 0..40)) {
        let mut desk = Desk::new();
        for command in &commands {
            if let Some(event) = desk.decide(command).event {
                let before = desk.shard().clone();
                let mut shard = before.clone();
                let undo = shard.undo_of(&event);
                shard.apply(&event);
                prop_assert!(shard != before);
                shard.undo(undo);
                prop_assert!(shard == before);
            }
            if desk.ask(command).is_ok() {
                prop_assert!(desk.decide(command).event.is_none());
            }
        }
    }
}
