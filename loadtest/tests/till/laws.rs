//! What holds whatever a shop does: totals are those of a plain count kept beside the terminal, a
//! hold is what its pre-authorisation left of it, and a power cut changes nothing.

use std::collections::BTreeMap;

use loadtest::terminal::{Hold, Reason, Scheme, Slip, SlipKind, SlipState, State, Totals};
use loadtest::{Fen, HolderCheck, Presented, Stan, Terminal, TerminalError};
use proptest::prelude::*;

use super::by_chip;
use super::host::{Answer, Host, card, setup, signed_on};

#[derive(Clone, Copy, Debug)]
enum Said {
    Yes,
    No,
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Sell(u64),
    SellForPoints(u64),
    SellByMail(u64),
    Activate,
    Hold(u64),
    Complete(usize, u64),
    Void(usize),
    ReverseLast,
    Decide(Decided),
}

/// What the terminal decides and tells.
#[derive(Clone, Copy, Debug)]
enum Decided {
    Advise(usize, u64),
    SellOffline(u64),
    SellFromChip(u64),
    Tip(usize, u64),
}

fn deed() -> impl Strategy<Value = (Deed, Said)> {
    let fen = || 1..10_000_u64;
    let which = || 0..8_usize;
    let decided = prop_oneof![
        (which(), fen()).prop_map(|(which, fen)| Decided::Advise(which, fen)),
        fen().prop_map(Decided::SellOffline),
        fen().prop_map(Decided::SellFromChip),
        (which(), fen()).prop_map(|(which, fen)| Decided::Tip(which, fen)),
    ];
    let deed = prop_oneof![
        fen().prop_map(Deed::Sell),
        fen().prop_map(Deed::SellForPoints),
        fen().prop_map(Deed::SellByMail),
        Just(Deed::Activate),
        fen().prop_map(Deed::Hold),
        (which(), fen()).prop_map(|(which, fen)| Deed::Complete(which, fen)),
        which().prop_map(Deed::Void),
        Just(Deed::ReverseLast),
        decided.prop_map(Deed::Decide),
    ];
    (deed, prop_oneof![3 => Just(Said::Yes), 1 => Just(Said::No), 1 => Just(Said::Nothing)])
}

/// The plain count: what stands on either side, and what each hold is.
#[derive(Default)]
struct Count {
    debit: BTreeMap<Stan, u64>,
    credit: BTreeMap<Stan, u64>,
    /// By authorisation code: trace number, amount, and whether it is alive.
    holds: BTreeMap<String, (u64, bool)>,
    codes: u32,
}

impl Count {
    fn totals(&self) -> Totals {
        let sum = |side: &BTreeMap<Stan, u64>| Fen(side.values().sum());
        let count = |side: &BTreeMap<Stan, u64>| u32::try_from(side.len()).unwrap();
        Totals {
            debit: sum(&self.debit),
            debit_count: count(&self.debit),
            credit: sum(&self.credit),
            credit_count: count(&self.credit),
        }
    }

    fn code(&mut self) -> String {
        self.codes += 1;
        format!("A{:05}", self.codes)
    }
}

fn pick(terminal: &Terminal, which: usize, fits: impl Fn(&Slip) -> bool) -> Option<Slip> {
    let stands = |slip: &&Slip| slip.state == SlipState::Approved && fits(slip);
    let slips: Vec<_> = terminal.slips().filter(stands).cloned().collect();
    slips.get(which % slips.len().max(1)).cloned()
}

/// Asks, and counts what was approved. Silence is followed by a reversal that is done.
fn ask(
    terminal: &mut Terminal,
    host: &Host,
    count: &mut Count,
    said: Said,
    make: impl FnOnce(&mut Terminal) -> Result<Vec<u8>, TerminalError>,
) -> Option<Slip> {
    let request = make(terminal).unwrap();
    assert!(host.accepts(&request));
    let auth = count.code();
    match said {
        Said::Yes => {
            let answer =
                Answer { code: "00", rrn: "011510150001", auth: &auth, ..Answer::default() };
            let reply = terminal.on_frame(&host.answer(&request, &answer)).unwrap();
            terminal.slip(reply.stan.unwrap()).cloned()
        }
        Said::No => {
            terminal.on_frame(&host.refuse(&request, "51")).unwrap();
            None
        }
        Said::Nothing => {
            terminal.on_timeout();
            let reversal = terminal.reversal().unwrap();
            terminal.on_frame(&host.refuse(&reversal, "00")).unwrap();
            None
        }
    }
}

/// Tells what is to be told; returns whether the host took it.
fn tell(terminal: &mut Terminal, host: &Host, said: Said) -> bool {
    let request = terminal.notice().unwrap();
    assert!(host.accepts(&request));
    match said {
        Said::Yes => drop(terminal.on_frame(&host.approve(&request, "011510150001")).unwrap()),
        Said::No => drop(terminal.on_frame(&host.refuse(&request, "14")).unwrap()),
        Said::Nothing => {
            terminal.on_timeout();
            let again = terminal.notice().unwrap();
            assert_eq!(again, request);
            terminal.on_frame(&host.refuse(&again, "94")).unwrap();
        }
    }
    !matches!(said, Said::No)
}

fn act(terminal: &mut Terminal, host: &Host, count: &mut Count, (deed, said): (Deed, Said)) {
    let card = card();
    let (swiped, chip) = (Presented::swiped(&card), by_chip(&card));
    let sold = match deed {
        Deed::Sell(fen) => ask(terminal, host, count, said, |t| t.sale(&chip, Fen(fen))),
        Deed::SellForPoints(points) => {
            let make = |t: &mut Terminal| t.points_sale(&swiped, points, Scheme::Union, "");
            ask(terminal, host, count, said, make)
        }
        Deed::SellByMail(fen) => {
            let make = |t: &mut Terminal| t.moto_sale(&swiped, Fen(fen), &HolderCheck::default());
            ask(terminal, host, count, said, make)
        }
        Deed::Activate => {
            ask(terminal, host, count, said, |t| t.activate(&swiped));
            None
        }
        Deed::Hold(fen) => {
            let slip = ask(terminal, host, count, said, |t| t.pre_auth(&swiped, Fen(fen)));
            if let Some(slip) = slip {
                count.holds.insert(slip.hold.unwrap(), (fen, true));
            }
            None
        }
        Deed::Complete(which, fen) => {
            let Some(slip) = pick(terminal, which, |slip| slip.kind == SlipKind::PreAuth) else {
                return;
            };
            let hold = Hold::of(&slip).unwrap();
            let make = |t: &mut Terminal| t.complete(&hold, &swiped, Fen(fen));
            let sold = ask(terminal, host, count, said, make);
            count.holds.get_mut(&hold.auth).unwrap().1 = sold.is_none();
            sold
        }
        Deed::Void(which) => return void(terminal, host, count, which, said),
        Deed::ReverseLast => return reverse_last(terminal, host, count),
        Deed::Decide(decided) => return decide(terminal, host, count, decided, said),
    };
    if let Some(slip) = sold {
        count.debit.insert(slip.imprint.stan, slip.imprint.amount.0);
    }
}

fn decide(terminal: &mut Terminal, host: &Host, count: &mut Count, decided: Decided, said: Said) {
    let card = card();
    let (swiped, chip) = (Presented::swiped(&card), by_chip(&card));
    let (stan, amount, hold) = match decided {
        Decided::Advise(which, fen) => {
            let Some(slip) = pick(terminal, which, |slip| slip.kind == SlipKind::PreAuth) else {
                return;
            };
            let hold = Hold::of(&slip).unwrap();
            let stan = terminal.complete_by_advice(&hold, &swiped, Fen(fen));
            (stan.unwrap(), fen, Some(hold.auth))
        }
        Decided::SellOffline(fen) => {
            (terminal.sell_offline(&swiped, Fen(fen), None).unwrap(), fen, None)
        }
        Decided::SellFromChip(fen) => {
            (terminal.sell_from_chip(&chip, Fen(fen)).unwrap(), fen, None)
        }
        Decided::Tip(which, fen) => {
            let Some(slip) = pick(terminal, which, |slip| slip.kind == SlipKind::Sale) else {
                return;
            };
            let (stan, amount) = (slip.imprint.stan, slip.imprint.amount.plus(Fen(fen)));
            terminal.tip(stan, amount, Fen(fen)).unwrap();
            (stan, amount.0, None)
        }
    };
    if tell(terminal, host, said) {
        count.debit.insert(stan, amount);
        if let Some(hold) = hold {
            count.holds.get_mut(&hold).unwrap().1 = false;
        }
    }
}

fn void(terminal: &mut Terminal, host: &Host, count: &mut Count, which: usize, said: Said) {
    let Some(slip) = pick(terminal, which, |slip| slip.kind.voided_by().is_some()) else { return };
    let done = ask(terminal, host, count, said, |t| t.void(slip.imprint.stan, None));
    let Some(void) = done else { return };
    let is_hold = slip.kind == SlipKind::PreAuth;
    if !is_hold {
        count.credit.insert(void.imprint.stan, slip.imprint.amount.0);
    }
    if let Some(hold) = &slip.hold {
        count.holds.get_mut(hold).unwrap().1 = !is_hold;
    }
}

/// Reverses the last slip, if it stands: each effect of it is undone.
fn reverse_last(terminal: &mut Terminal, host: &Host, count: &mut Count) {
    let last = terminal.slips().last().cloned();
    let Some(slip) = last.filter(|slip| slip.state == SlipState::Approved) else { return };
    if !slip.kind.is_reversible() {
        return;
    }
    let request = terminal.reverse(slip.imprint.stan, Reason::Trouble).unwrap();
    assert!(host.accepts(&request));
    terminal.on_frame(&host.approve(&request, "011510150001")).unwrap();
    count.debit.remove(&slip.imprint.stan);
    count.credit.remove(&slip.imprint.stan);
    let Some(hold) = &slip.hold else { return };
    let was_taken = matches!(slip.kind, SlipKind::PreAuth | SlipKind::CompletionVoid);
    count.holds.get_mut(hold).unwrap().1 = !was_taken;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_terminal_counts_as_a_person_would(
        deeds in prop::collection::vec(deed(), 0..40),
        cut in 0..40_usize,
    ) {
        let (mut terminal, host) = signed_on();
        let mut count = Count::default();
        for (place, deed) in deeds.into_iter().enumerate() {
            act(&mut terminal, &host, &mut count, deed);
            if place == cut {
                let text = serde_json::to_string(&terminal.state()).unwrap();
                let state: State = serde_json::from_str(&text).unwrap();
                terminal = Terminal::resume(&setup(), state).unwrap();
            }
            prop_assert_eq!(terminal.totals(), count.totals());
            for (auth, (fen, is_alive)) in &count.holds {
                let held = if *is_alive { Fen(*fen) } else { Fen(0) };
                prop_assert_eq!(terminal.held(&card().pan, auth), held);
            }
            prop_assert!(terminal.owed().is_none() && !terminal.has_notices_due());
        }
    }
}
