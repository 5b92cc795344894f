//! How often a terminal may ask for what no message code protects.
//!
//! Anybody can send a sign-on, a settlement, an upload, a report or a request for a master key in the
//! name of any terminal, and each leaves an entry in the journal or costs much work. So many a minute
//! are taken, and no flood of them fills a disk or keeps a core busy.

use crate::clock::Moment;

/// Requests without a message code that leave entries or cost much. What one kind uses up, it does not take
/// from another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unsigned {
    /// Sign-ons and sign-offs: they change which keys are good.
    Keys,
    /// Settlements.
    Settlement,
    /// Messages of a batch upload.
    Upload,
    /// Reports of a terminal's status.
    Report,
    /// Requests for a new master key and to use it: each costs work with a private key, or a guess.
    Tmk,
}

/// What was taken in the minute that is running.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paces([Pace; 5]);

#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    began: u64,
    taken: u32,
}

impl Paces {
    /// Takes one more, if fewer than `most` were taken in this minute.
    pub(super) fn take(&mut self, kind: Unsigned, now: Moment, most: u32) -> bool {
        const MINUTE: u64 = 60_000_000;
        let [keys, settlements, uploads, reports, tmks] = &mut self.0;
        let pace = match kind {
            Unsigned::Keys => keys,
            Unsigned::Settlement => settlements,
            Unsigned::Upload => uploads,
            Unsigned::Report => reports,
            Unsigned::Tmk => tmks,
        };
        if now.micros.saturating_sub(pace.began) >= MINUTE {
            *pace = Pace { began: now.micros, taken: 0 };
        }
        let has_room = pace.taken < most;
        pace.taken = pace.taken.saturating_add(u32::from(has_room));
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_of_each_kind() {
        let mut paces = Paces::default();
        let mut taken = |kind, second: u64| {
            let now = Moment { micros: second * 1_000_000, ..Moment::default() };
            (0..100).filter(|_| paces.take(kind, now, 3)).count()
        };
        assert_eq!([taken(Unsigned::Keys, 0), taken(Unsigned::Keys, 59)], [3, 0]);
        assert_eq!([taken(Unsigned::Upload, 59), taken(Unsigned::Settlement, 59)], [3, 3]);
        assert_eq!([taken(Unsigned::Keys, 60), taken(Unsigned::Keys, 61)], [3, 0]);
    }
}
