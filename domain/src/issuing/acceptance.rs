//! Where a card of a product may be used.

use serde::{Deserialize, Serialize};

/// What is known of a merchant, as far as it decides which cards it takes. Zero is unknown, and
/// fits no rule that names a value.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MerchantTraits {
    /// Its category code (ISO 18245).
    pub category: u16,
    /// The brand it trades under, by number.
    pub brand: u16,
    /// The administrative division it stands in (GB/T 2260): six digits.
    pub region: u32,
    /// The class of goods it sells, by number.
    pub goods: u16,
}

/// One thing that a product says of the merchants where its cards may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum AcceptanceRule {
    /// Merchants of this category are among those allowed.
    Category(u16),
    /// Merchants of this category are not allowed.
    NotCategory(u16),
    /// Merchants of this brand are among those allowed.
    Brand(u16),
    /// Merchants in this division are among those allowed: two, four or six digits, the longer
    /// the narrower.
    Region(u32),
    /// This class of goods is among those allowed.
    Goods(u16),
    /// This class of goods is not allowed.
    NotGoods(u16),
}

/// The rules of a product. None: every merchant.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Acceptance(pub Box<[AcceptanceRule]>);

impl Acceptance {
    /// True if a card may be used at a merchant like this: it is not denied, and it fits one rule
    /// of each kind that names what is allowed.
    #[must_use]
    pub fn admits(&self, merchant: &MerchantTraits) -> bool {
        use AcceptanceRule as R;
        let is_denied = self.0.iter().any(|rule| match *rule {
            R::NotCategory(category) => category == merchant.category,
            R::NotGoods(goods) => goods == merchant.goods,
            R::Category(_) | R::Brand(_) | R::Region(_) | R::Goods(_) => false,
        });
        let fits = |verdict: fn(&R, &MerchantTraits) -> Option<bool>| {
            let mut verdicts = self.0.iter().filter_map(|rule| verdict(rule, merchant)).peekable();
            verdicts.peek().is_none() || verdicts.any(|fits| fits)
        };
        !is_denied
            && fits(|rule, m| {
                matches!(rule, R::Category(_)).then(|| *rule == R::Category(m.category))
            })
            && fits(|rule, m| matches!(rule, R::Brand(_)).then(|| *rule == R::Brand(m.brand)))
            && fits(|rule, m| matches!(rule, R::Goods(_)).then(|| *rule == R::Goods(m.goods)))
            && fits(|rule, m| match rule {
                R::Region(division) => Some(lies_in(m.region, *division)),
                R::Category(_) | R::NotCategory(_) | R::Brand(_) | R::Goods(_) | R::NotGoods(_) => {
                    None
                }
            })
    }
}

/// True if the division `region` is `division` or a part of it.
fn lies_in(region: u32, division: u32) -> bool {
    let parts = [region, region.wrapping_div(100), region.wrapping_div(10_000)];
    division != 0 && parts.contains(&division)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_fits_one_rule_of_each_kind_and_no_denial() {
        use AcceptanceRule as R;
        let rules: [R; 6] = [
            R::Category(5411),
            R::Category(5812),
            R::NotGoods(7),
            R::Brand(3),
            R::Region(33),
            R::Region(3101),
        ];
        let acceptance = Acceptance(rules.into());
        let fits = MerchantTraits { category: 5812, brand: 3, region: 330_106, goods: 1 };
        assert!(acceptance.admits(&fits));
        assert!(acceptance.admits(&MerchantTraits { region: 310_104, ..fits }));
        assert!(Acceptance::default().admits(&MerchantTraits::default()));
        for unfit in [
            MerchantTraits { category: 5942, ..fits },
            MerchantTraits { goods: 7, ..fits },
            MerchantTraits { brand: 0, ..fits },
            MerchantTraits { region: 310_204, ..fits },
            MerchantTraits { region: 0, ..fits },
        ] {
            assert!(!acceptance.admits(&unfit), "{unfit:?}");
        }
        assert!(
            !Acceptance([R::NotCategory(6010)].into())
                .admits(&MerchantTraits { category: 6010, ..fits })
        );
    }
}
