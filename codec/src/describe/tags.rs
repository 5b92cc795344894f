//! What the tags of a chip card's data mean (EMV Book 3, Annex A, and PBOC 3.0).

use crate::field::Sensitivity::{self, Clear, Hide, MaskPan};
use crate::tlv::{Reader, Tag, Tlv};

/// What a tag means.
#[derive(Debug, Eq, PartialEq)]
pub struct Meaning {
    tag: u32,
    /// How much of its content is shown.
    pub show: Sensitivity,
    /// In English.
    pub name: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// What `tag` means, or `None` if it is neither EMV's nor PBOC's.
#[must_use]
pub fn meaning(tag: Tag) -> Option<&'static Meaning> {
    let index = MEANINGS.binary_search_by_key(&tag.value(), |meaning| meaning.tag).ok()?;
    MEANINGS.get(index)
}

/// How much of an object may be shown. One that holds others is hidden as soon as one of them is,
/// or cannot be read.
pub(super) fn sensitivity(object: &Tlv<'_>) -> Sensitivity {
    if let Some(Meaning { show: show @ (Hide | MaskPan), .. }) = meaning(object.tag) {
        return *show;
    }
    if !object.tag.is_constructed() {
        return Clear;
    }
    let inside = Reader::new(crate::FieldNo(0), object.offset, object.value).nested();
    let open = |inner: Result<(usize, Tlv<'_>), _>| {
        inner.is_ok_and(|(_, inner)| meaning(inner.tag).is_none_or(|known| known.show == Clear))
    };
    if inside.into_iter().all(open) { Clear } else { Hide }
}

const fn m(tag: u32, show: Sensitivity, name: &'static str, zh: &'static str) -> Meaning {
    Meaning { tag, show, name, zh }
}

/// Ascending by tag.
#[rustfmt::skip]
static MEANINGS: &[Meaning] = &[
    m(0x42, Clear, "Issuer identification number", "发卡机构标识码"),
    m(0x4F, Clear, "Application identifier", "应用标识符"),
    m(0x50, Clear, "Application label", "应用标签"),
    m(0x56, Hide, "Track 1 equivalent data", "磁条 1 等价数据"),
    m(0x57, Hide, "Track 2 equivalent data", "磁条 2 等价数据"),
    m(0x5A, MaskPan, "Application primary account number", "应用主账号"),
    m(0x61, Clear, "Application template", "应用模板"),
    m(0x6F, Clear, "File control information", "文件控制信息"),
    m(0x70, Clear, "Record", "记录模板"),
    m(0x71, Clear, "Issuer script before the final decision", "发卡行脚本模板 1"),
    m(0x72, Clear, "Issuer script after the final decision", "发卡行脚本模板 2"),
    m(0x77, Clear, "Response message template", "响应报文模板"),
    m(0x80, Clear, "Response message", "响应报文"),
    m(0x82, Clear, "Application interchange profile", "应用交互特征"),
    m(0x84, Clear, "Dedicated file name", "专用文件名称"),
    m(0x86, Clear, "Issuer script command", "发卡行脚本命令"),
    m(0x87, Clear, "Application priority", "应用优先指示器"),
    m(0x88, Clear, "Short file identifier", "短文件标识符"),
    m(0x89, Clear, "Authorization code", "授权码"),
    m(0x8A, Clear, "Authorization response code", "授权响应码"),
    m(0x8C, Clear, "Data of the first application cryptogram", "卡片风险管理数据对象列表 1"),
    m(0x8D, Clear, "Data of the second application cryptogram", "卡片风险管理数据对象列表 2"),
    m(0x8E, Clear, "Cardholder verification methods", "持卡人验证方法列表"),
    m(0x8F, Clear, "CA public key index", "CA 公钥索引"),
    m(0x90, Clear, "Issuer public key certificate", "发卡行公钥证书"),
    m(0x91, Clear, "Issuer authentication data", "发卡行认证数据"),
    m(0x92, Clear, "Issuer public key remainder", "发卡行公钥余项"),
    m(0x93, Clear, "Signed static application data", "签名的静态应用数据"),
    m(0x94, Clear, "Application file locator", "应用文件定位器"),
    m(0x95, Clear, "Terminal verification results", "终端验证结果"),
    m(0x97, Clear, "Data of the transaction certificate", "交易证书数据对象列表"),
    m(0x98, Clear, "Transaction certificate hash", "交易证书哈希值"),
    m(0x99, Hide, "Transaction PIN data", "交易 PIN 数据"),
    m(0x9A, Clear, "Transaction date", "交易日期"),
    m(0x9B, Clear, "Transaction status information", "交易状态信息"),
    m(0x9C, Clear, "Transaction type", "交易类型"),
    m(0xA5, Clear, "Proprietary file control information", "文件控制信息专用模板"),
    m(0x5F20, Hide, "Cardholder name", "持卡人姓名"),
    m(0x5F24, Hide, "Application expiration date", "应用失效日期"),
    m(0x5F25, Clear, "Application effective date", "应用生效日期"),
    m(0x5F28, Clear, "Issuer country code", "发卡行国家代码"),
    m(0x5F2A, Clear, "Transaction currency code", "交易货币代码"),
    m(0x5F2D, Clear, "Language preference", "首选语言"),
    m(0x5F30, Clear, "Service code", "服务码"),
    m(0x5F34, Clear, "Application PAN sequence number", "应用主账号序列号"),
    m(0x5F36, Clear, "Transaction currency exponent", "交易货币指数"),
    m(0x9F01, Clear, "Acquirer identifier", "收单行标识"),
    m(0x9F02, Clear, "Amount, authorized", "授权金额"),
    m(0x9F03, Clear, "Amount, other", "其他金额"),
    m(0x9F05, Clear, "Application discretionary data", "应用自定义数据"),
    m(0x9F06, Clear, "Application identifier of the terminal", "应用标识符 (终端)"),
    m(0x9F07, Clear, "Application usage control", "应用用途控制"),
    m(0x9F08, Clear, "Application version of the card", "应用版本号 (卡片)"),
    m(0x9F09, Clear, "Application version of the terminal", "应用版本号 (终端)"),
    m(0x9F0B, Hide, "Cardholder name, extended", "持卡人姓名扩展"),
    m(0x9F0D, Clear, "Issuer action code, default", "发卡行行为代码 - 缺省"),
    m(0x9F0E, Clear, "Issuer action code, denial", "发卡行行为代码 - 拒绝"),
    m(0x9F0F, Clear, "Issuer action code, online", "发卡行行为代码 - 联机"),
    m(0x9F10, Clear, "Issuer application data", "发卡行应用数据"),
    m(0x9F11, Clear, "Issuer code table index", "发卡行代码表索引"),
    m(0x9F12, Clear, "Application preferred name", "应用首选名称"),
    m(0x9F13, Clear, "Last online application transaction counter", "上次联机应用交易计数器"),
    m(0x9F14, Clear, "Lower consecutive offline limit", "连续脱机交易下限"),
    m(0x9F15, Clear, "Merchant category code", "商户分类码"),
    m(0x9F16, Clear, "Merchant identifier", "商户标识"),
    m(0x9F17, Clear, "PIN tries left", "PIN 尝试计数器"),
    m(0x9F18, Clear, "Issuer script identifier", "发卡行脚本标识"),
    m(0x9F1A, Clear, "Terminal country code", "终端国家代码"),
    m(0x9F1B, Clear, "Terminal floor limit", "终端最低限额"),
    m(0x9F1C, Clear, "Terminal identification", "终端标识"),
    m(0x9F1D, Clear, "Terminal risk management data", "终端风险管理数据"),
    m(0x9F1E, Clear, "Interface device serial number", "接口设备序列号"),
    m(0x9F1F, Hide, "Track 1 discretionary data", "磁条 1 自定义数据"),
    m(0x9F20, Hide, "Track 2 discretionary data", "磁条 2 自定义数据"),
    m(0x9F21, Clear, "Transaction time", "交易时间"),
    m(0x9F22, Clear, "CA public key index of the terminal", "CA 公钥索引 (终端)"),
    m(0x9F23, Clear, "Upper consecutive offline limit", "连续脱机交易上限"),
    m(0x9F24, Hide, "Payment account reference", "支付账户参考"),
    m(0x9F26, Clear, "Application cryptogram", "应用密文"),
    m(0x9F27, Clear, "Cryptogram information data", "密文信息数据"),
    m(0x9F33, Clear, "Terminal capabilities", "终端性能"),
    m(0x9F34, Clear, "Cardholder verification results", "持卡人验证结果"),
    m(0x9F35, Clear, "Terminal type", "终端类型"),
    m(0x9F36, Clear, "Application transaction counter", "应用交易计数器"),
    m(0x9F37, Clear, "Unpredictable number", "不可预知数"),
    m(0x9F38, Clear, "Processing options data", "处理选项数据对象列表"),
    m(0x9F39, Clear, "Entry mode", "销售点输入方式"),
    m(0x9F40, Clear, "Additional terminal capabilities", "附加终端性能"),
    m(0x9F41, Clear, "Transaction sequence counter", "交易序列计数器"),
    m(0x9F42, Clear, "Application currency code", "应用货币代码"),
    m(0x9F45, Clear, "Data authentication code", "数据认证码"),
    m(0x9F4C, Clear, "Dynamic number of the card", "IC 卡动态数"),
    m(0x9F4E, Clear, "Merchant name and location", "商户名称"),
    m(0x9F51, Clear, "Application currency code, PBOC", "应用货币代码 (PBOC)"),
    m(0x9F53, Clear, "Consecutive international offline limit", "连续脱机交易限制数 (国际)"),
    m(0x9F5D, Clear, "Offline amount available", "可用脱机消费金额"),
    m(0x9F61, Hide, "Cardholder identification number", "持卡人证件号"),
    m(0x9F62, Clear, "Cardholder identification type", "持卡人证件类型"),
    m(0x9F63, Clear, "Card product identification", "卡产品标识信息"),
    m(0x9F66, Clear, "Terminal transaction qualifiers", "终端交易属性"),
    m(0x9F6B, Hide, "Track 2 data", "磁条 2 数据"),
    m(0x9F6C, Clear, "Card transaction qualifiers", "卡片交易属性"),
    m(0x9F6D, Clear, "Electronic cash reset threshold", "电子现金重置阈值"),
    m(0x9F6E, Clear, "Form factor indicator", "设备形态标识"),
    m(0x9F74, Clear, "Electronic cash issuer authorization code", "电子现金发卡行授权码"),
    m(0x9F77, Clear, "Electronic cash balance limit", "电子现金余额上限"),
    m(0x9F78, Clear, "Electronic cash transaction limit", "电子现金单笔交易限额"),
    m(0x9F79, Clear, "Electronic cash balance", "电子现金余额"),
    m(0x9F7A, Clear, "Electronic cash terminal indicator", "电子现金终端支持指示器"),
    m(0x9F7B, Clear, "Electronic cash terminal limit", "电子现金终端交易限额"),
    m(0x9F7C, Hide, "Customer exclusive data", "客户专用数据"),
    m(0xBF0C, Clear, "Issuer discretionary file control information", "发卡行自定义数据"),
    m(0xDF31, Clear, "Issuer script results", "发卡行脚本结果"),
    m(0xDF32, Clear, "Chip serial number", "芯片序列号"),
    m(0xDF33, Clear, "Session key data", "过程密钥数据"),
    m(0xDF34, Clear, "Terminal reading time", "终端读取时间"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_whole_and_ascend() {
        assert!(MEANINGS.is_sorted_by_key(|meaning| meaning.tag));
        for known in MEANINGS {
            let tag = Tag::new(known.tag).unwrap();
            assert_eq!(meaning(tag), Some(known));
        }
        assert_eq!(meaning(Tag::new(0x9F7F).unwrap()), None);
    }
}
