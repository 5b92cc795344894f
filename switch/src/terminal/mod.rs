//! Lines to terminals: one actor per connection, and the session it performs for.

mod actor;
mod alarms;
mod listener;
mod mail;
mod session;

pub use actor::{LineParts, LineRules, TerminalActor};
pub use listener::{DoorRules, Lines, Listener, ListenerError};
pub use mail::{Decided, LineMail};
pub use session::{Action, Question, Session};
