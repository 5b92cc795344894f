//! Which earlier transaction a request belongs to, and whether it may.

use super::Shard;
use super::command::{Original, Request};
use crate::terms::{AuthCode, CardId, Refusal, Rrn};
use crate::txn::{Link, Txn, TxnKey, TxnKind, TxnState};

/// The transaction that a request belongs to.
pub(super) type Found<'t> = (TxnKey, &'t Txn);

impl Shard {
    /// Returns the transaction that a request says it belongs to, if it is remembered here.
    pub(super) fn original_of(&self, request: &Request) -> Option<Found<'_>> {
        let said = request.original?;
        let key = match request.kind.link() {
            Link::Slip => {
                TxnKey { terminal: request.key.terminal, batch: said.batch?, stan: said.stan? }
            }
            Link::Reference => {
                *self.sales.get(&said.rrn.filter(|rrn| rrn.shard == self.no)?.number)?
            }
            Link::Authorisation => *self.holds.get(&(request.card, said.auth?))?,
            Link::None => return None,
        };
        self.txns.get(&key).map(|txn| (key, txn))
    }

    /// Checks that the original is there and is the one the request means.
    pub(super) fn check_original<'t>(
        &self,
        request: &Request,
        original: Option<Found<'t>>,
    ) -> Result<Found<'t>, Refusal> {
        let said = request.original.unwrap_or_default();
        let not_found =
            if said.other_card { Refusal::CardDiffers } else { Refusal::OriginalNotFound };
        // What was barred never happened.
        let happened = original.filter(|(_key, txn)| txn.state != TxnState::Barred);
        let (key, txn) = happened.ok_or(not_found)?;
        if txn.card != request.card {
            return Err(Refusal::CardDiffers);
        }
        if !self.is_meant(request.kind, &said, (key, txn)) {
            return Err(Refusal::OriginalNotFound);
        }
        if txn.merchant != request.merchant {
            return Err(Refusal::MerchantDiffers);
        }
        let is_fit = request.kind.belongs_to(txn.kind) && !self.is_addition(txn);
        if is_fit { Ok((key, txn)) } else { Err(Refusal::OriginalOutOfReach) }
    }

    /// True if everything that was said of the original is so. What is found by another link than
    /// the reference need not tell it, save a void, which undoes at once.
    fn is_meant(&self, kind: TxnKind, said: &Original, (key, txn): Found<'_>) -> bool {
        let rrn = Rrn::of(self.no, txn.seq);
        let may_lack_reference = kind.link() == Link::Authorisation || kind == TxnKind::Adjustment;
        let is_referred = said.rrn.map_or(may_lack_reference, |told| told == rrn);
        is_referred
            && said.auth.is_none_or(|auth| auth == self.auth_of(txn))
            && said.stan.is_none_or(|stan| stan == key.stan)
            && said.batch.is_none_or(|batch| batch == key.batch)
    }

    /// True for a pre-authorisation that adds to another: it is no original of its own.
    fn is_addition(&self, txn: &Txn) -> bool {
        txn.kind == TxnKind::PreAuth && txn.original.is_some()
    }

    /// Returns the authorisation code of a transaction: an addition has that of the
    /// pre-authorisation it adds to.
    pub(super) fn auth_of(&self, txn: &Txn) -> AuthCode {
        let first = txn.original.filter(|_| txn.kind == TxnKind::PreAuth);
        let first = first.and_then(|key| self.txns.get(&key));
        AuthCode::of(self.no, first.map_or(txn.seq, |first| first.seq))
    }

    /// Returns the number of the hold that a pre-authorisation placed.
    pub(super) const fn hold_of(&self, pre_auth: &Txn) -> u32 {
        Rrn::of(self.no, pre_auth.seq).number
    }

    /// Returns where a pre-authorisation is looked for by those that belong to it.
    pub(super) const fn place_of(&self, pre_auth: &Txn) -> (CardId, AuthCode) {
        (pre_auth.card, AuthCode::of(self.no, pre_auth.seq))
    }
}
