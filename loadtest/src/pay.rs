//! One bill paid with several tenders.
//!
//! The first card is asked for the whole bill and may pay a part of it; the next is asked for the
//! rest. If the tenders do not suffice, or the cashier gives up, what was paid is voided, the
//! latest first. A leg whose outcome nobody saw is reversed before anything else.
//!
//! [`Payment`] decides and touches nothing; [`Station::pay`] does what it says.

use crate::code::Code;
use crate::fen::Fen;
use crate::ids::Stan;
use crate::station::{Exchange, Station, StationError};
use crate::terminal::{PartialApproval, Presented, Terminal};

/// How often a void is tried whose outcome nobody saw.
const VOIDS_MAX: u8 = 2;
/// How often a reversal is sent before the payment is left as it is.
const REVERSALS_MAX: u8 = 3;

/// What a bill is paid with.
#[derive(Clone, Copy, Debug)]
pub enum Tender<'c> {
    /// A card.
    Card(Presented<'c>),
    /// Coins and notes: they pay whatever is left.
    Cash,
}

/// How a tender ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// It was not needed, or not reached.
    NotTried,
    /// It paid this.
    Paid {
        /// The trace number of its sale; cash has none.
        sale: Option<Stan>,
        /// How much.
        amount: Fen,
    },
    /// The host said no.
    Refused(Code),
    /// Nobody saw the outcome, and it was reversed.
    Reversed,
    /// It had paid, and was voided.
    Voided(Fen),
    /// It had paid, and could not be voided: it still pays this.
    NotVoided {
        /// The trace number of its sale.
        sale: Stan,
        /// How much.
        amount: Fen,
        /// Why the host did not void it; `None` if it could not be asked.
        code: Option<Code>,
    },
    /// Nobody saw the outcome, and a reversal is still owed.
    InDoubt,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Ask this tender for an amount.
    Sell {
        /// Its place.
        tender: usize,
        /// What is still due.
        amount: Fen,
    },
    /// Send the reversal that the terminal owes.
    Reverse,
    /// Void the sale of this tender.
    Void {
        /// Its place.
        tender: usize,
        /// Its sale.
        sale: Stan,
    },
    /// Nothing: the payment is over.
    Nothing,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The sale was approved for this amount, or the void or reversal is done.
    Done {
        /// The trace number, if it was a sale with a card.
        sale: Option<Stan>,
        /// The amount.
        amount: Fen,
    },
    /// The host said no.
    Refused(Code),
    /// It was sent, and nobody saw the outcome.
    Silence,
    /// It could not be sent.
    NotSent,
}

/// Whether the bill is still to be paid, or what was paid to be given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Aim {
    Pay,
    GiveBack,
}

/// The payment of one bill.
#[derive(Clone, Debug)]
pub struct Payment {
    due: Fen,
    ended: Vec<Ended>,
    aim: Aim,
    /// The next tender to be asked.
    next: usize,
    /// The tender whose sale or void must be reversed.
    unseen: Option<usize>,
    /// Tries of the void under way.
    voids: u8,
    is_stuck: bool,
}

impl Payment {
    /// A bill of `total`, to be paid with this many tenders.
    #[must_use]
    pub fn new(total: Fen, tenders: usize) -> Self {
        Self {
            due: total,
            ended: vec![Ended::NotTried; tenders],
            aim: Aim::Pay,
            next: 0,
            unseen: None,
            voids: 0,
            is_stuck: false,
        }
    }

    /// What is still due.
    #[must_use]
    pub const fn due(&self) -> Fen {
        self.due
    }

    /// How each tender ended so far.
    #[must_use]
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// True if the bill is paid.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.due == Fen(0) && self.aim == Aim::Pay
    }

    /// The cashier gives up: what was paid is given back.
    pub const fn give_up(&mut self) {
        self.aim = Aim::GiveBack;
    }

    /// What is to be done next.
    #[must_use]
    pub fn step(&self) -> Step {
        if self.is_stuck {
            return Step::Nothing;
        }
        if self.unseen.is_some() {
            return Step::Reverse;
        }
        match self.aim {
            Aim::Pay if self.due == Fen(0) => Step::Nothing,
            Aim::Pay if self.next < self.ended.len() => {
                Step::Sell { tender: self.next, amount: self.due }
            }
            Aim::Pay | Aim::GiveBack => self.give_back(),
        }
    }

    /// Voids what was paid, the latest first.
    fn give_back(&self) -> Step {
        let paid = self.ended.iter().enumerate().rev().find_map(|(tender, ended)| match ended {
            Ended::Paid { sale: Some(sale), .. } => Some((tender, *sale)),
            Ended::NotTried
            | Ended::Paid { sale: None, .. }
            | Ended::Refused(_)
            | Ended::Reversed
            | Ended::Voided(_)
            | Ended::NotVoided { .. }
            | Ended::InDoubt => None,
        });
        paid.map_or(Step::Nothing, |(tender, sale)| Step::Void { tender, sale })
    }

    /// Takes what came of the step.
    pub fn report(&mut self, outcome: Outcome) {
        match self.step() {
            Step::Nothing => {}
            Step::Sell { tender, .. } => self.sold(tender, outcome),
            Step::Reverse => self.reversed(outcome),
            Step::Void { tender, sale } => self.voided(tender, sale, outcome),
        }
        let is_short = self.unseen.is_none() && self.next >= self.ended.len();
        if is_short && self.due != Fen(0) {
            self.give_up();
        }
    }

    fn sold(&mut self, tender: usize, outcome: Outcome) {
        self.next = self.next.saturating_add(1);
        match outcome {
            Outcome::Done { sale, amount } => {
                self.due = self.due.minus(amount).unwrap_or_default();
                self.end(tender, Ended::Paid { sale, amount });
            }
            Outcome::Refused(code) => self.end(tender, Ended::Refused(code)),
            Outcome::Silence => self.unseen = Some(tender),
            // There is no line: the next card would not fare better.
            Outcome::NotSent => self.give_up(),
        }
    }

    fn reversed(&mut self, outcome: Outcome) {
        let Some(tender) = self.unseen else { return };
        if !matches!(outcome, Outcome::Done { .. }) {
            // Nothing else may be sent before it: the payment stays as it is.
            self.is_stuck = true;
            self.end(tender, Ended::InDoubt);
            return;
        }
        self.unseen = None;
        // A void that is reversed leaves its sale as it was: paid.
        if self.ended.get(tender) == Some(&Ended::NotTried) {
            self.end(tender, Ended::Reversed);
        }
    }

    fn voided(&mut self, tender: usize, sale: Stan, outcome: Outcome) {
        let Some(Ended::Paid { amount, .. }) = self.ended.get(tender).copied() else { return };
        self.aim = Aim::GiveBack;
        self.voids = self.voids.saturating_add(1);
        let ended = match outcome {
            Outcome::Done { .. } => {
                self.due = self.due.plus(amount);
                Ended::Voided(amount)
            }
            Outcome::Silence if self.voids < VOIDS_MAX => {
                self.unseen = Some(tender);
                return;
            }
            Outcome::Silence => {
                self.unseen = Some(tender);
                Ended::NotVoided { sale, amount, code: None }
            }
            Outcome::Refused(code) => Ended::NotVoided { sale, amount, code: Some(code) },
            Outcome::NotSent => Ended::NotVoided { sale, amount, code: None },
        };
        self.voids = 0;
        self.end(tender, ended);
    }

    fn end(&mut self, tender: usize, ended: Ended) {
        if let Some(place) = self.ended.get_mut(tender) {
            *place = ended;
        }
    }
}

/// How a bill was paid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// True if all of it was.
    pub is_paid: bool,
    /// What is still due.
    pub due: Fen,
    /// How each tender ended, in their order.
    pub tenders: Vec<Ended>,
    /// What was said, in order.
    pub exchanges: Vec<Exchange>,
}

impl Station {
    /// Pays a bill with several tenders. A card that has too little pays what it has, and the next
    /// pays the rest; if all of them do not suffice, they are given back what they paid.
    pub fn pay(&mut self, total: Fen, tenders: &[Tender<'_>]) -> Receipt {
        let mut payment = Payment::new(total, tenders.len());
        let mut exchanges = Vec::new();
        let profile = self.terminal.profile_mut();
        let partial = std::mem::replace(&mut profile.partial, PartialApproval::Understood);
        loop {
            let outcome = match payment.step() {
                Step::Nothing => break,
                Step::Sell { tender, amount } => match tenders.get(tender) {
                    Some(Tender::Cash) | None => Outcome::Done { sale: None, amount },
                    Some(Tender::Card(presented)) => {
                        let sold = self.ask(|terminal| terminal.sale(presented, amount));
                        self.outcome(sold, &mut exchanges)
                    }
                },
                Step::Reverse => self.reverse_leg(&mut exchanges),
                Step::Void { sale, .. } => {
                    let voided = self.ask(|terminal| terminal.void(sale, None));
                    self.outcome(voided, &mut exchanges)
                }
            };
            payment.report(outcome);
        }
        self.terminal.profile_mut().partial = partial;
        let (is_paid, due) = (payment.is_paid(), payment.due());
        Receipt { is_paid, due, tenders: payment.ended, exchanges }
    }

    fn outcome(
        &self,
        asked: Result<Exchange, StationError>,
        exchanges: &mut Vec<Exchange>,
    ) -> Outcome {
        let Ok(exchange) = asked else {
            let is_owed = self.terminal.owed().is_some();
            return if is_owed { Outcome::Silence } else { Outcome::NotSent };
        };
        let reply = &exchange.reply;
        let slip = reply.stan.and_then(|stan| self.terminal.slip(stan));
        let outcome = match (reply.is_success(), slip, reply.code) {
            (true, Some(slip), _) => {
                let sale = Some(slip.imprint.stan);
                Outcome::Done { sale, amount: slip.imprint.amount }
            }
            (_, _, Some(code)) => Outcome::Refused(code),
            (_, _, None) => Outcome::NotSent,
        };
        exchanges.push(exchange);
        outcome
    }

    fn reverse_leg(&mut self, exchanges: &mut Vec<Exchange>) -> Outcome {
        for _try in 0..REVERSALS_MAX {
            if let Ok(exchange) = self.ask(Terminal::reversal) {
                let is_done = exchange.reply.code.is_some_and(Code::ends_reversal);
                exchanges.push(exchange);
                if is_done {
                    return Outcome::Done { sale: None, amount: Fen(0) };
                }
            }
        }
        Outcome::NotSent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOR: Code = Code(*b"51");

    fn stan(number: u32) -> Stan {
        Stan::new(number).unwrap()
    }

    fn paid(number: u32, fen: u64) -> Outcome {
        Outcome::Done { sale: Some(stan(number)), amount: Fen(fen) }
    }

    /// Plays outcomes one after the other, and says what was done.
    fn play(payment: &mut Payment, outcomes: &[Outcome]) -> Vec<Step> {
        let steps = outcomes.iter().map(|outcome| {
            let step = payment.step();
            payment.report(*outcome);
            step
        });
        steps.collect()
    }

    const DONE: Outcome = Outcome::Done { sale: None, amount: Fen(0) };

    #[test]
    fn a_card_pays_a_part_and_the_next_the_rest() {
        let mut payment = Payment::new(Fen(10_000), 3);
        let steps = play(&mut payment, &[paid(1, 4_000), paid(2, 6_000)]);
        let sell = |tender, fen| Step::Sell { tender, amount: Fen(fen) };
        assert_eq!(steps, [sell(0, 10_000), sell(1, 6_000)]);
        assert_eq!(payment.step(), Step::Nothing);
        assert!(payment.is_paid());
        assert_eq!(payment.ended()[2], Ended::NotTried);
    }

    #[test]
    fn what_was_paid_is_voided_if_the_tenders_do_not_suffice() {
        let mut payment = Payment::new(Fen(10_000), 3);
        let outcomes = [paid(1, 4_000), paid(2, 1_000), Outcome::Refused(POOR), DONE, DONE];
        let steps = play(&mut payment, &outcomes);
        let void = |tender, sale| Step::Void { tender, sale: stan(sale) };
        assert_eq!(steps[3..], [void(1, 2), void(0, 1)]);
        assert_eq!(payment.step(), Step::Nothing);
        assert!(!payment.is_paid());
        assert_eq!(payment.due(), Fen(10_000));
        let ended = [Ended::Voided(Fen(4_000)), Ended::Voided(Fen(1_000)), Ended::Refused(POOR)];
        assert_eq!(payment.ended(), ended);
    }

    #[test]
    fn a_leg_nobody_saw_is_reversed_before_the_next_is_asked() {
        let mut payment = Payment::new(Fen(10_000), 3);
        let steps = play(&mut payment, &[paid(1, 4_000), Outcome::Silence, DONE, paid(4, 6_000)]);
        assert_eq!(steps[2], Step::Reverse);
        assert_eq!(steps[3], Step::Sell { tender: 2, amount: Fen(6_000) });
        assert!(payment.is_paid());
        assert_eq!(payment.ended()[1], Ended::Reversed);
    }

    #[test]
    fn a_reversal_that_cannot_be_delivered_stops_everything() {
        let mut payment = Payment::new(Fen(10_000), 2);
        play(&mut payment, &[paid(1, 4_000), Outcome::Silence, Outcome::NotSent]);
        assert_eq!(payment.step(), Step::Nothing);
        assert!(!payment.is_paid());
        let first = Ended::Paid { sale: Some(stan(1)), amount: Fen(4_000) };
        assert_eq!(payment.ended(), [first, Ended::InDoubt]);
    }

    #[test]
    fn a_void_nobody_saw_is_reversed_and_tried_once_more() {
        let mut payment = Payment::new(Fen(10_000), 1);
        play(&mut payment, &[paid(1, 4_000)]);
        let steps = play(&mut payment, &[Outcome::Silence, DONE, Outcome::Silence, DONE]);
        let void = Step::Void { tender: 0, sale: stan(1) };
        assert_eq!(steps, [void, Step::Reverse, void, Step::Reverse]);
        assert_eq!(payment.step(), Step::Nothing);
        let stands = Ended::NotVoided { sale: stan(1), amount: Fen(4_000), code: None };
        assert_eq!(payment.ended(), [stands]);
        assert_eq!(payment.due(), Fen(6_000));
    }

    #[test]
    fn the_cashier_may_give_up_before_the_tenders_are_used_up() {
        let mut payment = Payment::new(Fen(10_000), 3);
        play(&mut payment, &[paid(1, 4_000)]);
        payment.give_up();
        assert_eq!(play(&mut payment, &[DONE]), [Step::Void { tender: 0, sale: stan(1) }]);
        assert_eq!(payment.step(), Step::Nothing);
        assert!(!payment.is_paid());
    }
}
