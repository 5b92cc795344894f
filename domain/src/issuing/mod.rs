//! Cards and the terms they were issued under.

mod acceptance;
mod card;
mod limits;
mod rights;
mod sealed;
mod terms;

pub use acceptance::{Acceptance, AcceptanceRule, MerchantTraits};
pub use card::{Account, CardStatus, Identity};
pub use limits::{Ceiling, Limits, Spent};
pub use rights::{Right, Rights};
pub use sealed::Sealed;
pub use terms::{PinPolicy, ProductId, Terms};
