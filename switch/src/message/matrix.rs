//! The transactions a terminal may ask for: the only list of what is taken.

use domain::txn::{CareList, TxnKind};

use super::errand::Errand;

/// What a request means.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Transaction {
    /// The terminal asks for working keys.
    SignOn,
    /// The terminal goes to rest.
    SignOff,
    /// Is anybody there?
    Echo,
    /// A sale, void, refund or inquiry.
    Card(TxnKind),
    /// A reversal of what it names.
    Reversal(TxnKind),
    /// The terminal closes its batch.
    Settlement,
    /// Details of stripe transactions, up to eight a message.
    UploadStripe,
    /// One detail of a chip transaction, in the fields of that transaction.
    UploadDetail,
    /// The end of an upload.
    UploadEnd,
    /// The terminal is looked after.
    Care(Errand),
}

impl Transaction {
    /// Returns the name that metrics and logs carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignOn => "sign_on",
            Self::SignOff => "sign_off",
            Self::Echo => "echo",
            Self::Card(TxnKind::Sale) => "sale",
            Self::Card(TxnKind::Void) => "void",
            Self::Card(TxnKind::Refund) => "refund",
            Self::Card(TxnKind::Inquiry) => "inquiry",
            Self::Reversal(TxnKind::Sale) => "sale_reversal",
            Self::Reversal(TxnKind::Void) => "void_reversal",
            Self::Reversal(TxnKind::Refund | TxnKind::Inquiry) => "reversal",
            Self::Settlement => "settlement",
            Self::UploadStripe | Self::UploadDetail => "batch_upload",
            Self::UploadEnd => "batch_end",
            Self::Care(errand) => errand.name(),
        }
    }
}

/// One row of the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Message type of the request; that of the answer is ten more.
    pub mti: [u8; 4],
    /// Processing code (F3), if the row has one.
    pub processing: Option<[u8; 6]>,
    /// Condition code (F25), if the row has one.
    pub condition: Option<[u8; 2]>,
    /// Kind of transaction (F60.1), unless any will do.
    pub kind: Option<[u8; 2]>,
    /// Network management code (F60.3), where it tells rows apart.
    pub network: Option<[u8; 3]>,
    /// What it means.
    pub transaction: Transaction,
    /// True if request and answer carry a message code (F64).
    pub mac: bool,
    /// The fields without which it cannot be read.
    pub must: &'static [u8],
}

/// Every request that is answered with more than "not supported".
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    //   MTI      F3               F25          60.1         60.3           means                                   MAC    must carry
    row(b"0800", None,            None,        Some(b"00"), Some(b"001"), Transaction::SignOn,                     false, &[11, 41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"003"), Transaction::SignOn,                     false, &[11, 41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"004"), Transaction::SignOn,                     false, &[11, 41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"005"), Transaction::SignOn,                     false, &[11, 41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"006"), Transaction::SignOn,                     false, &[11, 41, 42, 60]),
    row(b"0820", None,            None,        Some(b"00"), Some(b"002"), Transaction::SignOff,                    false, &[11, 41, 42, 60]),
    row(b"0820", None,            None,        Some(b"00"), Some(b"301"), Transaction::Echo,                       false, &[41, 42, 60]),
    row(b"0200", Some(b"310000"), Some(b"00"), Some(b"01"), None,         Transaction::Card(TxnKind::Inquiry),     true,  &[3, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"000000"), Some(b"00"), Some(b"22"), None,         Transaction::Card(TxnKind::Sale),        true,  &[3, 4, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"200000"), Some(b"00"), Some(b"23"), None,         Transaction::Card(TxnKind::Void),        true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0220", Some(b"200000"), Some(b"00"), Some(b"25"), None,         Transaction::Card(TxnKind::Refund),      true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0400", Some(b"000000"), Some(b"00"), Some(b"22"), None,         Transaction::Reversal(TxnKind::Sale),    true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"00"), Some(b"23"), None,         Transaction::Reversal(TxnKind::Void),    true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0500", None,            None,        Some(b"00"), Some(b"201"), Transaction::Settlement,                 false, &[11, 41, 42, 48, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"201"), Transaction::UploadStripe,               false, &[11, 41, 42, 48, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"203"), Transaction::UploadDetail,               false, &[4, 11, 41, 42, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"204"), Transaction::UploadDetail,               false, &[4, 11, 41, 42, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"205"), Transaction::UploadDetail,               false, &[4, 11, 41, 42, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"206"), Transaction::UploadDetail,               false, &[4, 11, 41, 42, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"202"), Transaction::UploadEnd,                  false, &[11, 41, 42, 48, 60]),
    row(b"0320", None,            None,        Some(b"00"), Some(b"207"), Transaction::UploadEnd,                  false, &[11, 41, 42, 48, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"360"), Transaction::Care(Errand::Fetch(CareList::Parameters)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"361"), Transaction::Care(Errand::End(CareList::Parameters)), false, &[41, 42, 60]),
    row(b"0820", None,            None,        Some(b"00"), Some(b"362"), Transaction::Care(Errand::Report),             false, &[41, 42, 60, 62]),
    row(b"0820", None,            None,        Some(b"00"), Some(b"372"), Transaction::Care(Errand::Query(CareList::CaKeys)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"370"), Transaction::Care(Errand::Fetch(CareList::CaKeys)), false, &[41, 42, 60, 62]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"371"), Transaction::Care(Errand::End(CareList::CaKeys)), false, &[41, 42, 60]),
    row(b"0820", None,            None,        Some(b"00"), Some(b"382"), Transaction::Care(Errand::Query(CareList::Aids)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"380"), Transaction::Care(Errand::Fetch(CareList::Aids)), false, &[41, 42, 60, 62]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"381"), Transaction::Care(Errand::End(CareList::Aids)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"390"), Transaction::Care(Errand::Fetch(CareList::Blacklist)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"391"), Transaction::Care(Errand::End(CareList::Blacklist)), false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"352"), Transaction::Care(Errand::HostKey),            false, &[41, 42, 60]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"350"), Transaction::Care(Errand::NewTmk),             false, &[41, 42, 60, 62]),
    row(b"0800", None,            None,        Some(b"00"), Some(b"351"), Transaction::Care(Errand::UseTmk),             false, &[41, 42, 60, 62]),
];

/// Message type and processing code of the transactions that the dialect knows and this switch
/// does not offer; they are answered "not supported", all others "invalid".
#[rustfmt::skip]
pub static NOT_OFFERED: &[([u8; 4], Option<[u8; 6]>)] = &[
    (*b"0100", Some(*b"030000")), // pre-authorisation
    (*b"0100", Some(*b"200000")), // pre-authorisation void
    (*b"0100", Some(*b"330000")), // account verification
    (*b"0200", Some(*b"000000")), // completion, points, instalment, mail order, reservation, offline upload
    (*b"0200", Some(*b"200000")), // their voids
    (*b"0200", Some(*b"310000")), // points inquiry
    (*b"0200", Some(*b"600000")), // load of a designated account
    (*b"0200", Some(*b"620000")), // load of a non-designated account
    (*b"0200", Some(*b"630000")), // cash top-up
    (*b"0200", Some(*b"170000")), // void of a cash load
    (*b"0200", Some(*b"400000")), // account top-up
    (*b"0220", Some(*b"000000")), // completion advice, offline settlement, adjustment, tip
    (*b"0220", Some(*b"200000")), // offline and points refunds
    (*b"0220", Some(*b"630000")), // top-up confirm
    (*b"0400", Some(*b"030000")), // reversals of the above
    (*b"0400", Some(*b"000000")),
    (*b"0400", Some(*b"200000")),
    (*b"0400", Some(*b"600000")),
    (*b"0400", Some(*b"620000")),
    (*b"0400", Some(*b"630000")),
    (*b"0400", Some(*b"170000")),
    (*b"0300", None),             // exchange rates
    (*b"0320", None),             // other uploads
    (*b"0500", None),
    (*b"0620", None),             // script results
    (*b"0800", None),             // downloads
    (*b"0820", None),             // queries, status, signatures
];

#[expect(clippy::too_many_arguments, reason = "one for each column of the table")]
const fn row(
    mti: &[u8; 4],
    processing: Option<&[u8; 6]>,
    condition: Option<&[u8; 2]>,
    kind: Option<&[u8; 2]>,
    network: Option<&[u8; 3]>,
    transaction: Transaction,
    mac: bool,
    must: &'static [u8],
) -> Row {
    const fn owned<const N: usize>(digits: Option<&[u8; N]>) -> Option<[u8; N]> {
        match digits {
            Some(digits) => Some(*digits),
            None => None,
        }
    }
    Row {
        mti: *mti,
        processing: owned(processing),
        condition: owned(condition),
        kind: owned(kind),
        network: owned(network),
        transaction,
        mac,
        must,
    }
}

/// The digits of a request that tell what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codes {
    /// Message type.
    pub mti: [u8; 4],
    /// Processing code (F3).
    pub processing: Option<[u8; 6]>,
    /// Condition code (F25).
    pub condition: Option<[u8; 2]>,
    /// Kind of transaction (F60.1).
    pub kind: Option<[u8; 2]>,
    /// Network management code (F60.3).
    pub network: Option<[u8; 3]>,
}

/// Why a request has no row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoRow {
    /// It is not a request of this dialect, so it must not be answered: answering an answer would
    /// go on for ever.
    NotARequest,
    /// The dialect knows it, this switch does not offer it.
    NotOffered,
    /// Nobody knows it.
    Invalid,
}

/// Finds the row of a request. A repeat (message type ending in 1) is read as what it repeats.
///
/// # Errors
/// Why there is none.
pub fn lookup(codes: &Codes) -> Result<&'static Row, NoRow> {
    let mut mti = codes.mti;
    let [version, _, function, origin] = mti;
    if version != b'0' || !matches!(function, b'0' | b'2') || !matches!(origin, b'0' | b'1') {
        return Err(NoRow::NotARequest);
    }
    mti[3] = b'0';
    let row = ROWS.iter().find(|row| {
        row.mti == mti
            && (row.processing.is_none() || row.processing == codes.processing)
            && (row.condition.is_none() || row.condition == codes.condition)
            && (row.kind.is_none() || row.kind == codes.kind || row.mti == *b"0320")
            && (row.network.is_none() || row.network == codes.network)
    });
    row.ok_or_else(|| {
        let is_known = NOT_OFFERED.iter().any(|(known, processing)| {
            *known == mti && (processing.is_none() || *processing == codes.processing)
        });
        if is_known { NoRow::NotOffered } else { NoRow::Invalid }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(row: &Row) -> Codes {
        Codes {
            mti: row.mti,
            processing: row.processing,
            condition: row.condition,
            kind: row.kind,
            network: row.network.or(Some(*b"000")),
        }
    }

    #[test]
    fn every_row_is_reached_by_its_own_codes() {
        for (place, row) in ROWS.iter().enumerate() {
            let found = lookup(&codes_of(row)).unwrap();
            assert!(std::ptr::eq(found, &raw const ROWS[place]), "{row:?} is hidden by {found:?}");
        }
    }

    #[test]
    fn a_repeat_is_read_as_what_it_repeats() {
        let repeat = Codes { mti: *b"0401", ..codes_of(&ROWS[11]) };
        assert_eq!(lookup(&repeat).unwrap().transaction, Transaction::Reversal(TxnKind::Sale));
    }

    #[test]
    fn what_has_no_row_is_told_apart() {
        let ask = |mti: &[u8; 4], processing: Option<&[u8; 6]>| {
            lookup(&Codes { mti: *mti, processing: processing.copied(), ..Codes::default() })
                .map(|row| row.transaction)
        };
        assert_eq!(ask(b"0210", Some(b"000000")), Err(NoRow::NotARequest));
        assert_eq!(ask(b"1200", Some(b"000000")), Err(NoRow::NotARequest));
        assert_eq!(ask(b"0100", Some(b"030000")), Err(NoRow::NotOffered));
        assert_eq!(ask(b"0200", Some(b"999999")), Err(NoRow::Invalid));
        assert_eq!(ask(b"0600", None), Err(NoRow::Invalid));
    }
}
