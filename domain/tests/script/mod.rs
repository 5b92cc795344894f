//! A script of commands, one a line, and what each must be answered.
//!
//! ```text
//! card A main=100 bonus=20                  a card, in the shard of every other
//! sale 1 A 60                | ok A=60      trace number, card, amount | verdict, and then
//! void 2 A 60 of=1 at=T2     | -CardDiffers balances that must hold
//! ```
//!
//! Terminals T1 and T2 stand at merchant M1, T3 at M2. A line is sent at T1, in its open batch,
//! without a PIN, unless `at=`, `batch=` or `pin=` say otherwise. A verdict is `ok`, `-Refusal`,
//! or `again`: what the key was answered first, save for what may be spent now, and nothing to
//! journal. Every kind of transaction has its name, with hyphens. Every event is inspected, undone
//! and applied again, and the books must balance after each line.

mod words;

use std::collections::BTreeMap;

use domain::books::Books;
use domain::issuing::{Acceptance, MerchantTraits, PinPolicy};
use domain::ledger::{LedgerAccount, Parts, Purse, Unit};
use domain::risk::PinFact;
use domain::shard::{Answer, Command, Detail, Event, NewPin, Original, Request, Reversal, Upload};
use domain::terms::{
    Amount, AuthCode, BatchNo, BusinessDate, CardId, Expiry, Refusal, ShardNo, TerminalId,
    Timestamp,
};
use domain::txn::{TxnKey, TxnKind};
use words::{
    batch, date, detail, details, kind, known_kind, limits, merchant, right, rule, stan, status,
    terminal, totals,
};

use crate::fixtures;

/// Plays `script` from empty books.
pub(crate) fn check(script: &str) {
    let mut world = World::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.play(line);
    }
}

/// Returns what a repeat says again: all but what may be spent or loaded, which is that of now.
fn said(answer: &Answer) -> Answer {
    let mut said = answer.clone();
    match &mut said.detail {
        Detail::Approval { parts, available, .. } => {
            (*parts, *available) = (Parts::default(), Amount::ZERO);
        }
        Detail::Room(room) => *room = Amount::ZERO,
        _ => {}
    }
    said
}

/// Returns the business date that scripts begin on.
pub(crate) fn first_date() -> BusinessDate {
    BusinessDate::new(2026, 11, 22).unwrap()
}

struct World {
    books: Books,
    now: i64,
    cards: BTreeMap<String, CardId>,
    first_answers: BTreeMap<TxnKey, Answer>,
}

/// One line, cut into words: what comes first, and `name=value`.
struct Line<'l> {
    text: &'l str,
    words: Vec<&'l str>,
    named: BTreeMap<&'l str, &'l str>,
    expected: Vec<&'l str>,
}

impl<'l> Line<'l> {
    fn cut(text: &'l str) -> Self {
        let (told, expected) = text.split_once('|').unwrap_or((text, "ok"));
        let (named, words) =
            told.split_whitespace().partition::<Vec<_>, _>(|word| word.contains('='));
        let named = named.iter().map(|word| word.split_once('=').unwrap()).collect();
        Self { text, words, named, expected: expected.split_whitespace().collect() }
    }

    fn amount(&self, name: &str) -> Option<i64> {
        self.named.get(name).map(|text| text.parse().unwrap())
    }

    fn fen(&self, place: usize) -> Amount {
        Amount::from_fen(self.words[place].parse().unwrap())
    }

    fn terminal(&self) -> TerminalId {
        terminal(self.named.get("at").unwrap_or(&"T1"))
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

impl World {
    fn new() -> Self {
        let books = Books::default();
        let mut world =
            Self { books, now: 0, cards: BTreeMap::new(), first_answers: BTreeMap::new() };
        for (number, at) in [(1, 1), (2, 1), (3, 2)] {
            let terminal = fixtures::terminal(number);
            let profile = fixtures::profile(fixtures::merchant(at));
            world.say(terminal.shard(), &Command::RegisterTerminal { terminal, profile });
        }
        world.cut_off(first_date());
        world
    }

    fn cut_off(&mut self, date: BusinessDate) {
        ShardNo::all().for_each(|shard| {
            self.say(shard, &Command::CutOff(date));
        });
    }

    /// Decides, inspects, applies, undoes, applies again. Returns the answer, and whether there
    /// was an event.
    fn say(&mut self, shard: ShardNo, command: &Command) -> (Answer, bool) {
        self.now += 1_000;
        let decision = self.books.shard(shard).decide(command, Timestamp(self.now));
        if let Some(event) = &decision.event {
            self.books.inspect(shard, event).unwrap();
            let mut ahead = self.books.shard(shard).clone();
            let undo = ahead.undo_of(event);
            ahead.apply(event);
            ahead.undo(undo);
            assert_eq!(ahead, *self.books.shard(shard), "{event:?} was not undone");
            self.books.apply(shard, event);
        }
        let is_noted = decision.event.is_some();
        (decision.answer, is_noted)
    }

    fn play(&mut self, text: &str) {
        let line = Line::cut(text);
        let (answer, is_noted) = match line.words[0] {
            "card" => return self.open(&line),
            "date" => return self.cut_off(date(line.words[1])),
            name if known_kind(name).is_some() => self.transact(&line),
            "reverse" => self.reverse(&line),
            _ => self.at_terminal(&line),
        };
        match line.expected[0] {
            "ok" => assert_eq!(answer.verdict, Ok(()), "{text}"),
            "again" => {
                let first = &self.first_answers[&self.key(&line)];
                assert_eq!((said(&answer), is_noted), (said(first), false), "{text}");
            }
            refusal => {
                let refusal = refusal.strip_prefix('-').unwrap();
                assert_eq!(format!("{:?}", answer.verdict.unwrap_err()), refusal, "{text}");
            }
        }
        for expected in &line.expected[1..] {
            self.verify(expected, &answer, is_noted, text);
        }
        assert_eq!(self.books.imbalance(Unit::Fen), Amount::ZERO, "{text}");
        assert_eq!(self.books.imbalance(Unit::Points), Amount::ZERO, "{text}");
    }

    fn key(&self, line: &Line<'_>) -> TxnKey {
        let terminal = line.terminal();
        TxnKey { terminal, batch: self.batch(line, terminal), stan: stan(line.words[1]) }
    }

    fn batch(&self, line: &Line<'_>, terminal: TerminalId) -> BatchNo {
        let known = self.books.shard(terminal.shard()).terminal(terminal);
        line.named.get("batch").map_or_else(|| known.unwrap().open_batch, |text| batch(text))
    }

    fn open(&mut self, line: &Line<'_>) {
        let home = if line.has("elsewhere") { ShardNo(1) } else { ShardNo(0) };
        let id = fixtures::cards_of(home).nth(self.cards.len()).unwrap();
        let money = |name| line.amount(name).unwrap_or(0);
        let mut issued = fixtures::card(id, fixtures::purses(money("main"), money("bonus")));
        let points = Parts::only(Purse::Points, Amount::from_fen(money("points")));
        issued.opening = issued.opening.plus(&points);
        issued.held = fixtures::purses(money("held"), money("heldbonus"));
        issued.terms.named = line.has("named");
        for (&name, &value) in &line.named {
            match name {
                "pin" if value == "always" => issued.terms.pin = PinPolicy::Always,
                "pin" => {
                    let above = Amount::from_fen(value.parse().unwrap());
                    issued.terms.pin = PinPolicy::Above(above);
                }
                "max" => issued.terms.transaction_max = Amount::from_fen(value.parse().unwrap()),
                "days" => issued.terms.refund_days = value.parse().unwrap(),
                "without" => {
                    let rights = value.split(',').map(right);
                    issued.terms.rights =
                        rights.fold(issued.terms.rights, |rights, right| rights.without(right));
                }
                "at" => issued.terms.acceptance = Acceptance(value.split(',').map(rule).collect()),
                "limits" => issued.terms.limits = limits(value),
                "completion" => issued.terms.completion_percent = value.parse().unwrap(),
                "tip" => issued.terms.tip_percent = value.parse().unwrap(),
                "holddays" => issued.terms.hold_days = value.parse().unwrap(),
                "expiry" => issued.expiry = Expiry::from_yymm(value.parse().unwrap()).unwrap(),
                "status" => issued.status = status(value),
                "main" | "bonus" | "points" | "held" | "heldbonus" => {}
                other => panic!("no {other} of a card"),
            }
        }
        self.cards.insert(line.words[1].to_owned(), id);
        if line.has("anyway") {
            // From a journal older than the rule that would refuse it.
            self.books.apply(home, &Event::CardIssued(Box::new(issued)));
            return;
        }
        let (answer, _) = self.say(home, &Command::IssueCard(Box::new(issued)));
        let told = answer.verdict.map_or_else(|refusal| format!("-{refusal:?}"), |()| "ok".into());
        assert_eq!(told, line.expected[0], "{}", line.text);
    }

    fn transact(&mut self, line: &Line<'_>) -> (Answer, bool) {
        let key = self.key(line);
        let card = self.card(line.words[2]);
        let at = self.books.shard(key.terminal.shard()).terminal(key.terminal).unwrap();
        let request = Request {
            merchant: line.named.get("merchant").map_or(at.profile.merchant, |name| merchant(name)),
            amount: if line.words.len() > 3 { line.fen(3) } else { Amount::ZERO },
            pin: match line.named.get("pin") {
                None => PinFact::Absent,
                Some(&"right") => PinFact::Right,
                Some(_) => PinFact::Wrong,
            },
            by_mail: line.has("bymail"),
            takes_part: line.has("part"),
            traits: MerchantTraits {
                category: line.amount("category").unwrap_or(0).try_into().unwrap(),
                brand: line.amount("brand").unwrap_or(0).try_into().unwrap(),
                region: line.amount("region").unwrap_or(0).try_into().unwrap(),
                goods: line.amount("goods").unwrap_or(0).try_into().unwrap(),
            },
            new_pin: line.named.get("newpin").map(|text| match text.parse() {
                Ok(number) => NewPin::Fit([number; 8]),
                Err(_) => NewPin::Unfit,
            }),
            original: line.named.get("of").map(|of| self.original(line, key, of)),
            only_repeats: match (line.has("closed"), line.has("mayonlyrepeat")) {
                (true, _) => Some(Refusal::BatchDiffers),
                (false, true) => Some(Refusal::TerminalMayNot),
                (false, false) => None,
            },
            ..fixtures::request(key, kind(line.words[0]), card)
        };
        let said = self.say(card.shard(), &Command::Transact(request));
        self.first_answers.entry(key).or_insert_with(|| said.0.clone());
        said
    }

    /// Reads `of=stan` or `of=terminal/batch/stan`, and says of it what its answer said.
    fn original(&self, line: &Line<'_>, key: TxnKey, of: &str) -> Original {
        let mut parts = of.rsplit('/');
        let stan = stan(parts.next().unwrap());
        let batch = parts.next().map_or(key.batch, batch);
        let terminal = parts.next().map_or(key.terminal, terminal);
        let first = self.first_answers.get(&TxnKey { terminal, batch, stan });
        let auth = first.and_then(|answer| match answer.detail {
            Detail::Approval { auth, .. } => Some(auth),
            _ => None,
        });
        let rrn = match line.named.get("rrn") {
            None => first.map(|answer| answer.rrn),
            Some(&"none") => None,
            Some(of) => {
                let other = TxnKey { terminal, batch, stan: self::stan(of) };
                Some(self.first_answers[&other].rrn)
            }
        };
        Original {
            rrn,
            auth: match (line.has("badauth"), line.has("noauth")) {
                (true, _) => Some(AuthCode(*b"xxxxxx")),
                (false, true) => None,
                (false, false) => auth,
            },
            batch: (!line.has("unnumbered")).then_some(batch),
            stan: (!line.has("unnumbered")).then_some(stan),
            other_card: line.has("othercard"),
        }
    }

    fn reverse(&mut self, line: &Line<'_>) -> (Answer, bool) {
        let key = self.key(line);
        let card = self.card(line.words[2]);
        let terminal = self.books.shard(key.terminal.shard()).terminal(key.terminal).unwrap();
        let at = terminal.profile.merchant;
        let reversal = Reversal {
            key,
            kind: line.named.get("as").map_or(TxnKind::Sale, |name| kind(name)),
            card,
            merchant: line.named.get("merchant").map_or(at, |name| merchant(name)),
            amount: line.fen(3),
            batch_is_open: terminal.open_batch == key.batch,
        };
        self.say(card.shard(), &Command::Reverse(reversal))
    }

    fn at_terminal(&mut self, line: &Line<'_>) -> (Answer, bool) {
        let terminal = line.terminal();
        let command = match line.words[0] {
            "bar" => Command::Bar(self.key(line)),
            "signon" => Command::SignOn { terminal, sealed_keys: line.words[1].as_bytes().into() },
            "signoff" => Command::SignOff(terminal),
            "close" => {
                let open = self.books.batches(terminal).map(|batches| batches.open.totals());
                let counted = open.unwrap_or_default();
                let claimed = line.named.get("claimed").map_or(counted, |text| totals(text));
                Command::CloseBatch { terminal, batch: batch(line.words[1]), claimed, counted }
            }
            "upload" => Command::Upload(Upload {
                terminal,
                batch: batch(line.words[1]),
                details: details(line.words[2]),
            }),
            "end" => {
                let closed = self.books.batches(terminal).and_then(|b| b.closed.as_ref());
                let booked = closed.map(|batch| batch.counted().collect()).unwrap_or_default();
                Command::EndBatch { terminal, batch: batch(line.words[1]), booked }
            }
            other => panic!("no command {other}"),
        };
        self.say(terminal.shard(), &command)
    }

    fn card(&self, name: &str) -> CardId {
        self.cards.get(name).copied().unwrap_or(CardId(u64::MAX))
    }

    /// Verifies `noted`, `quiet`, or `what=value`.
    fn verify(&self, expected: &str, answer: &Answer, is_noted: bool, text: &str) {
        let Some((what, value)) = expected.split_once('=') else {
            assert_eq!(is_noted, expected == "noted", "{expected}: {text}");
            assert!(["noted", "quiet"].contains(&expected), "{expected}: {text}");
            return;
        };
        let found = match what.split_once('.').unwrap_or((what, "")) {
            ("detail", "") => detail(&answer.detail),
            ("date", "") => answer.date.yyyymmdd().to_string(),
            ("suspense", "") => self.ledger(LedgerAccount::Suspense),
            (name, "") if name.starts_with('M') => {
                self.ledger(LedgerAccount::Merchant(merchant(name)))
            }
            (name, "loads") => self.ledger(LedgerAccount::TopUps(merchant(name))),
            (name, "points") if name.starts_with('M') => {
                self.ledger(LedgerAccount::PointsRedeemed(merchant(name)))
            }
            ("points-suspense", "") => self.ledger(LedgerAccount::PointsSuspense),
            ("approved", "") => match answer.detail {
                Detail::Approval { approved, .. } => approved.fen().to_string(),
                _ => "none".into(),
            },
            ("left", "") => match answer.detail {
                Detail::Approval { available, .. } => available.fen().to_string(),
                _ => "none".into(),
            },
            (name, "totals") => {
                let batches = self.books.batches(terminal(name)).unwrap();
                let totals = batches.open.totals();
                format!(
                    "{}/{}/{}/{}",
                    totals.debit.fen(),
                    totals.debit_count,
                    totals.credit.fen(),
                    totals.credit_count
                )
            }
            (name, "bars") => {
                let terminal = terminal(name);
                let known = self.books.shard(terminal.shard()).terminal(terminal).unwrap();
                known.bars.len().to_string()
            }
            (name, part) => self.of_card(self.cards[name], part),
        };
        assert_eq!(found, value, "{what}: {text}");
    }

    fn ledger(&self, account: LedgerAccount) -> String {
        let found = self.books.ledger().find(|(known, _)| *known == account);
        found.map_or(0, |(_, balance)| balance.fen()).to_string()
    }

    fn of_card(&self, card: CardId, part: &str) -> String {
        let account = self.books.shard(card.shard()).account(card).unwrap();
        let ledger = account.balances.ledger();
        match part {
            "" => ledger.money().fen().to_string(),
            "main" => ledger.of(Purse::Main).fen().to_string(),
            "bonus" => ledger.of(Purse::Bonus).fen().to_string(),
            "points" => ledger.of(Purse::Points).fen().to_string(),
            "status" => format!("{:?}", account.status),
            "pin" => account.identity.pin.unwrap()[0].to_string(),
            "free" => account.balances.available().money().fen().to_string(),
            "pins" => account.wrong_pins.to_string(),
            "held" => ledger.minus(&account.balances.available()).money().fen().to_string(),
            other => panic!("no {other} of a card"),
        }
    }
}
