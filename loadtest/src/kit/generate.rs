//! Kits for the load test, from a seed.

use std::fmt::Write;

use keys::{Algorithm, KeyLayout, MacAlgorithm};

use super::{CardStatus, Kit, TerminalSetup, TestCard, algorithm_name, layout_name};
use crate::fen::Fen;
use crate::ids::{CardNumber, MerchantId, TerminalId};
use crate::secret::{Pin, Tmk};
use crate::seed::Seeded;

/// The prefix of every generated card number.
const BIN: &str = "621214";

/// Terminals of one merchant.
const TERMINALS_A_MERCHANT: u32 = 25;

/// What a named card may hold at most, and what generated ones have.
const BALANCE: Fen = Fen(500_000);

pub(super) fn kit(terminals: u32, cards: u32, seed: u64) -> Kit {
    let mut seeded = Seeded::new(seed);
    Kit {
        terminals: (0..terminals.min(9_000_000)).map(|n| terminal(n, &mut seeded)).collect(),
        cards: (0..cards).map(|n| card(n, &mut seeded)).collect(),
    }
}

fn terminal(number: u32, seeded: &mut Seeded) -> TerminalSetup {
    let text = |text: String| text.into_bytes();
    let id = text(format!("2{number:07}"));
    let merchant = text(format!("8980000{:08}", number / TERMINALS_A_MERCHANT));
    let [high, low] = [seeded.next().to_be_bytes(), seeded.next().to_be_bytes()];
    TerminalSetup {
        id: TerminalId(id.try_into().unwrap_or([b'2'; 8])),
        merchant: MerchantId(merchant.try_into().unwrap_or([b'8'; 15])),
        tmk: Tmk::new(&[high, low].concat()),
        algorithm: Algorithm::Des,
        layout: KeyLayout::Des40A,
        mac: MacAlgorithm::UnionPay,
        may_refund: true,
    }
}

fn card(number: u32, seeded: &mut Seeded) -> TestCard {
    let pan = CardNumber::with_check_digit(&format!("{BIN}{number:012}"));
    let pin = format!("{:06}", seeded.next() % 1_000_000);
    TestCard {
        pan: pan.expect("a prefix of six digits and twelve more are a card number"),
        pin: pin.parse::<Pin>().ok(),
        product: 1,
        expiry: None,
        status: CardStatus::Active,
        main: BALANCE,
        bonus: Fen(0),
        points: 0,
        held: Fen(0),
    }
}

/// The files of a programme: name and text.
pub(super) fn files(kit: &Kit) -> [(&'static str, String); 5] {
    [
        ("products.toml", products(kit)),
        ("merchants.toml", merchants(kit)),
        ("terminals.toml", kit.terminals.iter().map(terminal_entry).collect()),
        ("cards.toml", kit.cards.iter().map(card_entry).collect()),
        ("routing.toml", routing(kit)),
    ]
}

/// Every product a card names: named if its cards have no expiry date, with PIN if one of them has.
fn products(kit: &Kit) -> String {
    let mut numbers: Vec<_> = kit.cards.iter().map(|card| card.product).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let entry = |number: u32| {
        let mut cards = kit.cards.iter().filter(|card| card.product == number);
        let named = cards.all(|card| card.expiry.is_none());
        let months = if named { "" } else { "valid_months = 36\n" };
        let mut cards = kit.cards.iter().filter(|card| card.product == number);
        let pin = if cards.all(|card| card.pin.is_none()) { "never" } else { "always" };
        format!(
            "[[product]]\nnumber = {number}\nname = \"Load test card\"\nname_zh = \"压测卡\"\n\
             named = {named}\npin = \"{pin}\"\ntransaction_max = \"5000.00\"\n\
             draw = [\"bonus\", \"main\"]\nrefund_days = 30\n{months}\n"
        )
    };
    numbers.into_iter().map(entry).collect()
}

fn merchants(kit: &Kit) -> String {
    let mut ids: Vec<_> = kit.terminals.iter().map(|terminal| terminal.merchant).collect();
    ids.sort_unstable();
    ids.dedup();
    let entry = |id: MerchantId| {
        format!(
            "[[merchant]]\nid = \"{id}\"\nname = \"Load test shop\"\nname_zh = \"压测商户\"\n\
             mcc = \"5411\"\n\n"
        )
    };
    ids.into_iter().map(entry).collect()
}

fn terminal_entry(terminal: &TerminalSetup) -> String {
    let TerminalSetup { id, merchant, tmk, algorithm, layout, mac, may_refund } = terminal;
    let refund = if *may_refund { ", \"refund\"" } else { "" };
    let mac = serde_json::to_value(mac).unwrap_or_default();
    format!(
        "[[terminal]]\nid = \"{id}\"\nmerchant = \"{merchant}\"\nalgorithm = \"{}\"\n\
         tmk = \"{}\"\nlayout = \"{}\"\nmac = {mac}\nrights = [\"sale\", \"inquiry\", \"pre-auth\", \"activation\"{refund}]\n\n",
        algorithm_name(*algorithm),
        const_hex::encode_upper(tmk.as_bytes()),
        layout_name(*layout),
    )
}

fn card_entry(card: &TestCard) -> String {
    let status = match card.status {
        CardStatus::Sold => "sold",
        CardStatus::Active => "active",
        CardStatus::Frozen => "frozen",
        CardStatus::Lost => "lost",
        CardStatus::Cancelled => "cancelled",
    };
    let TestCard { pan, product, main, bonus, points, held, .. } = card;
    let mut text = format!("[[card]]\npan = \"{}\"\nproduct = {product}\n", pan.digits());
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(text, "{key} = {value}").expect("a string takes every write");
        }
    };
    line("pin", card.pin.as_ref().map(|pin| format!("\"{}\"", pin.digits())));
    line("expiry", card.expiry.map(|expiry| format!("\"{expiry}\"")));
    line("status", Some(format!("\"{status}\"")));
    line("main", Some(format!("\"{main}\"")));
    line("bonus", (bonus.0 > 0).then(|| format!("\"{bonus}\"")));
    line("points", (*points > 0).then(|| points.to_string()));
    line("held", (held.0 > 0).then(|| format!("\"{held}\"")));
    text.push('\n');
    text
}

/// Routes every prefix of a card to the own issuer.
fn routing(kit: &Kit) -> String {
    let bin = |card: &TestCard| {
        let digits = card.pan.digits();
        (digits.get(..6).unwrap_or_default().to_owned(), digits.len())
    };
    let mut bins: Vec<_> = kit.cards.iter().map(bin).collect();
    bins.sort_unstable();
    bins.dedup();
    let issuer = "03010000";
    let head = format!(
        "[[issuer]]\ncode = \"{issuer}\"\nname = \"Load test issuer\"\nkind = \"own\"\n\
         enabled = true\n\n"
    );
    bins.into_iter().fold(head, |text, (prefix, length)| {
        text + &format!(
            "[[bin]]\nprefix = \"{prefix}\"\npan_length = {length}\nissuer = \"{issuer}\"\n\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut kit = Kit::generate(30, 3, 7);
        kit.cards[1].expiry = "2912".parse().ok();
        kit.cards[1].bonus = Fen(2000);
        kit.cards[1].held = Fen(100);
        kit.cards[1].points = 5;
        kit.cards[2].pin = None;
        kit.cards[2].status = CardStatus::Lost;
        kit.terminals[1].layout = KeyLayout::Sm4x60;
        kit.terminals[1].algorithm = Algorithm::Sm4;
        kit.terminals[1].mac = MacAlgorithm::Sm4A;
        kit.write_to(dir.path()).unwrap();
        let read = Kit::from_dir(dir.path()).unwrap();
        assert_eq!(read.terminals, kit.terminals);
        assert_eq!(read.cards, kit.cards);
        assert_eq!(read.cards[1].spendable(), Fen(501_900));
        let merchants = std::fs::read_to_string(dir.path().join("merchants.toml")).unwrap();
        assert_eq!(merchants.matches("[[merchant]]").count(), 2);
    }

    #[test]
    fn the_same_seed_gives_the_same_kit_and_each_terminal_its_own_key() {
        let kit = Kit::generate(50, 50, 1);
        assert_eq!(kit.terminals, Kit::generate(50, 50, 1).terminals);
        assert_ne!(kit.terminals, Kit::generate(50, 50, 2).terminals);
        assert_ne!(kit.terminals[0].tmk, kit.terminals[1].tmk);
        assert_ne!(kit.cards[0].pan, kit.cards[1].pan);
    }

    #[test]
    fn an_error_names_file_and_line_and_never_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let kit = Kit::generate(2, 1, 7);
        kit.write_to(dir.path()).unwrap();
        let path = dir.path().join("terminals.toml");
        let key = const_hex::encode_upper(kit.terminals[1].tmk.as_bytes());
        let text = std::fs::read_to_string(&path)
            .unwrap()
            .replace(&key, key.strip_prefix(|_: char| true).unwrap());
        std::fs::write(&path, text).unwrap();
        let error = Kit::from_dir(dir.path()).unwrap_err().to_string();
        assert!(error.contains("terminals.toml, line 1"), "{error}");
        assert!(!error.contains(key.get(1..9).unwrap()), "{error}");
    }
}
