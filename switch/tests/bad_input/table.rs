//! A table of cases, and how one is tried.

use std::fmt::Write as _;

use crate::bench::draft::{Draft, PAN, reversal, sale};
use crate::bench::{Bench, Ear};

/// What becomes of the money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Effect {
    /// Nothing at all changes: no shard, no batch.
    Nothing,
    /// A refusal or a bar is journalled, as it must be; balances and batches stay as they are.
    NoMoney,
    /// The cards own so many fen less than before.
    Pays(i64),
}

/// Makes a bad request out of a good sale.
type Bend = Box<dyn Fn(&mut Draft, &Bench)>;

/// One case: what is sent, and what must come of it.
pub(crate) struct Row {
    /// The row of the catalogue.
    pub(crate) id: &'static str,
    /// What is wrong, and why it is answered like this where that is not plain.
    pub(crate) what: &'static str,
    /// What happens before.
    pub(crate) before: fn(&mut Bench),
    /// Makes the request out of a good sale.
    pub(crate) bend: Bend,
    /// F39, `no code`, or `dropped`.
    pub(crate) code: &'static str,
    /// What becomes of the money.
    pub(crate) effect: Effect,
    /// Words that stand in one line of what the switch says of it; none if it says nothing.
    pub(crate) said: &'static [&'static str],
    /// True if the answer is the one before, word for word: reference, time and code.
    pub(crate) repeats: bool,
}

/// A case in which a sale is sent that nothing was done to before.
pub(crate) fn row(
    id: &'static str,
    what: &'static str,
    bend: impl Fn(&mut Draft, &Bench) + 'static,
    code: &'static str,
) -> Row {
    let (bend, effect) = (Box::new(bend), Effect::Nothing);
    Row { id, what, before: |_| {}, bend, code, effect, said: &[], repeats: false }
}

impl Row {
    /// The same after something else.
    pub(crate) fn after(self, before: fn(&mut Bench)) -> Self {
        Self { before, ..self }
    }

    /// The same with another effect.
    pub(crate) fn with(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// The same, and a line of counters or log holds all of these words.
    pub(crate) fn says(self, said: &'static [&'static str]) -> Self {
        Self { said, ..self }
    }

    /// The same, and the answer is the one before.
    pub(crate) fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    /// Tries the case; returns what is wrong with the outcome.
    fn faults(&self) -> (String, Vec<String>) {
        let ear = Ear::new();
        let (code, mut faults) = ear.listen(|| {
            let mut bench = Bench::new();
            (self.before)(&mut bench);
            let (state, money, fen) = (bench.state(), bench.money(), bench.fen());
            let mut draft = sale(bench.keys());
            (self.bend)(&mut draft, &bench);
            let before = bench.last.clone();
            let heard = bench.send(&draft);
            let code = heard.code();
            let mut faults = Vec::new();
            if code != self.code {
                faults.push(format!("answers {code}"));
            }
            if self.repeats {
                let fields = [37, 38, 39].map(|f| (before.text(f), heard.text(f)));
                let times = [12, 13, 15].map(|f| (before.digits(f), heard.digits(f)));
                if fields.iter().chain(&times).any(|(before, now)| before != now) {
                    faults.push("is not the answer before".into());
                }
            }
            match self.effect {
                Effect::Nothing if bench.state() != state => faults.push("changes state".into()),
                Effect::NoMoney if bench.money() != money => faults.push("moves money".into()),
                Effect::NoMoney if bench.state() == state => {
                    faults.push("leaves no entry".into());
                }
                Effect::Pays(fen_paid) if fen - bench.fen() != fen_paid => {
                    faults.push(format!("pays {} fen", fen - bench.fen()));
                }
                Effect::Nothing | Effect::NoMoney | Effect::Pays(_) => {}
            }
            (code, faults)
        });
        let said = ear.said();
        let is_said = said.lines().any(|line| self.said.iter().all(|word| line.contains(word)));
        if !is_said {
            faults.push(format!("does not say {:?}", self.said));
        }
        if said.contains(&PAN[6..]) {
            faults.push("tells a card number".into());
        }
        (code, faults)
    }
}

/// Before a case: the good sale was made.
pub(crate) fn sold(bench: &mut Bench) {
    let sale = sale(bench.keys());
    assert_eq!(bench.send(&sale).code(), "00");
}

/// Before a case: the good sale was made and reversed.
pub(crate) fn reversed(bench: &mut Bench) {
    sold(bench);
    let reversal = reversal(bench.keys());
    assert_eq!(bench.send(&reversal).code(), "00");
}

/// Tries every case, and shows all of them if one fails.
pub(crate) fn check(rows: &[Row]) {
    let mut table = String::new();
    let mut failed = 0;
    for row in rows {
        let (code, faults) = row.faults();
        let verdict = if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") };
        failed += usize::from(!faults.is_empty());
        let Row { id, what, code: wanted, effect, .. } = row;
        let effect = format!("{effect:?}");
        writeln!(table, "{id:4} {wanted:8} {code:8} {effect:12} {what}: {verdict}").unwrap();
    }
    assert_eq!(failed, 0, "id   wanted   got      effect\n{table}");
}
