//! The same for a load: millions of slips in little room, against a journal that is read once.

use std::collections::BTreeMap;

use super::{Entry, Key, Reversal, Seen, Told, Violation, judge};
use crate::fen::Fen;
use crate::ids::{BatchNo, Stan, TerminalId};
use crate::terminal::SlipKind;

/// What a terminal knows of one of its transactions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slip {
    /// Its trace number.
    pub stan: Stan,
    /// What it is for.
    pub kind: SlipKind,
    /// Its amount.
    pub amount: Fen,
    /// What the terminal was told.
    pub told: Told,
    /// The reference of the answer, if one came.
    pub rrn: Option<[u8; 12]>,
    /// What it knows of a reversal.
    pub reversal: Reversal,
}

/// The slips of one batch of each terminal, and what the journal has of them so far.
#[derive(Debug, Default)]
pub struct Slips {
    batches: BTreeMap<(TerminalId, BatchNo), Vec<Row>>,
    strangers: Vec<Key>,
}

#[derive(Debug)]
struct Row {
    slip: Slip,
    booked: Option<Booked>,
}

/// The approved entries of one slip: their number, and the last of them.
#[derive(Clone, Copy, Debug)]
struct Booked {
    times: usize,
    kind: SlipKind,
    amount: Fen,
    reversed: bool,
    rrn: Option<[u8; 12]>,
}

/// How slips and journal compare.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    /// Slips.
    pub slips: u64,
    /// Those that the terminal saw approved, and knows to stand.
    pub approved: u64,
    /// What those come to.
    pub sum: Fen,
    /// Those whose outcome the terminal does not know: the journal may have them or not.
    pub unknown: u64,
    /// What does not agree.
    pub violations: u64,
    /// The first of it.
    pub first: Vec<Violation>,
}

/// Violations that a verdict shows.
const SHOWN: usize = 10;

impl Slips {
    /// Adds the slips of a terminal's batch.
    pub fn add(&mut self, terminal: TerminalId, batch: BatchNo, slips: &[Slip]) {
        let rows = self.batches.entry((terminal, batch)).or_default();
        rows.extend(slips.iter().map(|slip| Row { slip: *slip, booked: None }));
        rows.sort_by_key(|row| row.slip.stan);
    }

    /// Takes in an entry of the journal.
    pub fn transacted(&mut self, entry: &Entry) {
        if !entry.approved {
            return;
        }
        let Some(row) = self.row(&entry.key) else {
            self.strangers.push(entry.key);
            return;
        };
        let times = row.booked.map_or(0, |booked| booked.times).saturating_add(1);
        row.booked = Some(Booked {
            times,
            kind: entry.kind,
            amount: entry.amount,
            reversed: entry.reversed,
            rrn: entry.rrn.as_ref().and_then(|rrn| rrn.as_bytes().try_into().ok()),
        });
    }

    /// Takes in that the journal undoes a transaction.
    pub fn reversed(&mut self, key: &Key) {
        if let Some(booked) = self.row(key).and_then(|row| row.booked.as_mut()) {
            booked.reversed = true;
        }
    }

    fn row(&mut self, key: &Key) -> Option<&mut Row> {
        let rows = self.batches.get_mut(&(key.terminal, key.batch))?;
        let found = rows.binary_search_by_key(&key.stan, |row| row.slip.stan).ok()?;
        rows.get_mut(found)
    }

    /// Compares, once the whole journal was taken in.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for key in &self.strangers {
            verdict.note(Violation::NobodyAsked(*key));
        }
        for ((terminal, batch), rows) in &self.batches {
            for row in rows {
                let key = Key { terminal: *terminal, batch: *batch, stan: row.slip.stan };
                verdict.count(&row.slip);
                if let Some(violation) = row.judge(key) {
                    verdict.note(violation);
                }
            }
        }
        verdict
    }
}

impl Row {
    fn judge(&self, key: Key) -> Option<Violation> {
        let text = |rrn: [u8; 12]| String::from_utf8_lossy(&rrn).into_owned();
        let Slip { kind, amount, told, rrn, reversal, .. } = self.slip;
        let seen = Seen { key, kind, amount, told, rrn: rrn.map(text), reversal };
        let Some(booked) = self.booked else { return judge(&seen, &[]) };
        let entry = Entry {
            key,
            kind: booked.kind,
            amount: booked.amount,
            approved: true,
            reversed: booked.reversed,
            rrn: booked.rrn.map(text),
        };
        judge(&seen, &vec![&entry; booked.times])
    }
}

impl Verdict {
    fn note(&mut self, violation: Violation) {
        self.violations = self.violations.saturating_add(1);
        if self.first.len() < SHOWN {
            self.first.push(violation);
        }
    }

    fn count(&mut self, slip: &Slip) {
        self.slips = self.slips.saturating_add(1);
        if slip.told == Told::Approved && slip.reversal == Reversal::None {
            self.approved = self.approved.saturating_add(1);
            self.sum = self.sum.plus(slip.amount);
        } else if slip.reversal == Reversal::Unknown {
            self.unknown = self.unknown.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: TerminalId = TerminalId(*b"20000001");

    fn slip(stan: u32, told: Told, reversal: Reversal) -> Slip {
        let stan = Stan::new(stan).unwrap();
        let rrn = Some(*b"011510150001");
        Slip { stan, kind: SlipKind::Sale, amount: Fen(1), told, rrn, reversal }
    }

    fn entry(stan: u32, amount: u64) -> Entry {
        let stan = Stan::new(stan).unwrap();
        Entry {
            key: Key { terminal: TERMINAL, batch: BatchNo::FIRST, stan },
            kind: SlipKind::Sale,
            amount: Fen(amount),
            approved: true,
            reversed: false,
            rrn: Some("011510150001".to_owned()),
        }
    }

    fn verdict(slips: &[Slip], entries: &[Entry]) -> Verdict {
        let mut all = Slips::default();
        all.add(TERMINAL, BatchNo::FIRST, slips);
        entries.iter().for_each(|entry| all.transacted(entry));
        all.verdict()
    }

    #[test]
    fn slips_and_journal_agree_or_the_first_that_does_not_is_named() {
        let stands = slip(7, Told::Approved, Reversal::None);
        let silent = slip(8, Told::Nothing, Reversal::Unknown);
        let refused = slip(9, Told::Refused, Reversal::None);
        let all = [stands, silent, refused];
        let good = verdict(&all, &[entry(7, 1)]);
        assert_eq!((good.slips, good.approved, good.sum), (3, 1, Fen(1)));
        assert_eq!((good.unknown, good.violations), (1, 0));
        assert_eq!(verdict(&all, &[entry(7, 1), entry(8, 1)]).violations, 0);

        let first = |entries: &[Entry]| verdict(&all, entries).first.first().copied();
        let key = |stan| entry(stan, 1).key;
        assert_eq!(first(&[]), Some(Violation::Lost(key(7))));
        assert_eq!(first(&[entry(7, 2)]), Some(Violation::Differs(key(7), "amount")));
        assert_eq!(first(&[entry(7, 1), entry(7, 1)]), Some(Violation::Twice(key(7), 2)));
        assert_eq!(first(&[entry(7, 1), entry(9, 1)]), Some(Violation::Applied(key(9))));
        assert_eq!(first(&[entry(7, 1), entry(6, 1)]), Some(Violation::NobodyAsked(key(6))));
    }

    #[test]
    fn what_is_undone_stands_nowhere() {
        let undone = slip(7, Told::Approved, Reversal::Confirmed);
        let mut all = Slips::default();
        all.add(TERMINAL, BatchNo::FIRST, &[undone]);
        all.transacted(&entry(7, 1));
        let key = entry(7, 1).key;
        assert_eq!(all.verdict().first, [Violation::NotReversed(key)]);
        all.reversed(&key);
        assert_eq!((all.verdict().violations, all.verdict().approved), (0, 0));
    }
}
