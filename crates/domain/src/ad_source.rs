//! Ad sources: reference data with stable ids (Convirza platform contract, section 3).

/// Where callers have come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdSource {
    /// Never given a second time.
    pub id: i64,
    pub name: &'static str,
    pub category: &'static str,
}

const fn source(id: i64, name: &'static str, category: &'static str) -> AdSource {
    AdSource { id, name, category }
}

/// Whose visitors are told by the number that a page shows them (dynamic number insertion).
const DNI: &str = "DNI";
const ONLINE: &str = "Online";
const OFFLINE: &str = "Offline";

/// Every ad source, by id.
pub const AD_SOURCES: [AdSource; 28] = [
    source(1, "Google Ads", DNI),
    source(2, "Google Organic", DNI),
    source(3, "Bing Ads", DNI),
    source(4, "Bing Organic", DNI),
    source(5, "Yahoo Paid", DNI),
    source(6, "Yahoo Organic", DNI),
    source(7, "Facebook Ads", DNI),
    source(8, "Instagram Ads", DNI),
    source(9, "LinkedIn Ads", DNI),
    source(10, "TikTok Ads", DNI),
    source(11, "Direct Visit", DNI),
    source(12, "Referring Site", DNI),
    source(13, "Website", ONLINE),
    source(14, "Email", ONLINE),
    source(15, "Online Directory", ONLINE),
    source(16, "Google Business Profile", ONLINE),
    source(17, "Display Advertising", ONLINE),
    source(18, "Online Video", ONLINE),
    source(19, "Social Media", ONLINE),
    source(20, "Radio", OFFLINE),
    source(21, "TV", OFFLINE),
    source(22, "Direct Mail", OFFLINE),
    source(23, "Newspaper", OFFLINE),
    source(24, "Magazine", OFFLINE),
    source(25, "Billboard", OFFLINE),
    source(26, "Yellow Pages", OFFLINE),
    source(27, "Trade Show", OFFLINE),
    source(28, "Word of Mouth", OFFLINE),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_names_stand_once() {
        let ids: BTreeSet<i64> = AD_SOURCES.iter().map(|source| source.id).collect();
        let names: BTreeSet<&str> = AD_SOURCES.iter().map(|source| source.name).collect();
        assert_eq!((ids.len(), names.len()), (AD_SOURCES.len(), AD_SOURCES.len()));
    }
}
