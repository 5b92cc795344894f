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
    /// A transaction of a card.
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
            Self::Card(kind) => kind.name(),
            Self::Reversal(kind) => reversal_name(kind),
            Self::Settlement => "settlement",
            Self::UploadStripe | Self::UploadDetail => "batch_upload",
            Self::UploadEnd => "batch_end",
            Self::Care(errand) => errand.name(),
        }
    }
}

/// Returns the name of the reversal of a transaction.
const fn reversal_name(kind: TxnKind) -> &'static str {
    match kind {
        TxnKind::Sale => "sale_reversal",
        TxnKind::Void => "void_reversal",
        TxnKind::PreAuth => "pre_auth_reversal",
        TxnKind::PreAuthVoid => "pre_auth_void_reversal",
        TxnKind::Completion => "completion_reversal",
        TxnKind::CompletionVoid => "completion_void_reversal",
        TxnKind::PointsSale => "points_sale_reversal",
        TxnKind::PointsVoid => "points_void_reversal",
        TxnKind::Activation => "activation_reversal",
        TxnKind::Refund
        | TxnKind::Inquiry
        | TxnKind::CompletionAdvice
        | TxnKind::OfflineSale
        | TxnKind::Adjustment
        | TxnKind::ECash
        | TxnKind::Verification
        | TxnKind::TopUp
        | TxnKind::TopUpConfirm
        | TxnKind::PointsInquiry
        | TxnKind::PinChange
        | TxnKind::ScriptNotice => "reversal",
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

impl Row {
    const fn is_refund(&self) -> bool {
        matches!(self.transaction, Transaction::Card(TxnKind::Refund))
    }
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
    row(b"0200", Some(b"310000"), Some(b"00"), Some(b"01"), None,          Transaction::Card(TxnKind::Inquiry),               true,  &[3, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"000000"), Some(b"00"), Some(b"22"), None,          Transaction::Card(TxnKind::Sale),                  true,  &[3, 4, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"200000"), Some(b"00"), Some(b"23"), None,          Transaction::Card(TxnKind::Void),                  true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0220", Some(b"200000"), Some(b"00"), Some(b"25"), None,          Transaction::Card(TxnKind::Refund),                true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0200", Some(b"000000"), Some(b"08"), Some(b"22"), None,          Transaction::Card(TxnKind::Sale),                  true,  &[2, 3, 4, 11, 22, 25, 41, 42, 60, 62]),
    row(b"0200", Some(b"200000"), Some(b"08"), Some(b"23"), None,          Transaction::Card(TxnKind::Void),                  true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0220", Some(b"200000"), Some(b"08"), Some(b"25"), None,          Transaction::Card(TxnKind::Refund),                true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0100", Some(b"030000"), Some(b"06"), Some(b"10"), None,          Transaction::Card(TxnKind::PreAuth),               true,  &[3, 4, 11, 22, 25, 41, 42, 60]),
    row(b"0100", Some(b"030000"), Some(b"60"), Some(b"10"), None,          Transaction::Card(TxnKind::PreAuth),               true,  &[3, 4, 11, 22, 25, 38, 41, 42, 60]),
    row(b"0100", Some(b"200000"), Some(b"06"), Some(b"11"), None,          Transaction::Card(TxnKind::PreAuthVoid),           true,  &[3, 4, 11, 22, 25, 38, 41, 42, 60]),
    row(b"0200", Some(b"000000"), Some(b"06"), Some(b"20"), None,          Transaction::Card(TxnKind::Completion),            true,  &[3, 4, 11, 22, 25, 38, 41, 42, 60]),
    row(b"0220", Some(b"000000"), Some(b"06"), Some(b"24"), None,          Transaction::Card(TxnKind::CompletionAdvice),      true,  &[3, 4, 11, 22, 25, 38, 41, 42, 60]),
    row(b"0200", Some(b"200000"), Some(b"06"), Some(b"21"), None,          Transaction::Card(TxnKind::CompletionVoid),        true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0220", Some(b"000000"), Some(b"00"), Some(b"30"), None,          Transaction::Card(TxnKind::OfflineSale),           true,  &[3, 4, 11, 22, 25, 38, 41, 42, 60]),
    row(b"0220", Some(b"000000"), Some(b"00"), Some(b"32"), None,          Transaction::Card(TxnKind::Adjustment),            true,  &[3, 4, 11, 22, 25, 41, 42, 48, 60, 61]),
    row(b"0220", Some(b"000000"), Some(b"00"), Some(b"34"), None,          Transaction::Card(TxnKind::Adjustment),            true,  &[3, 4, 11, 22, 25, 41, 42, 48, 60, 61]),
    row(b"0200", Some(b"000000"), Some(b"00"), Some(b"36"), None,          Transaction::Card(TxnKind::ECash),                 true,  &[3, 4, 11, 22, 25, 41, 42, 55, 60]),
    row(b"0100", Some(b"330000"), Some(b"00"), Some(b"01"), None,          Transaction::Card(TxnKind::Verification),          true,  &[3, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"630000"), Some(b"00"), Some(b"48"), None,          Transaction::Card(TxnKind::TopUp),                 true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0220", Some(b"630000"), Some(b"00"), Some(b"48"), None,          Transaction::Card(TxnKind::TopUpConfirm),          true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0200", Some(b"310000"), Some(b"65"), Some(b"03"), None,          Transaction::Card(TxnKind::PointsInquiry),         true,  &[3, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"000000"), Some(b"65"), Some(b"22"), None,          Transaction::Card(TxnKind::PointsSale),            true,  &[3, 4, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"200000"), Some(b"65"), Some(b"23"), None,          Transaction::Card(TxnKind::PointsVoid),            true,  &[3, 4, 11, 22, 25, 37, 41, 42, 60, 61]),
    row(b"0200", Some(b"900000"), Some(b"82"), Some(b"98"), None,          Transaction::Card(TxnKind::Activation),            true,  &[3, 11, 22, 25, 41, 42, 60]),
    row(b"0200", Some(b"920000"), Some(b"82"), Some(b"97"), None,          Transaction::Card(TxnKind::PinChange),             true,  &[3, 11, 22, 25, 41, 42, 60, 62]),
    row(b"0620", None,           None,        Some(b"00"), Some(b"951"),  Transaction::Card(TxnKind::ScriptNotice),          true,  &[3, 11, 22, 25, 41, 42, 60, 61]),
    row(b"0400", Some(b"000000"), Some(b"00"), Some(b"22"), None,          Transaction::Reversal(TxnKind::Sale),              true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"00"), Some(b"23"), None,          Transaction::Reversal(TxnKind::Void),              true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"000000"), Some(b"08"), Some(b"22"), None,          Transaction::Reversal(TxnKind::Sale),              true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"08"), Some(b"23"), None,          Transaction::Reversal(TxnKind::Void),              true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"030000"), Some(b"06"), Some(b"10"), None,          Transaction::Reversal(TxnKind::PreAuth),           true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"030000"), Some(b"60"), Some(b"10"), None,          Transaction::Reversal(TxnKind::PreAuth),           true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"06"), Some(b"11"), None,          Transaction::Reversal(TxnKind::PreAuthVoid),       true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"000000"), Some(b"06"), Some(b"20"), None,          Transaction::Reversal(TxnKind::Completion),        true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"06"), Some(b"21"), None,          Transaction::Reversal(TxnKind::CompletionVoid),    true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"000000"), Some(b"65"), Some(b"22"), None,          Transaction::Reversal(TxnKind::PointsSale),        true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"200000"), Some(b"65"), Some(b"23"), None,          Transaction::Reversal(TxnKind::PointsVoid),        true,  &[3, 4, 11, 25, 41, 42, 60]),
    row(b"0400", Some(b"900000"), Some(b"82"), Some(b"98"), None,          Transaction::Reversal(TxnKind::Activation),        true,  &[3, 11, 25, 41, 42, 60]),
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

/// What the dialect knows and this switch does not offer, with the reason: message type,
/// processing code, kind of transaction where that tells it apart. It is answered "not supported",
/// all else "invalid".
#[rustfmt::skip]
pub static NOT_OFFERED: &[NotOffered] = &[
    // MTI      F3               60.1         why
    (b"0200", Some(b"600000"), None,        LOAD_OF_CHIP),           // load, designated account
    (b"0200", Some(b"620000"), None,        LOAD_OF_CHIP),           // load, other account
    (b"0200", Some(b"630000"), Some(b"46"), LOAD_OF_CHIP),           // cash load
    (b"0200", Some(b"630000"), Some(b"41"), LOAD_OF_CHIP),           // cash load of an e-wallet
    (b"0200", Some(b"170000"), None,        LOAD_OF_CHIP),           // void of a cash load
    (b"0400", Some(b"600000"), None,        LOAD_OF_CHIP),           // their reversals
    (b"0400", Some(b"620000"), None,        LOAD_OF_CHIP),
    (b"0400", Some(b"630000"), None,        "a top-up is confirmed, not reversed"),
    (b"0400", Some(b"170000"), None,        LOAD_OF_CHIP),
    (b"0200", Some(b"400000"), None,        "no line to the account that would pay"), // account top-up
    (b"0200", Some(b"000000"), None,        NO_SUCH_PRODUCT),        // instalment, reservation
    (b"0200", Some(b"200000"), None,        NO_SUCH_PRODUCT),        // their voids
    (b"0200", Some(b"310000"), None,        NO_SUCH_PRODUCT),
    (b"0220", Some(b"000000"), None,        NO_SUCH_PRODUCT),
    (b"0220", Some(b"200000"), None,        "what a chip paid is given back by a refund (7), or by hand"), // offline refund
    (b"0220", Some(b"630000"), None,        NO_SUCH_PRODUCT),
    (b"0100", Some(b"030000"), None,        NO_SUCH_PRODUCT),        // by mail or telephone
    (b"0100", Some(b"200000"), None,        NO_SUCH_PRODUCT),
    (b"0400", Some(b"030000"), None,        NO_SUCH_PRODUCT),        // reversals of what is not offered
    (b"0400", Some(b"000000"), None,        NO_SUCH_PRODUCT),
    (b"0400", Some(b"200000"), None,        NO_SUCH_PRODUCT),
    (b"0300", None,            None,        "one currency"),         // exchange rates
    (b"0320", None,            None,        "no such upload"),
    (b"0500", None,            None,        "no such settlement"),
    (b"0620", None,            None,        "no such notice"),
    (b"0800", None,            None,        "no such download"),
    (b"0820", None,            None,        "no such query"),
];

/// Message type, processing code, kind of transaction (F60.1), and why it is not offered.
pub type NotOffered =
    (&'static [u8; 4], Option<&'static [u8; 6]>, Option<&'static [u8; 2]>, &'static str);

const LOAD_OF_CHIP: &str = "no purse on the chip is loaded";
const NO_SUCH_PRODUCT: &str = "no product of this kind";
const POINTS_ARE_SPENT: &str = "points are not given back after the settlement";

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
    /// The account it is about (F60.7), if it names one: points, of the issuer or of the union.
    pub account: Option<[u8; 3]>,
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
    // A refund of points says so nowhere else, and must not give money.
    let row = row.filter(|row| !(row.is_refund() && is_of_points(codes)));
    let no_row =
        || if why_not_offered(codes).is_some() { NoRow::NotOffered } else { NoRow::Invalid };
    row.ok_or_else(no_row)
}

/// Returns why a request of the dialect is not offered; `None` if the dialect does not know it.
#[must_use]
pub fn why_not_offered(codes: &Codes) -> Option<&'static str> {
    let [version, class, function, _] = codes.mti;
    let mti = [version, class, function, b'0'];
    if mti == *b"0220" && codes.kind == Some(*b"25") && is_of_points(codes) {
        return Some(POINTS_ARE_SPENT);
    }
    let found = NOT_OFFERED.iter().find(|&&(known, processing, kind, _why)| {
        *known == mti
            && (processing.is_none() || processing == codes.processing.as_ref())
            && (kind.is_none() || kind == codes.kind.as_ref())
    });
    found.map(|&(.., why)| why)
}

fn is_of_points(codes: &Codes) -> bool {
    codes.account.is_some_and(|account| matches!(&account, b"048" | b"065"))
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
            account: None,
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
        let reversal = Transaction::Reversal(TxnKind::Sale);
        let row = ROWS.iter().find(|row| row.transaction == reversal).unwrap();
        let repeat = Codes { mti: *b"0401", ..codes_of(row) };
        assert_eq!(lookup(&repeat).unwrap().transaction, reversal);
    }

    #[test]
    fn what_has_no_row_is_told_apart() {
        let ask = |mti: &[u8; 4], processing: Option<&[u8; 6]>| {
            lookup(&Codes { mti: *mti, processing: processing.copied(), ..Codes::default() })
                .map(|row| row.transaction)
        };
        assert_eq!(ask(b"0210", Some(b"000000")), Err(NoRow::NotARequest));
        assert_eq!(ask(b"1200", Some(b"000000")), Err(NoRow::NotARequest));
        assert_eq!(ask(b"0200", Some(b"600000")), Err(NoRow::NotOffered));
        assert_eq!(ask(b"0200", Some(b"999999")), Err(NoRow::Invalid));
        assert_eq!(ask(b"0600", None), Err(NoRow::Invalid));
    }
}
