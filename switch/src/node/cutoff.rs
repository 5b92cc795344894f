//! The end of the business day: a barrier in every shard, set by a command and kept in the
//! journal. No entry takes its date from a clock.

use std::sync::Arc;
use std::time::Duration;

use domain::shard::Command;
use domain::terms::{BusinessDate, ShardNo};
use tokio::sync::watch as signal;

use crate::account::{Accounts, NotTaken};
use crate::clock::Clock;
use crate::facts::Facts;

/// Moves every shard to `date`, and waits until that is durable in all of them.
///
/// # Errors
/// If a shard did not take it.
pub(super) async fn turn(accounts: &Accounts, date: BusinessDate) -> Result<(), NotTaken> {
    accounts.decide_all(ShardNo::all().map(|shard| (shard, Command::CutOff(date)))).await?;
    tracing::info!(%date, "business date");
    Ok(())
}

/// Turns the business date whenever its hour comes.
pub(super) async fn watch(
    accounts: Accounts,
    facts: Arc<Facts>,
    clock: Arc<dyn Clock>,
    mut closing: signal::Receiver<bool>,
) {
    loop {
        // The clock of the machine may be set while this sleeps: look again at least each minute.
        let left = facts.calendar.until_cut_off(clock.now().at);
        let nap = left.min(Duration::from_secs(60)).saturating_add(Duration::from_millis(1));
        tokio::select! {
            () = tokio::time::sleep(nap) => {}
            _ = closing.changed() => return,
        }
        if left <= Duration::from_secs(60) {
            let date = facts.calendar.business_date(clock.now().at);
            if let Err(error) = turn(&accounts, date).await {
                tracing::error!(%error, %date, "the business date did not turn in every shard");
            }
        }
    }
}
