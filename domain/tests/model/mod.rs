//! One card of one purse, as simple as can be told: what a rule book for a till would say.

use domain::txn::TxnKind;

/// Where something that was done stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stand {
    Live,
    Refused,
    Voided,
    Reversed,
    /// Completed, by that one.
    Used(usize),
}

/// Something that was done.
#[derive(Clone, Debug)]
struct Deed {
    kind: TxnKind,
    stand: Stand,
    of: Option<usize>,
    /// What was approved at first.
    approved: i64,
    /// What the card bears of it, and what suspense does.
    paid: i64,
    owed: i64,
    /// Of a pre-authorisation: what may be completed, and what of it is set aside.
    authorised: i64,
    held: i64,
}

/// The card, and what it did. A deed is known by its place.
#[derive(Debug, Default)]
pub(crate) struct Card {
    pub(crate) balance: i64,
    deeds: Vec<Deed>,
}

impl Card {
    pub(crate) fn with(balance: i64) -> Self {
        Self { balance, deeds: Vec::new() }
    }

    pub(crate) fn free(&self) -> i64 {
        self.balance - self.deeds.iter().map(|deed| deed.held).sum::<i64>()
    }

    /// What suspense bears in all.
    pub(crate) fn owed(&self) -> i64 {
        self.standing().map(|deed| deed.owed).sum()
    }

    /// What the merchant got in all.
    pub(crate) fn merchant(&self) -> i64 {
        self.standing().map(|deed| deed.paid + deed.owed).sum()
    }

    /// How often it paid.
    pub(crate) fn count(&self) -> usize {
        self.standing().count()
    }

    fn standing(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.iter().filter(|deed| deed.stand == Stand::Live && is_paid(deed.kind))
    }

    /// Returns the places of the deeds of a kind that `fits`.
    pub(crate) fn places(&self, fits: impl Fn(TxnKind) -> bool) -> Vec<usize> {
        (0..self.deeds.len()).filter(|&place| fits(self.deeds[place].kind)).collect()
    }

    pub(crate) fn kind(&self, place: usize) -> TxnKind {
        self.deeds[place].kind
    }

    /// True if it adds to another pre-authorisation.
    pub(crate) fn is_addition(&self, place: usize) -> bool {
        self.deeds[place].kind == TxnKind::PreAuth && self.deeds[place].of.is_some()
    }

    /// What a void of it, or of what it belongs to, must be told.
    pub(crate) fn worth(&self, place: usize) -> i64 {
        let deed = &self.deeds[place];
        if deed.kind == TxnKind::PreAuth { deed.authorised } else { deed.paid + deed.owed }
    }

    /// Does what is asked; returns what was approved, or `None` if it was refused.
    pub(crate) fn ask(
        &mut self,
        kind: TxnKind,
        of: Option<usize>,
        amount: i64,
        takes_part: bool,
    ) -> Option<i64> {
        let mut deed = Deed {
            kind,
            stand: Stand::Live,
            of,
            approved: amount,
            paid: 0,
            owed: 0,
            authorised: 0,
            held: 0,
        };
        let is_done = self.try_to(&mut deed, amount, takes_part);
        if !is_done {
            deed.stand = Stand::Refused;
        }
        let approved = is_done.then_some(deed.approved);
        self.deeds.push(deed);
        approved
    }

    fn try_to(&mut self, deed: &mut Deed, amount: i64, takes_part: bool) -> bool {
        let (place, free) = (self.deeds.len(), self.free());
        let first = deed.of.map(|of| self.deeds[of].clone());
        let is_live = first.as_ref().is_none_or(|first| first.stand == Stand::Live);
        let worth = first.as_ref().map_or(0, |first| first.paid + first.owed);
        if !is_live {
            return false;
        }
        match deed.kind {
            TxnKind::Sale => {
                let paid = if takes_part { amount.min(free) } else { amount };
                (deed.approved, deed.paid) = (paid, paid);
                self.pay(paid, free)
            }
            TxnKind::OfflineSale => {
                (deed.paid, deed.owed) = (amount.min(free), amount - amount.min(free));
                self.balance -= deed.paid;
                true
            }
            TxnKind::Adjustment => self.adjust(deed.of.unwrap(), amount),
            TxnKind::PreAuth if amount > free => false,
            TxnKind::PreAuth => match deed.of {
                None => {
                    (deed.authorised, deed.held) = (amount, amount);
                    true
                }
                Some(of) => {
                    self.deeds[of].authorised += amount;
                    self.deeds[of].held += amount;
                    true
                }
            },
            TxnKind::PreAuthVoid if amount != first.as_ref().unwrap().authorised => false,
            TxnKind::PreAuthVoid => {
                let first = &mut self.deeds[deed.of.unwrap()];
                (first.stand, first.held) = (Stand::Voided, 0);
                true
            }
            TxnKind::Completion | TxnKind::CompletionAdvice => {
                let first = first.unwrap();
                let there_is = free + first.held;
                let is_advice = deed.kind == TxnKind::CompletionAdvice;
                if amount > first.authorised * 115 / 100 || (amount > there_is && !is_advice) {
                    return false;
                }
                (deed.paid, deed.owed) = (amount.min(there_is), amount - amount.min(there_is));
                self.balance -= deed.paid;
                let first = &mut self.deeds[deed.of.unwrap()];
                (first.stand, first.held) = (Stand::Used(place), 0);
                true
            }
            TxnKind::Void | TxnKind::CompletionVoid if amount != worth => false,
            TxnKind::Void | TxnKind::CompletionVoid => {
                self.give_back(deed.of.unwrap(), Stand::Voided);
                true
            }
            other => panic!("{other:?} is not in the model"),
        }
    }

    fn pay(&mut self, amount: i64, free: i64) -> bool {
        let is_there = amount > 0 && amount <= free;
        self.balance -= if is_there { amount } else { 0 };
        is_there
    }

    fn adjust(&mut self, of: usize, amount: i64) -> bool {
        let free = self.free();
        let sale = &mut self.deeds[of];
        if amount > sale.approved + sale.approved * 20 / 100 {
            return false;
        }
        let more = amount - sale.paid - sale.owed;
        let (paid, owed) = if more >= 0 {
            (more.min(free), more - more.min(free))
        } else {
            let owed = more.max(-sale.owed);
            (more - owed, owed)
        };
        (sale.paid, sale.owed) = (sale.paid + paid, sale.owed + owed);
        self.balance -= paid;
        true
    }

    /// Undoes a sale or completion.
    fn give_back(&mut self, of: usize, stand: Stand) {
        self.balance += self.deeds[of].paid;
        self.deeds[of].stand = stand;
        if let Some(first) = self.deeds[of].of
            && self.deeds[first].stand == Stand::Used(of)
        {
            self.deeds[first].stand = Stand::Live;
            self.deeds[first].held = self.deeds[first].authorised.min(self.free());
        }
    }

    /// Undoes the void of a sale or completion: it is paid once more.
    fn pay_again(&mut self, of: usize) {
        if let Some(first) = self.deeds[of].of
            && self.deeds[first].stand == Stand::Live
        {
            (self.deeds[first].stand, self.deeds[first].held) = (Stand::Used(of), 0);
        }
        let (worth, free) = (self.worth(of), self.free());
        let deed = &mut self.deeds[of];
        (deed.paid, deed.owed) = (worth.min(free), worth - worth.min(free));
        deed.stand = Stand::Live;
        self.balance -= deed.paid;
    }

    /// Undoes what nobody saw. Returns whether the terminal may leave it at that.
    pub(crate) fn reverse(&mut self, place: usize) -> bool {
        let deed = self.deeds[place].clone();
        match deed.stand {
            _ if !deed.kind.is_reversible() => return false,
            Stand::Refused | Stand::Reversed => return true,
            Stand::Voided | Stand::Used(_) => return false,
            Stand::Live => {}
        }
        match (deed.kind, deed.of) {
            (TxnKind::Sale | TxnKind::Completion, _) => self.give_back(place, Stand::Reversed),
            (TxnKind::Void | TxnKind::CompletionVoid, Some(of)) => self.pay_again(of),
            (TxnKind::PreAuth, None) => self.deeds[place].held = 0,
            (TxnKind::PreAuth, Some(of)) => {
                let first = &mut self.deeds[of];
                if matches!(first.stand, Stand::Used(_)) {
                    return false;
                }
                first.authorised -= deed.approved;
                first.held = first.held.min(first.authorised);
            }
            (TxnKind::PreAuthVoid, Some(of)) => {
                let free = self.free();
                let first = &mut self.deeds[of];
                (first.stand, first.held) = (Stand::Live, first.authorised.min(free));
            }
            (other, _) => panic!("{other:?} is not in the model"),
        }
        self.deeds[place].stand = Stand::Reversed;
        true
    }
}

/// True if a merchant gets money by it.
fn is_paid(kind: TxnKind) -> bool {
    matches!(
        kind,
        TxnKind::Sale | TxnKind::OfflineSale | TxnKind::Completion | TxnKind::CompletionAdvice
    )
}
