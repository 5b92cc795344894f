//! What a node tells. The node implements this; the server only asks.

use serde::Serialize;

/// A node that can say how it is.
pub trait Health: Send + Sync {
    /// Looks at everything the node needs to serve. Quick: it is asked every few seconds.
    fn checks(&self) -> Vec<Check>;

    /// Says what the node is.
    fn info(&self) -> Info;
}

/// One thing the node needs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at: `journal`, `keys`, `programme`, `draining`.
    pub name: &'static str,
    /// True if it is as it must be.
    pub ok: bool,
    /// What was found, for a person. Holds no secret and no card data.
    pub detail: String,
}

/// What a node is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Info {
    /// Version of the program.
    pub version: String,
    /// The profile it runs under.
    pub profile: String,
    /// What an answer waits for.
    pub commit_mode: String,
    /// Tells configurations apart.
    pub config_hash: String,
}
