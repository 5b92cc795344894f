//! A benchmark as a table for people.

use loadtest::bench::{Phase, Report};

/// Writes the figures, round by round and as medians.
pub(super) fn of(report: &Report) -> String {
    let scenario = &report.scenario;
    let mut text = format!(
        "{}: {}\n{} connections, {} terminals; {} bytes there, {} back\n\n\
         {:<10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>11} {:>11} {:>13}\n",
        report.name,
        scenario.about,
        scenario.connections,
        scenario.terminals(),
        report.request_bytes,
        report.reply_bytes,
        "",
        "tps",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "most ms",
        "server us",
        "client us",
        "records/sync",
    );
    let rounds = report.rounds.iter().zip(1..).map(|(round, n)| (n.to_string(), round));
    for (name, round) in rounds.chain([("median".to_owned(), &report.median)]) {
        text.push_str(&phase(&format!("{name} echo"), &round.echo));
        text.push_str(&phase("  switch", &round.switch));
        if scenario.rate.is_none() {
            text.push_str(&format!("  ratio    {:>8}\n", thousandths(round.ratio_permille)));
        }
    }
    text.push('\n');
    for figure in report.figures() {
        let goal = match (figure.is_met, figure.goal) {
            (Some(true), Some(goal)) => format!("  ok, {goal}"),
            (Some(false), Some(goal)) => format!("  MISSED, {goal}"),
            (None, _) | (_, None) => String::new(),
        };
        text.push_str(&format!("{:<42} {}{goal}\n", figure.name, figure.value));
    }
    if report.median.switch.exhausted > 0 && scenario.rate.is_none() {
        text.push_str("terminals ran out of requests: towards the end fewer were at work\n");
    }
    for fault in &report.faults {
        text.push_str(&format!("FAIL {fault}\n"));
    }
    text
}

fn phase(name: &str, phase: &Phase) -> String {
    format!(
        "{name:<10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>11} {:>11} {:>13}\n",
        phase.tps,
        thousandths(phase.p50_us),
        thousandths(phase.p99_us),
        thousandths(phase.p999_us),
        thousandths(phase.max_us),
        thousandths(phase.server_cpu_ns),
        thousandths(phase.client_cpu_ns),
        phase.records_per_sync.map_or_else(|| "-".to_owned(), |count| count.to_string()),
    )
}

/// A number of thousandths with its decimal point: microseconds in milliseconds, and so on.
fn thousandths(number: u64) -> String {
    format!("{}.{:03}", number / 1000, number % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_have_three_decimals() {
        assert_eq!(thousandths(652), "0.652");
        assert_eq!(thousandths(12_007), "12.007");
    }
}
