//! One line of a script, cut into words.
//!
//! ```text
//! card A main=50000 points=300              a card, active, without a PIN asked for
//! 5 sale 2 A 6000         | 00 A=44000      number and name of the transaction, trace number,
//! 6 void 3 A 6000 of=2    | 00 A=50000      card, amount | code of the answer, then what must
//! 13 undo void 3          | 00 A=44000      hold. Amounts are fen.
//! 5 sale 2 again          | 00 same         the same frame once more: the same answer
//! ```
//!
//! Of a request: `at=T2` (terminal; T1), `of=2` (its original), `batch=`, `pin=`, `new=`,
//! `claim=`, `d=`, `count=`, `tip=`, `reason=`, `mti=`, `f4=` (any field otherwise), `w4=` (its bytes), `-4` (without
//! it); `typed`, `chip`, `part` (takes a part), `cold` (no message code, no sign-on), `keeps` (a
//! reversal keeps F61), `late` (has waited too long for room). Of an answer: `f38=@2` (as in the answer to 2), `f54=`, `+38`, `-38`,
//! `digit=` (what the header asks), `same`. Of the books: `A` (main purse), `A.bonus`, `A.points`,
//! `A.free`, `A.held`, `A.status`, `A.tries`; `M1`, `till1`, `redeemed1`, `suspense`,
//! `points-suspense`; `T1` (totals of the open batch), `T1.batch`.

use std::collections::BTreeMap;

/// Words that stand for themselves, wherever they are.
const FLAGS: [&str; 8] = ["again", "late", "typed", "chip", "part", "cold", "keeps", "same"];

/// One line, cut into words.
#[derive(Clone, Debug)]
pub(crate) struct Line<'l> {
    pub(crate) text: &'l str,
    /// Number of the transaction in the specification.
    pub(crate) no: &'l str,
    /// True for the reversal of what is named.
    pub(crate) is_undo: bool,
    /// What the transaction is called.
    pub(crate) name: &'l str,
    /// Trace number, card and amount, as far as told.
    pub(crate) words: Vec<&'l str>,
    pub(crate) flags: Vec<&'l str>,
    pub(crate) named: BTreeMap<&'l str, &'l str>,
    /// Fields that are left out.
    pub(crate) without: Vec<u8>,
    /// The code.
    pub(crate) code: &'l str,
    /// What else must hold.
    pub(crate) expected: Vec<&'l str>,
}

impl<'l> Line<'l> {
    /// Cuts a line that sends something; `None` for one that sets something up.
    pub(crate) fn cut(text: &'l str) -> Option<Self> {
        let (asked, expected) = text.split_once('|')?;
        let mut expected = expected.split(';').next().unwrap_or_default().split_whitespace();
        let mut line = Self {
            text,
            no: "",
            is_undo: false,
            name: "",
            words: Vec::new(),
            flags: Vec::new(),
            named: BTreeMap::new(),
            without: Vec::new(),
            code: expected.next().unwrap_or_else(|| panic!("no code: {text}")),
            expected: expected.collect(),
        };
        let mut words = asked.split_whitespace();
        line.no = words.next()?;
        line.name = words.next()?;
        if line.name == "undo" {
            (line.is_undo, line.name) = (true, words.next()?);
        }
        for word in words {
            let field = word.strip_prefix('-').and_then(|field| field.parse().ok());
            match (word.split_once('='), field) {
                (Some((name, value)), _) => _ = line.named.insert(name, value),
                (None, Some(field)) => line.without.push(field),
                (None, None) if FLAGS.contains(&word) => line.flags.push(word),
                (None, None) => line.words.push(word),
            }
        }
        Some(line)
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    pub(crate) fn stan(&self) -> u32 {
        self.words.first().map_or(0, |stan| stan.parse().unwrap())
    }

    pub(crate) fn card(&self) -> Option<&'l str> {
        self.words.get(1).copied()
    }

    pub(crate) fn amount(&self) -> Option<u64> {
        self.words.get(2).map(|fen| fen.parse().unwrap())
    }

    pub(crate) fn terminal(&self) -> &'l str {
        self.named.get("at").copied().unwrap_or("T1")
    }
}

/// Returns the lines of a script that are not empty.
pub(crate) fn lines(script: &str) -> impl Iterator<Item = &str> {
    script.lines().map(str::trim).filter(|line| !line.is_empty())
}
