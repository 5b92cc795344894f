//! The recorder behind the counters and histograms of the whole process.

use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From half a millisecond to half a minute: what a cardholder waits for. In seconds.
const WAITS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// From a microsecond to a second: one stage, a key operation, a write to disk. In seconds.
const STEPS: &[f64] = &[
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5,
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0,
];

/// Records in one write.
const COUNTS: &[f64] =
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];

/// Which histogram has which buckets: the full name, or its end.
fn buckets() -> [(Matcher, &'static [f64]); 8] {
    let full = |name: &str| Matcher::Full(name.into());
    [
        (full("posp_stage_duration_seconds"), STEPS),
        (full("posp_risk_duration_seconds"), STEPS),
        (full("posp_journal_append_seconds"), STEPS),
        (full("posp_journal_fsync_seconds"), STEPS),
        (full("posp_hsm_op_seconds"), STEPS),
        (full("posp_cache_op_seconds"), STEPS),
        (full("posp_journal_batch_size"), COUNTS),
        (Matcher::Suffix("_seconds".into()), WAITS),
    ]
}

type Described = (&'static str, &'static str);

/// What each counter counts.
const COUNTERS: [Described; 16] = [
    ("posp_actor_mailbox_rejected_total", "Requests that were not decided: overload."),
    ("posp_clock_drift_total", "Requests of terminals whose clock is too far from the host's."),
    ("posp_conn_closed_total", "Lines that were closed, by reason; PEER is the other end."),
    ("posp_conn_total", "Lines that were accepted."),
    ("posp_decode_errors_total", "Messages that cannot be read, by the first field at fault."),
    ("posp_duplicate_total", "Trace numbers that came again with other content."),
    ("posp_frame_errors_total", "Length prefixes or envelopes that end a line."),
    ("posp_journal_bytes_total", "Bytes written to the journal."),
    ("posp_late_total", "Answers that were ready too late to be sent."),
    ("posp_mac_failures_total", "Requests with a wrong or missing message code (F64)."),
    ("posp_pin_failures_total", "Requests refused for their PIN (F39 = 55)."),
    ("posp_reversal_total", "Reversals, done or refused."),
    ("posp_security_events_total", "What no honest terminal does, by what it was."),
    ("posp_txn_total", "Requests answered, by transaction and response code (F39)."),
    ("posp_unmatched_total", "Frames that are not answered, by reason."),
    ("posp_writebehind_errors_total", "Attempts to write the SQL ledger that failed."),
];

/// What each gauge shows.
const GAUGES: [Described; 7] = [
    ("posp_actor_mailbox_depth", "Commands without an answer (account), lines that wait (line)."),
    ("posp_build_info", "Always 1; the labels say what was built."),
    ("posp_conn_open", "Lines open now."),
    ("posp_draining", "1 while the node shuts down, otherwise 0."),
    ("posp_journal_position", "Entries of the journal that are durable."),
    ("posp_writebehind_lag_records", "Durable entries that the SQL ledger has not taken in yet."),
    ("posp_writebehind_lag_seconds", "Age of the oldest entry that the SQL ledger lacks."),
];

/// What each histogram measures.
const HISTOGRAMS: [Described; 4] = [
    ("posp_journal_append_seconds", "From an entry's hand-in until it is durable."),
    ("posp_journal_batch_size", "Entries that one sync makes durable."),
    ("posp_journal_fsync_seconds", "How long a sync of the journal takes."),
    ("posp_txn_duration_seconds", "From a request's arrival until its answer is sent."),
];

/// Makes every `metrics` macro of the process count, and returns what a scraper reads. Called
/// again, it returns the same.
///
/// A name that ends in `_seconds` is a histogram in seconds. Histograms are digested while
/// [`crate::server::serve`] runs, or when they are read.
///
/// # Panics
/// If the process has another recorder: then half of its figures would be lost.
pub fn install() -> PrometheusHandle {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    INSTALLED.get_or_init(recorder).clone()
}

fn recorder() -> PrometheusHandle {
    let builder =
        buckets().into_iter().fold(PrometheusBuilder::new(), |builder, (name, bounds)| {
            builder.set_buckets_for_metric(name, bounds).expect("no list of buckets is empty")
        });
    let handle = builder.install_recorder().expect("the process has no other recorder");
    COUNTERS.iter().for_each(|(name, help)| describe_counter!(*name, *help));
    GAUGES.iter().for_each(|(name, help)| describe_gauge!(*name, *help));
    HISTOGRAMS.iter().for_each(|(name, help)| describe_histogram!(*name, *help));
    gauge!("posp_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    handle
}

#[cfg(test)]
mod tests {
    use metrics::{counter, histogram};

    use super::*;

    #[test]
    fn buckets_rise() {
        for bounds in [WAITS, STEPS, COUNTS] {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn figures_are_read_as_prometheus_text() {
        let handle = install();
        counter!("posp_test_total", "rc" => "00").increment(3);
        histogram!("posp_txn_duration_seconds").record(0.0007);
        histogram!("posp_journal_fsync_seconds").record(0.000_11);
        histogram!("posp_journal_batch_size").record(12.0);
        let text = install().render();
        assert_eq!(text, handle.render());
        for line in [
            concat!("posp_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "posp_test_total{rc=\"00\"} 3",
            "posp_txn_duration_seconds_bucket{le=\"0.0005\"} 0",
            "posp_txn_duration_seconds_bucket{le=\"0.001\"} 1",
            "posp_journal_fsync_seconds_bucket{le=\"0.0001\"} 0",
            "posp_journal_fsync_seconds_bucket{le=\"0.0002\"} 1",
            "posp_journal_batch_size_bucket{le=\"16\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
