//! What a programme adds to the books: terminals and cards that they do not know yet.

use domain::issuing::Identity;
use domain::shard::{CardIssued, Command};
use domain::terms::CardId;
use domain::txn::TerminalProfile;
use keys::SealedKey;

use super::NodeError;
use crate::account::Accounts;
use crate::facts::{Facts, Scheme};
use crate::programme::{Card, Programme, Terminal};

/// What was added.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Provisioned {
    /// Terminals that are new, or set up differently.
    pub terminals: usize,
    /// Cards that are new.
    pub cards: usize,
}

pub(super) async fn provision(
    programme: &Programme,
    facts: &Facts,
    accounts: &Accounts,
) -> Result<Provisioned, NodeError> {
    let mut commands = Vec::new();
    let mut added = Provisioned::default();
    for terminal in &programme.terminals {
        if let Some(profile) = changed(terminal, facts)? {
            let shard = terminal.id.shard();
            let command = Command::RegisterTerminal { terminal: terminal.id, profile };
            commands.push((shard, command));
            added.terminals = added.terminals.saturating_add(1);
        }
    }
    let mut next = u64::try_from(facts.cards.len()).unwrap_or(u64::MAX);
    for card in &programme.cards {
        let index = facts.hsm.pan_index(card.pan.digits());
        if facts.cards.get(&index).is_none()
            && let Some(product) = programme.product(card.product)
        {
            next = next.saturating_add(1);
            let id = CardId(next);
            let issued = issue(card, id, index.0, product.terms.clone(), facts)?;
            commands.push((id.shard(), Command::IssueCard(Box::new(issued))));
            added.cards = added.cards.saturating_add(1);
        }
    }
    accounts.decide_all(commands).await?;
    Ok(added)
}

/// Returns the profile of a terminal that the books do not know like this.
fn changed(terminal: &Terminal, facts: &Facts) -> Result<Option<TerminalProfile>, NodeError> {
    let (hsm, id) = (facts.hsm.as_ref(), &terminal.id.0);
    let Terminal { algorithm, layout, mac, .. } = *terminal;
    let scheme = Scheme { algorithm, layout, mac };
    let sealed = hsm.import_tmk(id, terminal.tmk.expose(), algorithm)?;
    if let Some(known) = facts.terminals.get(terminal.id) {
        // Sealing the same key twice gives different bytes; its check value tells.
        let is_same_key =
            hsm.tmk_check_value(id, &known.sealed_tmk())? == hsm.tmk_check_value(id, &sealed)?;
        if is_same_key
            && known.scheme() == scheme
            && known.merchant() == terminal.merchant
            && known.may_refund() == terminal.may_refund
        {
            return Ok(None);
        }
    }
    Ok(Some(TerminalProfile {
        merchant: terminal.merchant,
        sealed_tmk: SealedKey::as_bytes(&sealed).into(),
        scheme: scheme.to_text(),
        may_refund: terminal.may_refund,
    }))
}

fn issue(
    card: &Card,
    id: CardId,
    index: [u8; 16],
    terms: domain::issuing::Terms,
    facts: &Facts,
) -> Result<CardIssued, NodeError> {
    let pin = card.pin.as_ref();
    let pin = pin.map(|pin| facts.hsm.derive_pin_verification(id.0, pin.expose())).transpose()?;
    let sealed_pan = facts.hsm.seal_pan(card.pan.digits(), id.0)?;
    Ok(CardIssued {
        card: id,
        terms,
        status: card.status,
        expiry: card.expiry,
        identity: Identity {
            index,
            sealed_pan: sealed_pan.as_bytes().into(),
            pin: pin.map(keys::PinVerification::to_bytes),
        },
        opening: card.opening,
        held: card.held,
    })
}
