//! How a node is.

use super::Node;

/// How a node is, for a probe.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of what was looked at.
    pub name: &'static str,
    /// True if it is well.
    pub ok: bool,
    /// What there is to say.
    pub detail: String,
}

impl Node {
    /// Looks at everything that has to be well for terminals to be served.
    #[must_use]
    pub fn health(&self) -> Vec<Report> {
        let has_room = self.journal.has_room();
        let durable = self.journal.durable().0;
        let mut reports = vec![
            Report { name: "journal", ok: has_room, detail: format!("{durable} entries durable") },
            Report {
                name: "terminals",
                ok: !self.facts.terminals.is_empty(),
                detail: format!(
                    "{} known, {} lines",
                    self.facts.terminals.len(),
                    self.lines.count()
                ),
            },
            Report {
                name: "serving",
                ok: !*self.closing.borrow(),
                detail: "answering requests".to_owned(),
            },
        ];
        if let Some(drain) = &self.drain {
            let error = drain.error();
            let detail = match &error {
                Some(error) => error.clone(),
                None => format!("{} entries behind", drain.lag_entries()),
            };
            // A ledger that lags does not stop the switch: the journal is the truth.
            reports.push(Report { name: "ledger", ok: true, detail });
        }
        reports
    }
}
