//! `posp kit`: the terminals and cards of a demonstration, for whoever points a terminal at it.

use std::io::{self, Write};
use std::path::PathBuf;

use domain::issuing::{CardStatus, Right};
use domain::ledger::Purse;
use domain::terms::{Amount, BusinessDate};
use serde_json::{Value, json};
use switch::programme::{Card, Programme, Terminal, Word};

use crate::output::print;

/// Prints terminals with their master keys and cards with their PINs: those of the built-in
/// demonstration, or of another programme. A key that does not stand in the programme's own file
/// is not printed.
#[derive(clap::Args, Debug)]
pub(crate) struct Kit {
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// A programme directory instead of the built-in demonstration.
    #[arg(long, value_name = "DIRECTORY")]
    programme: Option<PathBuf>,
}

impl Kit {
    /// Prints the kit.
    ///
    /// # Errors
    /// A programme that cannot be read; output that cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let programme = match &self.programme {
            None => Programme::demo(),
            Some(directory) => Programme::load(directory)?,
        };
        let today = jiff::Zoned::now().date();
        let today = month_of(today.year(), today.month());
        let mut out = Vec::new();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &as_json(&programme, today))?;
            writeln!(out)?;
        } else {
            write_tables(&mut out, &programme, today)?;
        }
        print(out)?;
        Ok(())
    }
}

/// Returns the first day of a month; no date for an impossible one.
fn month_of(year: i16, month: i8) -> BusinessDate {
    let (year, month) = (u16::try_from(year), u8::try_from(month));
    let date = year.ok().zip(month.ok()).and_then(|(y, m)| BusinessDate::new(y, m, 1));
    date.unwrap_or(BusinessDate::ZERO)
}

/// What a test can expect of a card: its state, or that it is past its last month.
fn status(card: &Card, today: BusinessDate) -> &'static str {
    match card.status {
        CardStatus::Active if card.expiry.is_over_on(today) => "expired",
        CardStatus::Sold => "not-activated",
        CardStatus::Active | CardStatus::Frozen | CardStatus::Lost | CardStatus::Cancelled => {
            card.status.word()
        }
    }
}

fn expiry(card: &Card) -> Option<String> {
    card.expiry.yymm().map(|yymm| format!("{yymm:04}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn tmk(terminal: &Terminal) -> Option<String> {
    terminal.tmk_in_clear.then(|| const_hex::encode_upper(terminal.tmk.expose()))
}

fn as_json(programme: &Programme, today: BusinessDate) -> Value {
    let terminals: Vec<_> = programme.terminals.iter().map(terminal_json).collect();
    let cards: Vec<_> =
        programme.cards.iter().map(|card| card_json(programme, card, today)).collect();
    json!({ "terminals": terminals, "cards": cards })
}

fn terminal_json(terminal: &Terminal) -> Value {
    json!({
        "tid": terminal.id.to_string(),
        "mid": terminal.merchant.to_string(),
        "tmk": tmk(terminal),
        "algorithm": terminal.algorithm.word(),
        "mac": terminal.mac.word(),
        "layout": terminal.layout.word(),
        "rights": Right::WORDS
            .iter()
            .filter(|(_, right)| terminal.rights.grant(*right))
            .map(|(word, _)| *word)
            .collect::<Vec<_>>(),
    })
}

fn card_json(programme: &Programme, card: &Card, today: BusinessDate) -> Value {
    let named = programme.product(card.product).is_some_and(|product| product.terms.named);
    let (opening, held) = (&card.opening, card.held.money());
    json!({
        "pan": text(card.pan.digits()),
        "pin": card.pin.as_ref().map(|pin| text(pin.expose())),
        "expiry": expiry(card),
        "product": card.product.0,
        "named": named,
        "status": status(card, today),
        "balance_fen": opening.money().fen(),
        "available_fen": opening.money().minus(held).fen(),
        "main_fen": opening.of(Purse::Main).fen(),
        "bonus_fen": opening.of(Purse::Bonus).fen(),
        "held_fen": held.fen(),
        "points": opening.of(Purse::Points).fen(),
    })
}

fn write_tables(out: &mut impl Write, kit: &Programme, today: BusinessDate) -> io::Result<()> {
    writeln!(out, "Test terminals and cards. Keys and PINs in this list are for tests only.\n")?;
    writeln!(
        out,
        "{:<9} {:<16} {:<10} {:<8} {:<10} tmk",
        "terminal", "merchant", "algorithm", "layout", "mac"
    )?;
    for terminal in &kit.terminals {
        writeln!(
            out,
            "{:<9} {:<16} {:<10} {:<8} {:<10} {}",
            terminal.id.to_string(),
            terminal.merchant.to_string(),
            terminal.algorithm.word(),
            terminal.layout.word(),
            terminal.mac.word(),
            tmk(terminal).unwrap_or("-".into()),
        )?;
    }
    writeln!(
        out,
        "\n{:<20} {:<7} {:<7} {:<14} {:>10} {:>9} {:>8}",
        "card", "pin", "expiry", "status", "balance", "held", "product"
    )?;
    for card in &kit.cards {
        let pin = card.pin.as_ref().map_or("-".into(), |pin| text(pin.expose()));
        writeln!(
            out,
            "{:<20} {:<7} {:<7} {:<14} {:>10} {:>9} {:>8}",
            text(card.pan.digits()),
            pin,
            expiry(card).unwrap_or("-".into()),
            status(card, today),
            card.opening.money().to_string(),
            or_dash(card.held.money()),
            card.product.0,
        )?;
    }
    Ok(())
}

fn or_dash(amount: Amount) -> String {
    if amount.is_zero() { "-".into() } else { amount.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> BusinessDate {
        month_of(2026, 11)
    }

    #[test]
    fn a_script_finds_a_card_in_every_state() {
        let kit = as_json(&Programme::demo(), today());
        let cards = kit["cards"].as_array().unwrap();
        let count = |status: &str| cards.iter().filter(|card| card["status"] == status).count();
        for status in ["active", "lost", "frozen", "expired", "not-activated", "cancelled"] {
            assert!(count(status) >= 1, "{status}");
        }
        let ready = cards.iter().filter(|card| {
            card["status"] == "active"
                && card["pin"] == "123456"
                && card["available_fen"].as_i64() >= Some(20_000)
        });
        assert!(ready.count() >= 40);
    }

    #[test]
    fn the_first_terminal_and_card_are_the_well_known_ones() {
        let kit = as_json(&Programme::demo(), today());
        let terminal = &kit["terminals"][0];
        assert_eq!(terminal["tid"], "10000001");
        assert_eq!(terminal["mid"], "898000000000001");
        assert_eq!(terminal["tmk"], "0123456789ABCDEFFEDCBA9876543210");
        assert_eq!(terminal["algorithm"], "3des");
        assert_eq!(terminal["layout"], "des-40a");
        assert_eq!(terminal["mac"], "union-pay");
        let card = &kit["cards"][0];
        assert_eq!(card["pan"], "6212142000000000012");
        assert_eq!(card["expiry"], "2912");
        assert_eq!(card["named"], false);
        assert_eq!(card["balance_fen"], 50_000);
    }

    #[test]
    fn a_key_from_elsewhere_is_not_printed() {
        let mut programme = Programme::demo();
        programme.terminals[0].tmk_in_clear = false;
        let kit = as_json(&programme, today());
        assert!(kit["terminals"][0]["tmk"].is_null());
        let mut out = Vec::new();
        write_tables(&mut out, &programme, today()).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("0123456789ABCDEF"));
    }

    #[test]
    fn tables_list_every_terminal_and_card() {
        let mut out = Vec::new();
        let programme = Programme::demo();
        write_tables(&mut out, &programme, today()).unwrap();
        let out = String::from_utf8(out).unwrap();
        for card in &programme.cards {
            assert!(out.contains(&text(card.pan.digits())));
        }
        assert!(out.contains("10000010  898000000000003  3des       des-40b  x919"));
    }
}
