//! Lines to terminals: one actor per connection, and the session it performs for.

mod actor;
mod listener;
mod session;

pub use actor::{Decided, LineParts, LineRules, TerminalActor};
pub use listener::{DoorRules, Lines, Listener, ListenerError};
pub use session::{Action, Question, Session};
