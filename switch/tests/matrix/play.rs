//! Scripts, played line by line on a bench.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::issuing::{
    Acceptance, AcceptanceRule, CardStatus, Ceiling, Limits, PinPolicy, ProductId, Right, Rights,
    Terms,
};
use domain::ledger::{Parts, Purse, PurseOrder};
use domain::shard::{BatchEvent, Event};
use domain::terms::{Amount, BatchNo, Expiry, Pan, TerminalId};
use domain::txn::{Closing, Totals};
use routing::{Bin, Issuer, IssuerCode, IssuerKind, Prefix, Table};
use switch::programme::{Card, Product, Programme, Secret, Word as _};

use crate::bench::draft::Draft;
use crate::bench::{Bench, Heard, WAIT_MAX};
use crate::line::{Line, lines};
use crate::{answer, effect, form};

/// A terminal as scripts call it: its id, and its merchant.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) name: &'static str,
    pub(crate) merchant: &'static str,
}

/// T1 and T2 stand at one merchant, T5 at another; T9 has the national algorithms, T10 message
/// codes by X9.19; nobody knows T0.
const TERMINALS: [(&str, Setup); 6] = [
    ("T1", Setup { name: "10000001", merchant: "898000000000001" }),
    ("T2", Setup { name: "10000002", merchant: "898000000000001" }),
    ("T5", Setup { name: "10000005", merchant: "898000000000002" }),
    ("T9", Setup { name: "10000009", merchant: "898000000000003" }),
    ("T10", Setup { name: "10000010", merchant: "898000000000003" }),
    ("T0", Setup { name: "99999999", merchant: "898000000000001" }),
];

/// A request that was sent, and the answer.
pub(crate) struct Record {
    pub(crate) draft: Draft,
    pub(crate) heard: Heard,
    pub(crate) batch: u32,
    /// MMDD.
    pub(crate) date: String,
}

/// A bench, and what scripts have done with it.
pub(crate) struct World {
    pub(crate) bench: Bench,
    cards: BTreeMap<String, (String, String)>,
    records: BTreeMap<(String, u32), Record>,
}

/// Plays a script, and shows all of it if a line is not as it should be.
pub(crate) fn check(script: &str) {
    World::played(script);
}
impl World {
    /// Plays a script.
    pub(crate) fn played(script: &str) -> Self {
        let mut world = Self::new();
        let mut told = String::new();
        let mut failed = 0;
        for text in lines(script) {
            let faults = match Line::cut(text) {
                Some(line) => world.send(&line),
                None => {
                    world.set_up(text);
                    Vec::new()
                }
            };
            failed += usize::from(!faults.is_empty());
            let mark = if faults.is_empty() { "    " } else { "BAD " };
            writeln!(told, "{mark}{text}").unwrap();
            faults.iter().for_each(|fault| writeln!(told, "        {fault}").unwrap());
        }
        assert_eq!(failed, 0, "lines that are not as they should be:\n{told}");
        world
    }

    fn new() -> Self {
        let mut programme = Programme::demo();
        programme.cards.clear();
        // An issuer that is there, and has no line.
        let code = IssuerCode::parse("05010000").unwrap();
        let name = "Far Prepaid".to_owned();
        programme.issuers.push(Issuer { code, name, kind: IssuerKind::Partner, enabled: true });
        let prefix = Prefix::parse("625189").unwrap();
        programme.bins.push(Bin { prefix, pan_length: 16, issuer: code });
        programme.routes = Table::new(&programme.issuers, &programme.bins).unwrap();
        Self { bench: Bench::with(programme), cards: BTreeMap::new(), records: BTreeMap::new() }
    }

    pub(crate) fn terminal(&self, name: &str) -> Setup {
        let known = TERMINALS.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("no terminal {name}")).1
    }

    fn id(&self, terminal: &str) -> TerminalId {
        TerminalId::parse(self.terminal(terminal).name.as_bytes()).unwrap()
    }

    pub(crate) fn open_batch(&self, terminal: &str) -> u32 {
        let entry = self.bench.facts.terminals.get(self.id(terminal));
        entry.map_or(1, |entry| entry.open_batch().number())
    }

    /// Returns the totals of a terminal's open batch, as scripts write them.
    pub(crate) fn totals(&self, terminal: &str) -> String {
        let entry = self.bench.facts.terminals.get(self.id(terminal)).unwrap();
        let Totals { debit, debit_count, credit, credit_count } = entry.batches().open.totals();
        format!("{}/{debit_count}/{}/{credit_count}", debit.fen(), credit.fen())
    }

    pub(crate) fn record(&self, terminal: &str, stan: u32) -> &Record {
        let record = self.records.get(&(terminal.to_owned(), stan));
        record.unwrap_or_else(|| panic!("{terminal} has sent no {stan}"))
    }

    /// Returns number and expiry of a card; digits are the number of a stranger.
    pub(crate) fn number(&self, card: &str) -> (String, String) {
        match self.cards.get(card) {
            Some(known) => known.clone(),
            None if card.len() > 10 => (card.to_owned(), "2912".to_owned()),
            None => panic!("no card {card}"),
        }
    }

    /// Returns the answer to `2` or `T2:2`.
    pub(crate) fn answer_to(&self, line: &Line<'_>, of: &str) -> &Heard {
        let (terminal, stan) = of.split_once(':').unwrap_or((line.terminal(), of));
        &self.record(terminal, stan.parse().unwrap()).heard
    }

    /// Sends the request of a line; returns what is wrong with what came of it.
    fn send(&mut self, line: &Line<'_>) -> Vec<String> {
        let setup = self.terminal(line.terminal());
        if !line.has("cold") && self.bench.keys_of(setup.name).is_none() && line.terminal() != "T0"
        {
            self.bench.sign_on(setup.name);
        }
        let key = (line.terminal().to_owned(), line.stan());
        let draft = form::draft(self, line);
        let frame = self.bench.signed(&draft);
        let asked = Heard { frame: frame.clone() };
        let (state, money) = (self.bench.state(), self.bench.money());
        let waited = if line.has("late") { WAIT_MAX + 1 } else { 0 };
        let heard = self.bench.hear_after(waited, &frame);
        let mut faults = Vec::new();
        let code = match heard.code() {
            code if code == "no code" => "-".to_owned(),
            code => code,
        };
        if code != line.code {
            faults.push(format!("answers {code}"));
        }
        let is_same = line.expected.contains(&"same");
        if is_same && heard.frame != self.record(&key.0, key.1).heard.frame {
            faults.push("is not the answer it had".to_owned());
        }
        let is_done = matches!(code.as_str(), "00" | "10" | "-");
        if !is_done && self.bench.money() != money {
            faults.push("is refused, and moves money".to_owned());
        }
        if matches!(code.as_str(), "94" | "A0" | "97" | "03" | "30" | "40" | "77") || is_same {
            let is_as_before = self.bench.state() == state;
            faults.extend((!is_as_before).then(|| "changes what is remembered".to_owned()));
        }
        faults.extend(answer::faults(self, line, &asked, &heard));
        let date = self.bench.date_mmdd();
        let is_kept = !line.has("again") && !line.is_undo && code != "94";
        if is_kept || !self.records.contains_key(&key) {
            let f60 = asked.is_readable().then(|| asked.digits(60)).flatten();
            let batch = f60.map_or(0, |f60| f60[2..8].parse().unwrap());
            self.records.insert(key, Record { draft, heard, batch, date });
        }
        faults.extend(effect::faults(self, line));
        faults
    }

    /// Does what a line says that sends nothing.
    fn set_up(&mut self, text: &str) {
        let words: Vec<_> = text.split_whitespace().collect();
        let named: BTreeMap<_, _> = words.iter().filter_map(|word| word.split_once('=')).collect();
        match words[0] {
            "card" => self.add_card(words[1], &named),
            "time" => self.bench.set_time(&format!("{}:00+08:00", words[1])),
            "batch" => self.begin_batch(words[1], words[2].parse().unwrap()),
            "terminal" => {
                let id = self.id(words[1]);
                let setup = self.bench.programme.terminals.iter_mut().find(|t| t.id == id);
                setup.unwrap().rights = rights(named["rights"]);
                self.bench.provision();
            }
            "#" => {}
            other => panic!("no such line: {other}"),
        }
    }

    fn add_card(&mut self, name: &str, named: &BTreeMap<&str, &str>) {
        let number = u16::try_from(self.cards.len()).unwrap() + 1;
        let body = format!("621214{number:012}");
        let pan = format!("{body}{}", char::from(Pan::check_digit(body.as_bytes())));
        let amount =
            |key: &str| Amount::from_fen(named.get(key).map_or(0, |fen| fen.parse().unwrap()));
        let opening = Parts::only(Purse::Main, amount("main"))
            .plus(&Parts::only(Purse::Bonus, amount("bonus")))
            .plus(&Parts::only(Purse::Points, amount("points")));
        let expiry = named.get("expiry").copied().unwrap_or("2912");
        let status = named.get("status").copied().unwrap_or("active");
        let product = ProductId(1000 + number);
        self.bench.programme.products.push(Product {
            terms: terms(product, named),
            name: name.to_owned(),
            name_zh: name.to_owned(),
            valid_months: None,
        });
        self.bench.programme.cards.push(Card {
            pan: Pan::parse(pan.as_bytes()).unwrap(),
            pin: Some(Secret::new(named.get("pin").unwrap_or(&"246135").as_bytes().to_vec())),
            product,
            expiry: Expiry::from_yymm(expiry.parse().unwrap()).unwrap_or(Expiry::NEVER),
            status: CardStatus::of_word(status).unwrap_or_else(|| panic!("no status {status}")),
            opening,
            held: Parts::default(),
        });
        self.bench.provision();
        self.cards.insert(name.to_owned(), (pan, expiry.to_owned()));
    }

    /// Has a terminal's batches closed, elsewhere, until `number` is open.
    fn begin_batch(&mut self, terminal: &str, number: u32) {
        let id = self.id(terminal);
        let batch = BatchNo::new(self.open_batch(terminal)).unwrap();
        let (claimed, counted) = (Totals::default(), Totals::default());
        let shard = id.shard();
        let rrn = domain::terms::Rrn::of(shard, 0);
        let closing = Closing { batch, claimed, counted, rrn, at: self.bench.now.at };
        let next = BatchNo::new(number).unwrap();
        let event = BatchEvent::Closed { closing, next };
        self.bench.take_in(&Event::Batch { terminal: id, event });
    }
}

/// Reads `-refund,-sale` (all but these) or `sale,refund` (these).
fn rights(text: &str) -> Rights {
    let right = |name: &str| Right::of_word(name).unwrap_or_else(|| panic!("no right {name}"));
    text.split(',').fold(
        if text.starts_with('-') { Rights::ALL } else { Rights::default() },
        |rights, name| match name.strip_prefix('-') {
            Some(name) => rights.without(right(name)),
            None => rights.with(right(name)),
        },
    )
}

/// Reads the terms of a card: those of a plain product, and what the line says.
fn terms(product: ProductId, named: &BTreeMap<&str, &str>) -> Terms {
    let mut terms = Terms::plain(product);
    let number = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{text}"));
    let fen = |text: &str| Amount::from_fen(number(text));
    let mut limits = Limits::default();
    for (&key, &text) in named {
        match key {
            "policy" => {
                terms.pin = match text.split_once(':') {
                    Some((_above, limit)) => PinPolicy::Above(fen(limit)),
                    None => PinPolicy::Always,
                }
            }
            "named" => terms.named = true,
            "max" => terms.transaction_max = fen(text),
            "rights" => terms.rights = rights(text),
            "draw" => {
                let purse = |name| match name {
                    "bonus" => Purse::Bonus,
                    _ => Purse::Main,
                };
                terms.draw = text.split(',').map(purse).collect::<PurseOrder>();
            }
            "refund-days" => terms.refund_days = text.parse().unwrap(),
            "hold-days" => terms.hold_days = text.parse().unwrap(),
            "not-category" => {
                let rule = AcceptanceRule::NotCategory(text.parse().unwrap());
                terms.acceptance = Acceptance([rule].into());
            }
            "day" => limits.day = ceiling(text),
            "month" => limits.month = ceiling(text),
            _ => {}
        }
    }
    terms.limits = limits;
    terms
}

/// Reads `amount` or `amount/count`.
fn ceiling(text: &str) -> Ceiling {
    let (amount, count) = text.split_once('/').unwrap_or((text, "0"));
    Ceiling { amount: Amount::from_fen(amount.parse().unwrap()), count: count.parse().unwrap() }
}
