//! What terminals were told, against the journal.

use std::collections::{BTreeMap, BTreeSet};

use domain::shard::{Event, Transacted};
use domain::terms::{AuthCode, CardId, Rrn};
use domain::txn::{TxnKey, TxnKind};
use store::Entry;
use switch::message::response::ResponseCode;

use super::{Audit, Violation, ensure};
use crate::clock::WallClock;
use crate::history::{Asked, History, Told};
use crate::plan::Micros;

impl Audit {
    /// Checks every answer that any terminal has had.
    pub fn check_answers(&self, history: &History) -> Result<(), Violation> {
        let mut references = BTreeMap::new();
        for (asked, is_last) in with_last(&history.asked) {
            match &asked.told {
                Told::Nothing => {}
                Told::Approved { rrn, auth, .. } => {
                    self.check_approval(asked, rrn, auth.as_deref())?;
                    let other = references.insert(rrn, asked.key).unwrap_or(asked.key);
                    let is_alone = other == asked.key;
                    ensure(is_alone, "I13", || format!("{rrn} is {other:?} and {:?}", asked.key))?;
                }
                Told::Refused { code, rrn, auth, .. } => {
                    ensure(auth.is_none(), "I13", || format!("refused with a code: {asked:?}"))?;
                    self.check_refusal(asked, *code, rrn)?;
                    let what = (asked.key, asked.kind, asked.card);
                    let stands = is_last && self.stands(what, Some(asked.fen));
                    ensure(!stands, "I2", || format!("refused, and stands: {asked:?}"))?;
                }
            }
        }
        Ok(())
    }

    fn check_approval(
        &self,
        asked: &Asked,
        rrn: &str,
        auth: Option<&str>,
    ) -> Result<(), Violation> {
        let entry = self.entry_of(rrn);
        let t = entry.and_then(transacted).ok_or_else(|| {
            Violation::new("I1", &format!("approved, and not in the journal: {asked:?}"))
        })?;
        let is_the_one = t.key == asked.key
            && t.kind == asked.kind
            && t.card == asked.card
            && t.amount.fen() == asked.fen
            && t.outcome.is_ok();
        ensure(is_the_one, "I1", || format!("approved as {t:?}: {asked:?}"))?;
        let expected = entry.map(|entry| AuthCode::of(entry.shard, entry.seq).to_string());
        let has_code =
            if asked.kind.is_inquiry() { auth.is_none() } else { auth == expected.as_deref() };
        ensure(has_code, "I1", || format!("approved with another code: {asked:?}"))
    }

    /// Checks that a refusal that a shard gave is in the journal.
    fn check_refusal(&self, asked: &Asked, code: [u8; 2], rrn: &str) -> Result<(), Violation> {
        let is_of_a_shard = Rrn::parse(rrn.as_bytes()).is_some();
        if !is_of_a_shard || code == ResponseCode::DUPLICATE.0 {
            return Ok(());
        }
        let missing =
            || Violation::new("I2", &format!("refused, and not in the journal: {asked:?}"));
        let is_told = match &self.entry_of(rrn).ok_or_else(missing)?.event {
            Event::Transacted(t) if t.key == asked.key => match t.outcome {
                Err(refusal) => ResponseCode::from(refusal).0 == code,
                Ok(_) => {
                    self.reversed.contains_key(&t.key) && code == ResponseCode::ALREADY_UNDONE.0
                }
            },
            Event::Barred { key, .. } => {
                *key == asked.key && code == ResponseCode::ALREADY_UNDONE.0
            }
            _ => false,
        };
        ensure(is_told, "I2", || format!("refused otherwise than in the journal: {asked:?}"))
    }

    /// True if what is asked for was approved and is not reversed.
    fn stands(&self, (key, kind, card): (TxnKey, TxnKind, CardId), fen: Option<i64>) -> bool {
        let places = self.by_key.get(&key).into_iter().flatten();
        let mut found = places.filter_map(|&place| transacted(&self.entries[place]));
        let is_live = found.any(|t| {
            let is_same = (t.kind, t.card) == (kind, card);
            is_same && t.outcome.is_ok() && fen.is_none_or(|fen| t.amount.fen() == fen)
        });
        is_live && !self.reversed.contains_key(&key)
    }

    /// Checks the whole history, once nothing more happens. Entries are dated by `clock`.
    pub fn check_history(&self, history: &History, clock: &WallClock) -> Result<(), Violation> {
        self.check_answers(history)?;
        self.check_nobody_asked(history)?;
        let asked: Vec<_> = with_last(&history.asked).collect();
        for undone in history.undone.iter().filter(|undone| undone.is_done()) {
            let (asked, is_last) = asked[undone.asked];
            let stands = is_last && self.stands((asked.key, asked.kind, asked.card), None);
            ensure(!stands, "I6", || format!("told to be undone, and stands: {asked:?}"))?;
        }
        self.check_balances(history, clock)?;
        self.check_order(history, clock)?;
        self.check_sales()?;
        self.check_beliefs(history)
    }

    fn check_nobody_asked(&self, history: &History) -> Result<(), Violation> {
        let asked: BTreeSet<_> = history
            .asked
            .iter()
            .map(|asked| (asked.key, asked.kind, asked.card, asked.fen))
            .collect();
        let ours: BTreeSet<_> = history.asked.iter().map(|asked| asked.key.terminal).collect();
        for t in self.entries.iter().filter_map(transacted) {
            let what = (t.key, t.kind, t.card, t.amount.fen());
            let is_asked = !ours.contains(&t.key.terminal) || asked.contains(&what);
            ensure(is_asked, "I3", || format!("nobody asked for {t:?}"))?;
        }
        Ok(())
    }

    fn check_balances(&self, history: &History, clock: &WallClock) -> Result<(), Violation> {
        for asked in history.asked.iter().filter(|asked| asked.kind == TxnKind::Inquiry) {
            let Told::Approved { at, rrn, balance, .. } = &asked.told else { continue };
            let entry = self.entry_of(rrn).and_then(transacted).unwrap();
            let is_between = clock.showed(entry.at, asked.sent, *at);
            ensure(is_between, "I16", || format!("of another time than {asked:?}: {entry:?}"))?;
            let spendable = self.spendable.get(&Rrn::parse(rrn.as_bytes()).unwrap()).copied();
            let is_right = *balance == spendable;
            ensure(is_right, "I16", || format!("{spendable:?} may be spent: {asked:?}"))?;
        }
        Ok(())
    }

    /// What was answered before something else was sent for the same card stands before it.
    fn check_order(&self, history: &History, clock: &WallClock) -> Result<(), Violation> {
        let mut by_card: BTreeMap<CardId, Vec<(Micros, Micros, u64)>> = BTreeMap::new();
        for asked in &history.asked {
            let (Told::Approved { at, rrn, .. } | Told::Refused { at, rrn, .. }) = &asked.told
            else {
                continue;
            };
            let Some(entry) = self.entry_of(rrn) else { continue };
            // The answer to an earlier request with the same trace number says nothing of now.
            if entry.event.at().is_some_and(|decided| clock.showed(decided, asked.sent, *at)) {
                by_card.entry(asked.card).or_default().push((asked.sent, *at, entry.seq));
            }
        }
        for (card, asked) in by_card {
            for &(sent, _, seq) in &asked {
                let late = asked.iter().find(|other| other.1 < sent && other.2 > seq);
                ensure(late.is_none(), "I15", || format!("{card:?}: {late:?} before {seq}"))?;
            }
        }
        Ok(())
    }

    fn entry_of(&self, rrn: &str) -> Option<&Entry> {
        let place = *self.by_rrn.get(&Rrn::parse(rrn.as_bytes())?)?;
        Some(&self.entries[place])
    }
}

pub(super) fn transacted(entry: &Entry) -> Option<&Transacted> {
    match &entry.event {
        Event::Transacted(t) => Some(t),
        _ => None,
    }
}

/// Each request, and whether it is the last of its kind: a terminal that lost count may send the
/// same once more, and be told something else.
fn with_last(asked: &[Asked]) -> impl Iterator<Item = (&Asked, bool)> {
    let what = |asked: &Asked| (asked.key, asked.kind, asked.card, asked.fen);
    let last: BTreeMap<_, _> = asked.iter().enumerate().map(|(n, a)| (what(a), n)).collect();
    asked.iter().enumerate().map(move |(n, asked)| (asked, last.get(&what(asked)) == Some(&n)))
}
