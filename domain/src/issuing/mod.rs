//! Cards and the terms they were issued under.

mod card;
mod terms;

pub use card::{Account, CardStatus, Identity};
pub use terms::{PinPolicy, ProductId, Terms};
