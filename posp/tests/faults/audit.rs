//! The books after a fault, held against what the terminals saw.

use crate::fleet::Fleet;
use crate::journal::{Findings, Journal};
use crate::ledger;
use crate::node::{Ground, Node};

/// What an audit found.
pub struct Audit {
    pub journal: Journal,
    pub findings: Findings,
    /// True if the end of the journal is half written.
    pub is_torn: bool,
}

/// Holds the journal, as it lies on the disk, against what the terminals saw. No node runs.
pub fn audit(ground: &Ground, fleet: &Fleet<'_>) -> Audit {
    let report = store::check(&ground.data, |_| {}).unwrap();
    assert!(report.ok && !report.running, "{report:?}");
    let journal = Journal::read(&ground.data);
    let findings = journal.audit(fleet.clients());
    findings.must_be_none();
    Audit { journal, findings, is_torn: report.torn_bytes > 0 }
}

/// The same after a node has come to rest: the ledger holds what the journal holds, and the
/// program itself says that all is well.
pub fn audit_at_rest(ground: &Ground, fleet: &Fleet<'_>) -> Audit {
    let audit = audit(ground, fleet);
    let differences = ledger::differences(&ground.ledger(), &audit.journal);
    assert!(differences.is_empty(), "{differences:?}");
    let (status, report) = ground.check();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert!(status.success() && report["ok"] == true, "{status}: {report}");
    assert_eq!(report["ledger_entries"], report["entries"], "{report}");
    audit
}

/// Has everybody settle on a running node, brings it to rest, and audits what is left.
pub fn finish(ground: &Ground, fleet: &Fleet<'_>, node: Node) -> Audit {
    assert!(fleet.close(crate::CLOSE_MAX), "not everybody could settle:\n{}", node.last_words());
    node.stop();
    audit_at_rest(ground, fleet)
}
