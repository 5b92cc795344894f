//! Load, benchmark and station against the tiny host on TCP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "in a test a panic is a failure"
)]
#![allow(dead_code, unreachable_pub, reason = "the scripted host is shared with other tests")]

mod host;

use std::sync::atomic::Ordering;
use std::time::Duration;

use host::shop::{Deed, Rule, Shop};
use loadtest::audit::{Reversal, Slips, Told};
use loadtest::bench::{self, JournalCounters, Settings, Target};
use loadtest::demo::{self, DemoError};
use loadtest::scenario::Scenario;
use loadtest::terminal::{Reason, State};
use loadtest::{Fen, Kit, Presented, Station, StationError, Terminal, TerminalError};

/// How long a load takes.
const SHORT: Duration = Duration::from_millis(300);
/// How long to wait for an answer that comes.
const LONG: Duration = Duration::from_secs(20);
/// How long to wait for one that does not.
const SILENCE: Duration = Duration::from_secs(2);

fn station(kit: &Kit, rule: Rule, timeout: Duration) -> Station {
    let shop = Shop::open(kit, rule);
    Station::new(Terminal::new(&kit.terminals[0]), shop.address, timeout)
}

fn kit() -> Kit {
    Kit::generate(8, 8, 3)
}

fn bench(rule: Rule) -> (bench::Report, Slips, Shop) {
    let kit = kit();
    let shop = Shop::open(&kit, rule);
    let scenario = Scenario { connections: 8, rounds: 2, ..Scenario::builtin("peak").unwrap() };
    let settings = Settings { duration: SHORT, ..Settings::of("peak", scenario) };
    let counted = std::cell::Cell::new(0);
    let journal = || {
        counted.set(counted.get() + 10);
        Some(JournalCounters { records: counted.get() * 12, syncs: counted.get() })
    };
    // A ledger that is three steps behind, a thousand entries each.
    let looks = std::cell::Cell::new(0_u64);
    let ledger_lag = || {
        looks.set(looks.get() + 1);
        Some(3_000_u64.saturating_sub(looks.get() / 10 * 1_000))
    };
    let target =
        Target { address: shop.address, journal: &journal, ledger_lag: &ledger_lag, usage: None };
    let mut told = Vec::new();
    let measured = bench::run(&settings, &kit, &target, &mut |what| told.push(what.to_owned()));
    assert_eq!(u64::try_from(told.len()).unwrap(), settings.steps());
    assert!(told.contains(&"round 2: switch".to_owned()));
    let (report, slips) = measured.unwrap();
    (report, slips, shop)
}

#[test]
fn a_benchmark_counts_what_the_host_counts() {
    let (mut report, slips, shop) = bench(|_| Deed::Approve);
    // This host says no balances, and has no journal.
    report.faults.retain(|fault| !fault.contains("the host says nothing"));
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!((report.sign_ons, report.signed_on, report.codes_wrong), (8, 8, 0));
    assert!(report.codes_verified >= 8);
    assert_eq!(report.rounds.len(), 2);
    for round in &report.rounds {
        assert!(round.echo.tps > 0 && round.switch.tps > 0 && round.ratio_permille > 0);
        assert!(round.switch.p50_us > 0 && round.switch.p50_us <= round.switch.p90_us);
        assert!(round.switch.p90_us <= round.switch.p99_us);
        assert!(round.switch.p99_us <= round.switch.p999_us);
        assert!(round.switch.p999_us <= round.switch.max_us);
        assert!(round.switch.server_cpu_ns > 0 && round.echo.server_cpu_ns > 0);
        assert!(round.switch.client_cpu_ns > 0);
        assert_eq!(round.switch.records_per_sync, Some(12));
        assert_eq!(round.echo.records_per_sync, None);
    }
    let measured = report.measured();
    let of_series: u64 = measured.series[0].seconds.iter().map(|second| second.approved).sum();
    assert!(report.rounds.iter().any(|round| round.switch.approved == of_series));
    assert!(measured.figures.iter().any(|figure| figure.name == "ratio to the echo"));
    let ledger = report.ledger.as_ref().unwrap();
    assert_eq!(ledger.behind, 3_000);
    // Ten looks for a step, ten milliseconds each, but for what a busy machine adds.
    assert!((1_000..=10_000).contains(&ledger.absorbed_per_second.unwrap()), "{ledger:?}");

    // Every approval is a slip that the journal must have, but for the eight last inquiries.
    let approved = shop.approved.load(Ordering::Relaxed) - 8;
    let verdict = slips.verdict();
    assert_eq!(verdict.violations, approved);
    report.settle(&verdict, 7);
    let faults = report.faults.join("; ");
    assert!(faults.contains(&format!("differ in {approved} places")), "{faults}");
    assert!(faults.contains("8 of 8 sign-ons were granted, and the journal has 7"), "{faults}");
}

#[test]
fn a_benchmark_shows_refusals_and_forged_codes() {
    let (report, slips, shop) = bench(|number| match number {
        0 => Deed::Approve,
        number if number % 5 == 0 => Deed::Say("51"),
        _ => Deed::Forge,
    });
    assert_eq!(shop.approved.load(Ordering::Relaxed), 1);
    assert!(report.codes_wrong > 0);
    assert!(slips.verdict().slips > 1);
    let faults = report.faults.join("; ");
    assert!(faults.contains("round 1, switch"), "{faults}");
    assert!(faults.contains("refused"), "{faults}");
    assert!(faults.contains("wrong message code"), "{faults}");
}

#[test]
fn a_benchmark_wants_a_card_for_each_terminal() {
    let address = ([127, 0, 0, 1], 1).into();
    let target = Target { address, journal: &|| None, ledger_lag: &|| None, usage: None };
    let scenario = Scenario { connections: 9, ..Scenario::builtin("peak").unwrap() };
    let settings = Settings::of("peak", scenario);
    let error = bench::run(&settings, &kit(), &target, &mut |_| {}).err().unwrap().to_string();
    assert_eq!(error, "9 terminals are needed, the kit has 8 and 8 cards");
}

#[test]
fn silence_owes_a_reversal_that_the_file_knew_of_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let kit = kit();
    let presented = Presented::swiped(&kit.cards[0]);
    let mut station = station(&kit, |_| Deed::Ignore, SILENCE);
    station.keep_in(path.clone());
    station.make_ready().unwrap();
    let asked = station.ask(|terminal| {
        let frame = terminal.sale(&presented, Fen(5))?;
        assert_eq!(terminal.slips().count(), 0);
        Ok(frame)
    });
    let silence = asked.unwrap_err();
    assert!(matches!(silence, StationError::NoAnswer { .. }));
    assert_eq!(format!("{silence:?}"), "NoAnswer { sent: Frame(118 bytes), error: Timeout }");
    let state = State::load(&path).unwrap().unwrap();
    let terminal = Terminal::resume(&kit.terminals[0], state).unwrap();
    assert_eq!(terminal.owed().unwrap().reason, Reason::NoAnswer);

    let seen = station.history().iter().next().unwrap().clone();
    assert_eq!((seen.told, seen.reversal), (Told::Nothing, Reversal::Unknown));
    let done = station.make_ready().unwrap();
    assert_eq!(done.len(), 1);
    let seen = station.history().iter().next().unwrap();
    assert_eq!((seen.told, seen.reversal), (Told::Nothing, Reversal::Confirmed));
    let state = State::load(&path).unwrap().unwrap();
    assert!(Terminal::resume(&kit.terminals[0], state).unwrap().owed().is_none());
}

#[test]
fn a_reversal_under_keys_that_do_not_match_signs_on_first() {
    let kit = kit();
    let presented = Presented::swiped(&kit.cards[0]);
    let shop = Shop::open(&kit, |_| Deed::Approve);
    let timeout = LONG;
    let mut station = Station::new(Terminal::new(&kit.terminals[0]), shop.address, timeout);
    station.make_ready().unwrap();
    station.lose(|terminal| terminal.sale(&presented, Fen(5))).unwrap();
    // Somebody signs the same terminal on elsewhere, and its keys are gone.
    Station::new(Terminal::new(&kit.terminals[0]), shop.address, timeout).make_ready().unwrap();
    let done = station.make_ready().unwrap();
    let codes: Vec<_> = done.iter().map(|done| done.reply.code.unwrap().to_string()).collect();
    assert_eq!(codes, ["A0", "00", "00"]);
    assert!(station.terminal.owed().is_none());
}

#[test]
fn an_answer_that_nobody_reads_was_given_all_the_same() {
    let kit = kit();
    let presented = Presented::swiped(&kit.cards[0]);
    let mut station = station(&kit, |_| Deed::Approve, LONG);
    station.make_ready().unwrap();
    station.lose(|terminal| terminal.sale(&presented, Fen(5))).unwrap();
    assert!(station.terminal.owed().is_some());
    let refused = station.ask(|terminal| terminal.balance(&presented));
    assert!(matches!(refused, Err(StationError::Terminal(TerminalError::ReversalOwed))));
}

#[test]
fn a_request_that_cannot_be_kept_is_not_sent() {
    let kit = kit();
    let presented = Presented::swiped(&kit.cards[0]);
    let shop = Shop::open(&kit, |_| Deed::Approve);
    let mut station = Station::new(Terminal::new(&kit.terminals[0]), shop.address, LONG);
    station.make_ready().unwrap();
    station.keep_in("/no such directory/state.json".into());
    let asked = station.ask(|terminal| terminal.sale(&presented, Fen(5)));
    assert!(matches!(asked, Err(StationError::Terminal(TerminalError::NotKept(_)))));
    assert_eq!(shop.approved.load(Ordering::Relaxed), 0);
}

#[test]
fn the_demonstration_says_what_its_kit_lacks() {
    let kit = kit();
    let shop = Shop::open(&kit, |_| Deed::Approve);
    let error = demo::run(shop.address, &kit).unwrap_err();
    assert!(matches!(error, DemoError::Missing(_)));
    assert!(error.to_string().contains("four active cards"), "{error}");
}

#[test]
fn the_demonstration_fails_loudly_on_a_host_that_approves_everything() {
    let mut kit = kit();
    let statuses =
        [loadtest::CardStatus::Lost, loadtest::CardStatus::Frozen, loadtest::CardStatus::Sold];
    let mut special = Kit::generate(0, 13, 3).cards.split_off(8);
    for (card, status) in special.iter_mut().zip(statuses) {
        card.status = status;
    }
    for card in kit.cards.iter_mut().chain(&mut special) {
        card.expiry = "2912".parse().ok();
    }
    special[3].bonus = Fen(500);
    special[4].expiry = "2001".parse().ok();
    kit.cards.extend(special);
    let shop = Shop::open(&kit, |_| Deed::Approve);
    match demo::run(shop.address, &kit) {
        Ok(report) => assert!(!report.is_ok()),
        Err(DemoError::Step { .. }) => {}
        Err(DemoError::Missing(missing)) => panic!("{missing}"),
    }
}
