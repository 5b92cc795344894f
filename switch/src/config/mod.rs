//! How a node is set up.

pub(crate) mod source;

pub use source::{ConfigError, Problem};
