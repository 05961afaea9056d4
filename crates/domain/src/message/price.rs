//! What messages cost (LOX24 messaging contract, sections 2 and 6), and which are not taken at all.

use std::collections::BTreeMap;

use super::{Country, Currency, Destination, Line, MessageStatus, Money};

mod csv;

pub use csv::{PRICE_COLUMNS, PriceError};

/// What a tenant pays: one of four columns of the price table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    #[default]
    S,
    M,
    L,
    Xl,
}

impl Tier {
    /// In the order of [`Price::per_part`].
    pub const ALL: [Self; 4] = [Self::S, Self::M, Self::L, Self::Xl];
    pub const NAMES: [&str; 4] = ["S", "M", "L", "XL"];

    pub const fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The tier with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str().eq_ignore_ascii_case(name))
    }
}

/// The prices of one country in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub country: Country,
    /// What the country is called, for people.
    pub name: String,
    pub currency: Currency,
    /// Of one part of a message, one for each tier, in their order. Not negative.
    pub per_part: [Money; 4],
    /// What the country asks of senders, for people.
    pub requirements: Option<String>,
}

impl Price {
    /// What is to be told of prices. While none are loaded the country that is asked for costs nothing, and is called by
    /// its code.
    pub fn told(loaded: Option<Vec<Self>>, country: Option<Country>, currency: Currency) -> Vec<Self> {
        let free = |country: Country| Self {
            country,
            name: country.to_string(),
            currency,
            per_part: [Money::ZERO; 4],
            requirements: None,
        };
        loaded.unwrap_or_else(|| country.map(free).into_iter().collect())
    }

    /// Of one part, for a tenant of this tier.
    pub const fn for_tier(&self, tier: Tier) -> Money {
        self.per_part[tier as usize]
    }
}

/// The prices of all countries. An installation has one or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable {
    prices: BTreeMap<(Country, Currency), Price>,
}

impl PriceTable {
    /// The table of these prices; of those for one country in one currency the last stays.
    pub fn new(prices: impl IntoIterator<Item = Price>) -> Self {
        let prices = prices.into_iter().map(|price| ((price.country, price.currency), price)).collect();
        Self { prices }
    }

    pub fn get(&self, country: Country, currency: Currency) -> Option<&Price> {
        self.prices.get(&(country, currency))
    }

    /// All prices, by country, then currency.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        self.prices.values()
    }
}

/// What a tenant pays by.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    /// Without one nothing costs anything.
    pub table: Option<&'a PriceTable>,
    pub currency: Currency,
    pub tier: Tier,
}

impl Tariff<'_> {
    /// What one part costs that goes to this country; `None` when there are prices, but not for it.
    pub fn per_part(&self, country: Country) -> Option<Money> {
        match self.table {
            Some(table) => Some(table.get(country, self.currency)?.for_tier(self.tier)),
            None => Some(Money::ZERO),
        }
    }

    /// What a message costs, or the status in which it ends because it cannot be sent, which costs nothing: blocked,
    /// to a fixed line, or to where no operator is. Whether the balance suffices is not looked at: only the transaction
    /// that takes it can tell.
    pub fn admit(
        &self,
        destination: Destination,
        is_blocked: bool,
        parts_count: u32,
    ) -> Result<Money, MessageStatus> {
        if is_blocked {
            return Err(MessageStatus::Blocked);
        }
        if destination.line == Line::Fixed {
            return Err(MessageStatus::Landline);
        }
        let per_part = destination.country.and_then(|country| self.per_part(country));
        Ok(per_part.ok_or(MessageStatus::NoOperator)?.times(parts_count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        Country::read(code).unwrap()
    }

    fn table() -> PriceTable {
        let price = |code: &str, currency, cents: i64| Price {
            country: country(code),
            name: code.to_owned(),
            currency,
            per_part: [0, 1, 2, 3].map(|less| Money::from_millionths((cents - less) * 10_000)),
            requirements: None,
        };
        PriceTable::new([
            price("DE", Currency::EUR, 7),
            price("DE", Currency::CHF, 8),
            price("AT", Currency::EUR, 9),
        ])
    }

    #[test]
    fn a_message_costs_the_price_of_a_part_for_each() {
        let table = table();
        let to = |code: &str, line| Destination { country: Some(country(code)), line };
        let tariff = |currency, tier| Tariff { table: Some(&table), currency, tier };
        let admit = |tariff: Tariff<'_>, to, blocked, parts| {
            tariff.admit(to, blocked, parts).map(|cost| cost.to_string())
        };
        let eur = tariff(Currency::EUR, Tier::S);
        assert_eq!(admit(eur, to("DE", Line::Textable), false, 3), Ok("0.21".to_owned()));
        let chf = tariff(Currency::CHF, Tier::Xl);
        assert_eq!(admit(chf, to("DE", Line::Textable), false, 1), Ok("0.05".to_owned()));
        for (tariff, to, blocked, status) in [
            (eur, to("DE", Line::Textable), true, MessageStatus::Blocked),
            (eur, to("DE", Line::Fixed), true, MessageStatus::Blocked),
            (eur, to("DE", Line::Fixed), false, MessageStatus::Landline),
            (eur, to("US", Line::Textable), false, MessageStatus::NoOperator),
            (chf, to("AT", Line::Textable), false, MessageStatus::NoOperator),
            (eur, Destination { country: None, line: Line::Textable }, false, MessageStatus::NoOperator),
        ] {
            assert_eq!(admit(tariff, to, blocked, 1), Err(status));
        }
    }

    #[test]
    fn without_a_table_nothing_costs_anything() {
        let free = Tariff { table: None, currency: Currency::EUR, tier: Tier::L };
        let to = |country| Destination { country, line: Line::Textable };
        assert_eq!(free.admit(to(Some(country("US"))), false, 10), Ok(Money::ZERO));
        assert_eq!(free.admit(to(None), false, 10), Err(MessageStatus::NoOperator));
    }

    #[test]
    fn tiers_have_names() {
        assert_eq!(Tier::ALL.map(Tier::as_str), Tier::NAMES);
        assert_eq!((Tier::from_name("xl"), Tier::from_name("XXL")), (Some(Tier::Xl), None));
    }
}
