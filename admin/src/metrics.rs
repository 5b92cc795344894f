//! The recorder behind the counters and histograms of the whole process.

use std::sync::OnceLock;

use metrics::{describe_gauge, gauge};
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
    describe_gauge!("posp_build_info", "Always 1; the labels say what was built.");
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
