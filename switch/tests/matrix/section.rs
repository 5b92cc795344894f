//! The transactions of the dialect, one a line, as its specification lists them: number, name,
//! message type, F3, F25, F60.1, F60.3, `r` if it has a reversal, and every code (F39) that a case must show of it; `-` is
//! an answer without a code. Behind a colon: why it is not offered.
//!
//! Written from the specification, not from the switch's own table: the two are compared.

use switch::message::matrix::Codes;

/// One transaction of the dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// Its number in the specification; `P` if it is private to this switch.
    pub(crate) no: &'static str,
    /// What cases call it.
    pub(crate) name: &'static str,
    pub(crate) mti: &'static str,
    pub(crate) processing: Option<&'static str>,
    pub(crate) condition: Option<&'static str>,
    pub(crate) kind: &'static str,
    pub(crate) network: &'static str,
    /// True if a reversal undoes it.
    pub(crate) is_reversible: bool,
    /// The codes that cases must show.
    pub(crate) shown: &'static str,
    /// Why it is answered 40, if it is.
    pub(crate) reason: Option<&'static str>,
}

impl Spec {
    fn cut(line: &'static str) -> Self {
        let (told, reason) = match line.split_once(':') {
            Some((told, reason)) => (told, Some(reason.trim())),
            None => (line, None),
        };
        let mut words = told.split_whitespace();
        let mut next = || words.next().unwrap_or_else(|| panic!("{line} is too short"));
        let maybe = |word: &'static str| (word != "-").then_some(word);
        let (no, name, mti) = (next(), next(), next());
        let (processing, condition, kind, network) = (maybe(next()), maybe(next()), next(), next());
        let is_reversible = next() == "r";
        let shown = told.split_once('[').unwrap().1.split_once(']').unwrap().0;
        Self { no, name, mti, processing, condition, kind, network, is_reversible, shown, reason }
    }

    /// Returns the digits that tell what a request is; those of its reversal.
    pub(crate) fn codes(&self, mti: &str) -> Codes {
        let digits = |text: &str| text.as_bytes().to_vec();
        Codes {
            mti: digits(mti).try_into().unwrap(),
            processing: self.processing.map(|text| digits(text).try_into().unwrap()),
            condition: self.condition.map(|text| digits(text).try_into().unwrap()),
            kind: Some(digits(self.kind).try_into().unwrap()),
            network: Some(digits(self.network).try_into().unwrap()),
            account: self.account().map(|text| digits(text).try_into().unwrap()),
        }
    }

    /// Returns the points account (F60.7), for what is about points.
    pub(crate) fn account(&self) -> Option<&'static str> {
        self.name.starts_with("points").then_some("065").filter(|_| self.mti != "0820")
    }

    /// True for a request with a card and a message code.
    pub(crate) fn is_of_card(&self) -> bool {
        self.processing.is_some() || self.mti == "0620"
    }
}

/// Returns the transaction that cases call `name`.
pub(crate) fn spec(name: &str) -> Spec {
    all().find(|spec| spec.name == name).unwrap_or_else(|| panic!("no transaction {name}"))
}

/// Returns every transaction of the dialect.
pub(crate) fn all() -> impl Iterator<Item = Spec> {
    TABLE.lines().map(str::trim).filter(|line| !line.is_empty()).map(Spec::cut)
}

/// The numbers of the specification, so that none is left out of the table.
pub(crate) const NUMBERS: [&str; 51] = [
    "1", "2", "3", "4", "5", "6", "7", "7b", "8", "8b", "9", "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
    "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47",
    "48", "49",
];

const TABLE: &str = "
1   sign-on          0800 -      -  00 003 - [00 03 30 97]
1   sign-on-single   0800 -      -  00 001 - [00 40]
1   sign-on-track    0800 -      -  00 004 - [00]
1   sign-on-sm4      0800 -      -  00 005 - [00 40]
1   sign-on-sm4t     0800 -      -  00 006 - [00]
2   sign-off         0820 -      -  00 002 - [00 97]
3   echo             0820 -      -  00 301 - [00 97]
4   inquiry          0200 310000 00 01 000 - [00 14 15 21 22 30 41 54 55 57 58 62 75 77 94 97 A0]
5   sale             0200 000000 00 22 000 r [00 03 10 12 13 14 15 21 22 30 41 51 54 55 57 58 61 62 65 75 77 91 92 94 97 A0]
6   void             0200 200000 00 23 000 r [00 12 14 22 25 30 55 58 64 77 94 A0]
7   refund           0220 200000 00 25 000 - [00 12 13 14 22 25 30 57 58 61 64 77 94 A0]
7b  chip-refund      0220 200000 00 27 000 - [40] : what a chip paid is given back by a refund (7), or by hand
8   pre-auth         0100 030000 06 10 000 r [00 13 14 21 22 41 51 54 55 57 58 61 62 77 94 A0]
8b  addition         0100 030000 60 10 000 r [00 14 22 25 51 58 77 94 A0]
9   pre-auth-void    0100 200000 06 11 000 r [00 14 22 25 58 64 77 94 A0]
10  completion       0200 000000 06 20 000 r [00 13 14 22 25 51 58 64 77 94 A0]
11  advice           0220 000000 06 24 000 - [00 14 22 25 64 77 94 A0]
12  completion-void  0200 200000 06 21 000 r [00 12 14 22 25 64 77 94 A0]
14  settle           0500 -      -  00 201 - [- 30 77 97]
15  stripe           0320 -      -  00 201 - [00 30 77]
16  detail-203       0320 -      -  00 203 - [00]
16  detail-204       0320 -      -  00 204 - [00]
16  detail-205       0320 -      -  00 205 - [00 30 77]
16  detail-206       0320 -      -  00 206 - [00]
17  end-207          0320 -      -  00 207 - [00 77]
17  end-202          0320 -      -  00 202 - [00 30]
18  offline          0220 000000 00 30 000 - [00 13 14 58 61 77 94 A0]
19  adjust           0220 000000 00 32 000 - [00 12 13 14 22 25 64 77 94 A0]
20  tip              0220 000000 00 34 000 - [00 12 22 25 64 94 A0]
21  e-cash           0200 000000 00 36 000 - [00 30 77 94 A0]
22  load-own         0200 600000 91 45 000 r [40] : no purse on the chip is loaded
23  load-other       0200 620000 91 47 000 r [40] : no purse on the chip is loaded
24  load-cash        0200 630000 91 46 000 r [40] : no purse on the chip is loaded
25  load-void        0200 170000 91 51 000 r [40] : no purse on the chip is loaded
26  wallet-own       0200 600000 91 40 000 r [40] : no purse on the chip is loaded
26  wallet-cash      0200 630000 91 41 000 r [40] : no purse on the chip is loaded
26  wallet-other     0200 620000 91 42 000 r [40] : no purse on the chip is loaded
27  verify           0100 330000 00 01 000 - [00 14 21 41 54 57 58 62 77 94 A0]
28  top-up           0200 630000 00 48 000 - [00 13 14 22 25 61 77 94 A0]
29  confirm          0220 630000 00 48 000 - [00 14 22 25 61 64 77 94 A0]
30  account          0200 400000 66 49 000 - [40] : no line to the account that would pay
31  script           0620 -      -  00 951 - [00 14 77 94 A0]
32  points-sale      0200 000000 65 22 000 r [00 13 14 21 22 41 51 54 55 57 58 77 94 A0]
33  points-void      0200 200000 65 23 000 r [00 12 14 22 25 64 77 94 A0]
34  points           0200 310000 65 03 000 - [00 14 57 58 77 A0]
35  points-refund    0220 200000 00 25 000 - [40] : points are not given back after the settlement
36  instalment       0200 000000 64 22 000 r [40] : no product of this kind
36  instalment-void  0200 200000 64 23 000 r [40] : no product of this kind
37  mail             0200 000000 08 22 000 r [00 14 51 54 57 58 61 77 94 A0]
37  mail-void        0200 200000 08 23 000 r [00 22 25 64 A0]
37  mail-refund      0220 200000 08 25 000 - [00 12 25 64 A0]
38  reservation      0200 000000 67 54 000 r [40] : no product of this kind
38  reservation-void 0200 200000 67 53 000 r [40] : no product of this kind
39  parameters       0800 -      -  00 360 - [40]
39  parameters-end   0800 -      -  00 361 - [40]
40  status           0820 -      -  00 362 - [30]
41  ca-query         0820 -      -  00 372 - [40]
41  ca               0800 -      -  00 370 - [30]
41  ca-end           0800 -      -  00 371 - [40]
41  ca-sm2           0800 -      -  00 373 - [40] : no such download
42  ic-query         0820 -      -  00 382 - [40]
42  ic               0800 -      -  00 380 - [30]
42  ic-end           0800 -      -  00 381 - [40]
43  blacklist        0800 -      -  00 390 - [40]
43  blacklist-end    0800 -      -  00 391 - [40]
44  contactless      0800 -      -  00 394 - [40] : no such download
44  contactless-end  0800 -      -  00 395 - [40] : no such download
44  bins             0800 -      -  00 396 - [40] : no such download
44  bins-end         0800 -      -  00 397 - [40] : no such download
44  bins-b           0800 -      -  00 398 - [40] : no such download
44  bins-b-end       0800 -      -  00 399 - [40] : no such download
45  points-sign-on   0820 -      -  00 401 - [40] : no such query
46  signature        0820 -      -  07 800 - [40] : no such query
47  rates            0300 -      -  01 800 - [40] : one currency
48  tmk              0800 -      -  00 352 - [58]
48  tmk-load         0800 -      -  00 350 - [30]
48  tmk-use          0800 -      -  00 351 - [30]
49  activation       0200 900000 82 98 000 r [00 12 14 22 41 54 58 62 77 94 A0]
P   pin-change       0200 920000 82 97 000 - [00 14 21 30 41 54 55 57 58 62 75 77 94 A0]
";
