//! What a load measured, ready to be printed, compared or drawn.
use std::collections::BTreeMap;

use serde::Serialize;

/// One run of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The scenario's name.
    pub scenario: String,
    /// What was set, as name and value, in the order to show them.
    pub settings: Vec<(String, String)>,
    /// The loads, one for each server.
    pub series: Vec<Series>,
    /// What it comes to.
    pub figures: Vec<Figure>,
    /// What went wrong; empty if nothing did.
    pub faults: Vec<String>,
}

/// One load on one server.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// What it was put on, such as `switch` or `echo`.
    pub name: String,
    /// How it went, second by second.
    pub seconds: Vec<Second>,
    /// How long answers took, by rising share.
    pub percentiles: Vec<Percentile>,
    /// How many answers had which response code (field 39).
    pub codes: BTreeMap<String, u64>,
}

/// One second of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Second {
    /// Which, counted from 0.
    pub at: u32,
    /// Answers with success.
    pub approved: u64,
    /// Other answers.
    pub refused: u64,
    /// Requests that were given up.
    pub unanswered: u64,
    /// Microseconds within which half of the answers came; 0 if none did.
    pub p50_us: u64,
    /// Microseconds within which 99 % of the answers came; 0 if none did.
    pub p99_us: u64,
}

/// Within how many microseconds a share of the answers came; `share_ppm` is in millionths.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Percentile {
    /// The share, in millionths.
    pub share_ppm: u32,
    /// Within how many microseconds it came.
    pub micros: u64,
}

/// A figure with its goal, if it has one.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it measures, with its unit.
    pub name: String,
    /// Its value, as it is to be read.
    pub value: String,
    /// What it should be.
    pub goal: Option<String>,
    /// Whether it is; `None` without a goal.
    pub is_met: Option<bool>,
}
