//! Response codes (field 39): what a terminal makes of them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A response code: two characters.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(pub [u8; 2]);

impl Code {
    /// Approved.
    pub const APPROVED: Self = Self(*b"00");
    /// Approved for the amount the answer carries, which is less than was asked for.
    pub const PARTIAL: Self = Self(*b"10");
    /// The message code is wrong, or the host has no keys for the terminal.
    pub const MAC_WRONG: Self = Self(*b"A0");

    /// The same was there before.
    pub const DUPLICATE: Self = Self(*b"94");
    /// The host has no answer from the issuer.
    pub const NO_ANSWER: Self = Self(*b"98");
    /// Done, and the issuer will confirm it later.
    pub const ASK_LATER: Self = Self(*b"A6");

    /// The two characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("??")
    }

    /// True if the terminal prints a slip: 00, 10, 11 and the successes with a doubt.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(&self.0, b"00" | b"10" | b"11" | b"A2" | b"A4" | b"A5" | b"A6")
    }

    /// True if a terminal that hears it of a reversal need not send the reversal again: it is
    /// done, or there is nothing to undo.
    #[must_use]
    pub const fn ends_reversal(self) -> bool {
        matches!(&self.0, b"00" | b"12" | b"25")
    }

    /// True if the same request may be answered otherwise a little later.
    #[must_use]
    pub const fn is_of_the_moment(self) -> bool {
        matches!(&self.0, b"68" | b"90" | b"91" | b"92" | b"96" | b"98" | b"A0" | b"A7")
    }

    /// What the code means.
    #[must_use]
    pub fn meaning(self) -> Meaning {
        let found = MEANINGS.iter().find(|(code, _, _)| *code == self.as_str());
        let (en, zh) =
            found.map_or(("not a known code", "未知应答码"), |(_, en, zh)| (*en, *zh));
        Meaning { en, zh }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A code's meaning in both languages.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Meaning {
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// The codes of UnionPay's terminal and interchange specifications.
#[rustfmt::skip]
static MEANINGS: &[(&str, &str, &str)] = &[
    ("00", "approved",                                   "交易成功"),
    ("01", "refer to the issuer",                        "请联系发卡行"),
    ("03", "invalid merchant",                           "商户无效"),
    ("04", "pick up the card",                           "没收卡"),
    ("05", "card verification failed",                   "身份验证失败"),
    ("06", "error",                                      "出错"),
    ("10", "approved in part",                           "部分承兑"),
    ("11", "approved, important customer",               "成功，重要持卡人"),
    ("12", "invalid transaction",                        "无效交易"),
    ("13", "invalid amount",                             "无效金额"),
    ("14", "invalid card number",                        "无效卡号"),
    ("15", "no such issuer",                             "无此发卡方"),
    ("21", "card not activated",                         "卡未激活"),
    ("22", "original already undone, or too old",        "操作有误或超出天数"),
    ("25", "original transaction not found",             "无原始交易"),
    ("30", "format error",                               "报文格式错"),
    ("34", "suspected fraud, pick up the card",          "作弊卡，没收卡"),
    ("38", "PIN tries exceeded, pick up the card",       "密码错误次数超限，没收卡"),
    ("40", "function not supported",                     "不支持的交易"),
    ("41", "card reported lost",                         "挂失卡"),
    ("43", "card reported stolen",                       "被窃卡"),
    ("45", "use the chip",                               "请插卡"),
    ("51", "insufficient funds",                         "余额不足"),
    ("54", "card expired",                               "过期卡"),
    ("55", "wrong PIN",                                  "密码错"),
    ("57", "not permitted to this card",                 "不允许此卡交易"),
    ("58", "not permitted to this terminal",             "不允许此终端交易"),
    ("59", "card verification error",                    "卡片校验错"),
    ("61", "above the amount limit",                     "金额超限"),
    ("62", "restricted card",                            "受限制的卡"),
    ("64", "amount does not match the original",         "金额与原交易不符"),
    ("65", "above the count limit",                      "次数超限"),
    ("68", "answer too late",                            "应答超时"),
    ("75", "PIN tries exceeded",                         "密码错误次数超限"),
    ("77", "batch does not match, settle first",         "批次不符，请先结算"),
    ("79", "settle again",                               "请重新结算"),
    ("90", "cut-off in progress, try later",             "正在日切，请稍后再试"),
    ("91", "issuer not available, try later",            "发卡方状态异常，请稍后再试"),
    ("92", "issuer cannot be reached, try later",        "发卡方线路异常，请稍后再试"),
    ("94", "duplicate transaction",                      "重复交易"),
    ("95", "totals do not agree, upload follows",        "对账不平，请批上送"),
    ("96", "system malfunction, try later",              "系统故障，请稍后再试"),
    ("97", "terminal not registered",                    "终端未登记"),
    ("98", "no answer from the issuer",                  "发卡方超时"),
    ("99", "PIN format error, sign on again",            "密码格式错，请重新签到"),
    ("A0", "message code wrong, sign on again",          "报文校验错，请重新签到"),
    ("A1", "currency of the transfer does not match",    "转账货币不一致"),
    ("A2", "done, to be confirmed with the issuer",      "交易成功，请向发卡方确认"),
    ("A3", "account to be credited is wrong",            "转入账户不正确"),
    ("A4", "done, to be confirmed with the issuer",      "交易成功，请向发卡方确认"),
    ("A5", "done, to be confirmed with the issuer",      "交易成功，请向发卡方确认"),
    ("A6", "done, to be confirmed with the issuer",      "交易成功，请向发卡方确认"),
    ("A7", "security processing failed, try later",      "安全处理失败，请稍后再试"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_each_code_once() {
        assert!(MEANINGS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn success_and_the_end_of_a_reversal() {
        let success = |code: &[u8; 2]| Code(*code).is_success();
        assert!(success(b"00") && success(b"10") && success(b"A6"));
        assert!(!success(b"51") && !success(b"A0") && !success(b"A3"));
        assert!(Code(*b"25").ends_reversal() && !Code(*b"96").ends_reversal());
        assert_eq!(Code(*b"51").meaning().zh, "余额不足");
        assert_eq!(Code(*b"ZZ").meaning().en, "not a known code");
    }
}
