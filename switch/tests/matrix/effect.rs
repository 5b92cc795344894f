//! What a request must have done to the books, and what must hold of them whatever it did.

use std::collections::BTreeMap;

use domain::issuing::Account;
use domain::ledger::{LedgerAccount, Purse, Unit};
use domain::terms::{Amount, CardId, MerchantId};
use switch::programme::Word as _;

use crate::line::Line;
use crate::play::World;

/// Returns what is not as a line says, or is never right.
pub(crate) fn faults(world: &World, line: &Line<'_>) -> Vec<String> {
    let mut faults = whole(world);
    for word in &line.expected {
        let Some((what, wanted)) = word.split_once('=') else { continue };
        if what.starts_with(|c: char| c.is_ascii_uppercase()) || !is_of_answer(what) {
            let is = of_books(world, what);
            faults.extend((is != wanted).then(|| format!("{what} is {is}, not {wanted}")));
        }
    }
    faults
}

/// True for what is read in the answer, not in the books.
fn is_of_answer(what: &str) -> bool {
    what == "digit" || what.strip_prefix('f').is_some_and(|field| field.parse::<u8>().is_ok())
}

/// The legs of all entries sum to nothing, and the purses hold what the legs say.
fn whole(world: &World) -> Vec<String> {
    let mut sums: BTreeMap<Unit, Amount> = BTreeMap::new();
    for (account, amount) in &world.bench.ledger {
        let sum = sums.entry(account.unit()).or_default();
        *sum = sum.plus(*amount);
    }
    let mut faults: Vec<_> = sums
        .iter()
        .filter(|(_, sum)| !sum.is_zero())
        .map(|(unit, sum)| format!("the books are out by {} {unit:?}", sum.fen()))
        .collect();
    for (card, account) in accounts(world) {
        for purse in Purse::ALL {
            let told = world.bench.ledger.get(&LedgerAccount::Purse(card, purse));
            let is = account.balances.ledger().of(purse);
            if told.copied().unwrap_or_default() != is {
                faults.push(format!("{purse:?} of {card:?} is not what its entries say"));
            }
        }
        if account.balances.available().money() < Amount::ZERO {
            faults.push(format!("{card:?} has less than nothing to spend"));
        }
    }
    faults
}

fn accounts(world: &World) -> impl Iterator<Item = (CardId, &Account)> {
    world.bench.shards().flat_map(domain::shard::Shard::accounts)
}

/// Returns what the books say of `what`, as scripts write it.
fn of_books(world: &World, what: &str) -> String {
    let merchant = |number: &str| {
        MerchantId::parse(format!("89800000000000{number}").as_bytes())
            .unwrap_or_else(|| panic!("no merchant {number}"))
    };
    let ledger =
        |account| world.bench.ledger.get(&account).copied().unwrap_or_default().fen().to_string();
    if let Some(number) = what.strip_prefix("redeemed") {
        return ledger(LedgerAccount::PointsRedeemed(merchant(number)));
    }
    if let Some(number) = what.strip_prefix("till") {
        return ledger(LedgerAccount::TopUps(merchant(number)));
    }
    if let Some(number) = what.strip_prefix('M') {
        return ledger(LedgerAccount::Merchant(merchant(number)));
    }
    let (name, part) = what.split_once('.').unwrap_or((what, ""));
    let is_terminal = name.strip_prefix('T').is_some_and(|n| n.parse::<u8>().is_ok());
    match name {
        "suspense" => ledger(LedgerAccount::Suspense),
        "points-suspense" => ledger(LedgerAccount::PointsSuspense),
        _ if is_terminal && part == "batch" => world.open_batch(name).to_string(),
        _ if is_terminal => world.totals(name),
        _ => of_card(world, name, part),
    }
}

fn of_card(world: &World, name: &str, part: &str) -> String {
    let (pan, _expiry) = world.number(name);
    let facts = &world.bench.facts;
    let card = facts.cards.get(&facts.hsm.pan_index(pan.as_bytes())).unwrap().card;
    let (_, account) = accounts(world).find(|(id, _)| *id == card).unwrap();
    let balances = &account.balances;
    let amount = match part {
        "" => balances.ledger().of(Purse::Main),
        "bonus" => balances.ledger().of(Purse::Bonus),
        "points" => balances.ledger().of(Purse::Points),
        "free" => balances.available().money(),
        "held" => balances.ledger().money().minus(balances.available().money()),
        "status" => return account.status.word().to_owned(),
        "tries" => return account.wrong_pins.to_string(),
        other => panic!("no part {other} of a card"),
    };
    amount.fen().to_string()
}
