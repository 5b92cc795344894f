//! The end of the business day: a barrier in every shard, set by a command and kept in the
//! journal. No entry takes its date from a clock.

use std::sync::Arc;
use std::time::Duration;

use domain::shard::Command;
use domain::terms::{BusinessDate, ShardNo};
use tokio::sync::watch as signal;

use crate::account::{Accounts, NotDecided};
use crate::clock::Clock;
use crate::facts::Facts;

/// Moves every shard to `date`, and waits until that is durable in all of them.
///
/// # Errors
/// If a shard did not take it.
pub(super) async fn turn(accounts: &Accounts, date: BusinessDate) -> Result<(), NotDecided> {
    accounts.decide_all(ShardNo::all().map(|shard| (shard, Command::CutOff(date)))).await?;
    tracing::info!(%date, "business date");
    Ok(())
}

/// Turns the business date whenever its hour has come, and again until every shard has turned.
pub(super) async fn watch(
    accounts: Accounts,
    facts: Arc<Facts>,
    clock: Arc<dyn Clock>,
    mut closing: signal::Receiver<bool>,
) {
    let mut turned = facts.calendar.business_date(clock.now().at);
    loop {
        // The clock of the machine may be set, or stand still, while this sleeps: look again at
        // least each minute.
        let left = facts.calendar.until_cut_off(clock.now().at);
        let nap = left.min(Duration::from_secs(60)).saturating_add(Duration::from_millis(1));
        tokio::select! {
            () = tokio::time::sleep(nap) => {}
            _ = closing.changed() => return,
        }
        let date = facts.calendar.business_date(clock.now().at);
        if date <= turned {
            continue;
        }
        match turn(&accounts, date).await {
            Ok(()) => turned = date,
            Err(error) => {
                tracing::error!(%error, %date, "the business date did not turn in every shard");
            }
        }
    }
}
