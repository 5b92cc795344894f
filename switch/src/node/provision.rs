//! What a programme adds to the books: terminals and cards that they do not know yet.

use domain::issuing::Identity;
use domain::shard::{CardIssued, Command};
use domain::terms::{CardId, ShardNo};
use domain::txn::TerminalProfile;
use keys::{KeyError, SealedKey};

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

/// What it takes to add something to the books.
#[derive(Debug, Default)]
pub struct Plan {
    /// Commands, each for its shard.
    pub commands: Vec<(ShardNo, Command)>,
    /// What they add.
    pub adds: Provisioned,
}

/// Says what has to be done for the books to hold everything that `programme` does.
///
/// # Errors
/// A key that cannot be sealed.
pub fn plan(programme: &Programme, facts: &Facts) -> Result<Plan, KeyError> {
    let mut plan = Plan::default();
    for terminal in &programme.terminals {
        if let Some(profile) = changed(terminal, facts)? {
            let shard = terminal.id.shard();
            let command = Command::RegisterTerminal { terminal: terminal.id, profile };
            plan.commands.push((shard, command));
            plan.adds.terminals = plan.adds.terminals.saturating_add(1);
        }
    }
    let mut last = facts.cards.last().unwrap_or_default();
    for card in &programme.cards {
        let index = facts.hsm.pan_index(card.pan.digits());
        if facts.cards.get(&index).is_none()
            && let Some(product) = programme.product(card.product)
        {
            last = CardId(last.0.saturating_add(1));
            let issued = issue(card, last, index.0, product.terms.clone(), facts)?;
            plan.commands.push((last.shard(), Command::IssueCard(Box::new(issued))));
            plan.adds.cards = plan.adds.cards.saturating_add(1);
        }
    }
    Ok(plan)
}

pub(super) async fn provision(
    programme: &Programme,
    facts: &Facts,
    accounts: &Accounts,
) -> Result<Provisioned, NodeError> {
    let plan = plan(programme, facts)?;
    accounts.decide_all(plan.commands).await?;
    Ok(plan.adds)
}

/// Returns the profile of a terminal that the books do not know like this.
fn changed(terminal: &Terminal, facts: &Facts) -> Result<Option<TerminalProfile>, KeyError> {
    let (hsm, id) = (facts.hsm.as_ref(), &terminal.id.0);
    let Terminal { algorithm, layout, mac, .. } = *terminal;
    let scheme = Scheme { algorithm, layout, mac };
    let mut sealed = hsm.import_tmk(id, terminal.tmk.expose(), algorithm)?;
    if let Some(known) = facts.terminals.get(terminal.id) {
        // Sealing the same key twice gives different bytes; its check value tells.
        let profile_tmk = known.profile_tmk();
        let is_same_key =
            hsm.tmk_check_value(id, &profile_tmk)? == hsm.tmk_check_value(id, &sealed)?;
        if is_same_key {
            // A key that did not change must not look as if it was put in anew: that would end
            // one which the terminal fetched.
            sealed = profile_tmk;
        }
        if is_same_key
            && known.scheme() == scheme
            && known.merchant() == terminal.merchant
            && known.rights() == terminal.rights
        {
            return Ok(None);
        }
    }
    Ok(Some(TerminalProfile {
        merchant: terminal.merchant,
        sealed_tmk: SealedKey::as_bytes(&sealed).into(),
        scheme: scheme.to_text(),
        rights: terminal.rights,
    }))
}

/// Returns what it takes to issue a card under the id `id`.
pub(super) fn issue(
    card: &Card,
    id: CardId,
    index: [u8; 16],
    terms: domain::issuing::Terms,
    facts: &Facts,
) -> Result<CardIssued, KeyError> {
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
