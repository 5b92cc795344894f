//! What values must be together.

use super::{ByteSize, Config, LmkSource, Profile};

/// A rule that does not hold: the keys it is about, the one at fault first, and what it says.
pub(super) struct Breach {
    pub(super) keys: &'static [&'static str],
    pub(super) text: &'static str,
}

/// Returns the rules that `config` breaks.
pub(super) fn breaches(config: &Config) -> Vec<Breach> {
    let rules = bounds(config).into_iter().chain(relations(config)).chain(production(config));
    rules.filter(|(holds, ..)| !holds).map(|(_, keys, text)| Breach { keys, text }).collect()
}

type Rule = (bool, &'static [&'static str], &'static str);

fn bounds(config: &Config) -> [Rule; 11] {
    let Config { node, pos, terminal, journal, .. } = config;
    let frames = ByteSize::new(128)..=ByteSize::new(65_535);
    let segments = ByteSize::kib(64)..=ByteSize::mib(1024);
    [
        (node.threads <= 256, &["node.threads"], "at most 256, the number of shards"),
        (
            frames.contains(&pos.frame_max),
            &["pos.frame_max"],
            "128B to 65535B, the most that a length prefix says",
        ),
        (pos.in_flight_max > 0, &["pos.in_flight_max"], "at least 1"),
        (pos.connections_max > 0, &["pos.connections_max"], "at least 1"),
        (pos.connections_per_address_max > 0, &["pos.connections_per_address_max"], "at least 1"),
        (pos.accepts_per_second > 0, &["pos.accepts_per_second"], "at least 1"),
        (terminal.mac_errors_max > 0, &["terminal.mac_errors_max"], "at least 1"),
        (terminal.unsigned_per_minute > 0, &["terminal.unsigned_per_minute"], "at least 1"),
        (terminal.uploads_per_minute > 0, &["terminal.uploads_per_minute"], "at least 1"),
        (segments.contains(&journal.segment_size), &["journal.segment_size"], "64KiB to 1GiB"),
        (journal.snapshot_entries > 0, &["journal.snapshot_entries"], "at least 1"),
    ]
}

fn relations(config: &Config) -> [Rule; 6] {
    let Config { pos, http, terminal, shutdown, .. } = config;
    [
        (
            pos.listen != http.listen || pos.listen.port() == 0,
            &["http.listen", "pos.listen"],
            "must differ from pos.listen",
        ),
        (
            pos.connections_per_address_max <= pos.connections_max,
            &["pos.connections_per_address_max", "pos.connections_max"],
            "must not be above pos.connections_max",
        ),
        (
            pos.frame_deadline <= pos.idle_timeout,
            &["pos.frame_deadline", "pos.idle_timeout"],
            "must not be above pos.idle_timeout, or the first frame is cut off",
        ),
        (
            terminal.decide_margin < terminal.answer_deadline,
            &["terminal.decide_margin", "terminal.answer_deadline"],
            "must be below terminal.answer_deadline, or nothing is ever decided",
        ),
        (
            terminal.wait_max.saturating_add(terminal.decide_margin) <= terminal.answer_deadline,
            &["terminal.wait_max", "terminal.answer_deadline"],
            "must leave terminal.decide_margin of terminal.answer_deadline",
        ),
        (
            terminal.answer_deadline <= shutdown.drain_timeout,
            &["shutdown.drain_timeout", "terminal.answer_deadline"],
            "must not be below terminal.answer_deadline, or answers are lost",
        ),
    ]
}

fn production(config: &Config) -> [Rule; 2] {
    let free = config.node.profile != Profile::Production;
    [
        (
            free || config.keys.lmk != LmkSource::Demo,
            &["keys.lmk", "node.profile"],
            "the production profile needs a key of its own",
        ),
        (
            free || config.programme.directory.is_some(),
            &["programme.directory", "node.profile"],
            "the production profile needs a programme of its own",
        ),
    ]
}
