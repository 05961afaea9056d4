//! Industries: reference data with stable ids (Convirza contract, section 6).

/// Id and name of every industry. Ids are never given a second time.
pub const INDUSTRIES: [(i64, &str); 20] = [
    (1, "Automotive"),
    (2, "Construction"),
    (3, "Education"),
    (4, "Retail"),
    (5, "Financial Services"),
    (6, "Healthcare"),
    (7, "Home Services"),
    (8, "Hospitality"),
    (9, "Insurance"),
    (10, "Legal"),
    (11, "Manufacturing"),
    (12, "Marketing and Advertising"),
    (13, "Media and Entertainment"),
    (14, "Nonprofit"),
    (15, "Professional Services"),
    (16, "Real Estate"),
    (17, "Technology"),
    (18, "Telecommunications"),
    (19, "Transportation and Logistics"),
    (20, "Travel and Leisure"),
];

/// The name of an industry, or `None` for an id that is not in the list.
pub fn name(id: i64) -> Option<&'static str> {
    INDUSTRIES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}
