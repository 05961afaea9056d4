//! What messages cost (`/pricelist`, `/me/pricelist`; LOX24 messaging contract, section 6).

use std::borrow::Cow;

use http::StatusCode;
use muster_domain::message::{Country, Currency, Money, Price, Tier};
use muster_domain::{Error, Problem};
use serde::Serialize;
use serde_json::{Number, json};
use utoipa::ToSchema;

use super::auth::enter;
use super::collection::{Writer, collection_schema};
use super::format::{Format, JSON_LD, Resource, linked_schema, reply, write_member};
use crate::contact_csv::guarded;
use crate::http::{Call, Content, Failure, Ids, JSON, Outcome, Query, Reply, Schemas};

const CSV: &str = "text/csv";
const ALL: &str = "all";

/// What stands in the paths.
pub(super) const COUNTRIES: Ids = Ids::Pattern("^([A-Za-z]{2}|all)$");

/// The prices of a country.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub(super) struct PriceBody {
    country: String,
    name: String,
    currency: String,
    /// What the country asks of senders.
    requirements: Option<String>,
    rates: Rates,
}

/// Of one part of a message, in the tiers S, M, L and XL.
#[derive(Serialize, ToSchema)]
struct Rates {
    #[schema(value_type = Vec<f64>)]
    direct: [Number; 4],
}

/// What the account pays for messages to a country.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountPrice {
    country: String,
    name: String,
    currency: String,
    /// What the country asks of senders.
    requirements: Option<String>,
    rates: AccountRates,
}

/// Of one part of a message.
#[derive(Serialize, ToSchema)]
struct AccountRates {
    #[schema(value_type = f64)]
    direct: Number,
}

impl Resource for PriceBody {
    const NAME: &'static str = "pricelist";

    fn path(&self) -> String {
        format!("/pricelist/{}", self.country)
    }
}

impl Resource for AccountPrice {
    const NAME: &'static str = "pricelist";

    fn path(&self) -> String {
        format!("/me/pricelist/{}", self.country)
    }
}

/// What is shown of a price, also in a table.
trait Listed: Resource {
    /// The heads of the columns with amounts.
    const RATES: &'static [&'static str];

    /// What stands before the amounts, and these.
    fn cells(&self) -> ([&str; 4], Vec<String>);
}

impl Listed for PriceBody {
    const RATES: &'static [&'static str] = &["direct_s", "direct_m", "direct_l", "direct_xl"];

    fn cells(&self) -> ([&str; 4], Vec<String>) {
        let requirements = self.requirements.as_deref().unwrap_or_default();
        let rates = self.rates.direct.iter().map(ToString::to_string).collect();
        ([&self.country, &self.name, &self.currency, requirements], rates)
    }
}

impl Listed for AccountPrice {
    const RATES: &'static [&'static str] = &["direct"];

    fn cells(&self) -> ([&str; 4], Vec<String>) {
        let requirements = self.requirements.as_deref().unwrap_or_default();
        ([&self.country, &self.name, &self.currency, requirements], vec![self.rates.direct.to_string()])
    }
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        Self {
            country: price.country.to_string(),
            currency: price.currency.as_str().to_owned(),
            rates: Rates { direct: price.per_part.map(Money::to_json) },
            name: price.name,
            requirements: price.requirements,
        }
    }
}

impl AccountPrice {
    fn new(price: Price, tier: Tier) -> Self {
        Self {
            country: price.country.to_string(),
            currency: price.currency.as_str().to_owned(),
            rates: AccountRates { direct: price.for_tier(tier).to_json() },
            name: price.name,
            requirements: price.requirements,
        }
    }
}

/// Whether a table is wanted, and in which currency prices are.
pub(super) fn wanted(query: &mut Query<'_>) -> (bool, Currency) {
    let is_table = wanted_by_account(query);
    (is_table, query.choice_or("currency", &["eur", "chf"], &[Currency::EUR, Currency::CHF], Currency::EUR))
}

/// Whether a table is wanted. Countries have the names that the operator has given them, in whichever language.
pub(super) fn wanted_by_account(query: &mut Query<'_>) -> bool {
    query.choice("lang", &["en", "de", "es", "pt", "pl"], &[(); 5]);
    query.choice_or("format", &["json", "csv"], &[false, true], false)
}

pub(super) async fn price_list(call: &mut Call) -> Outcome {
    let country = country(call)?;
    let (is_table, currency) = call.query(wanted)?;
    let format = format(call, is_table)?;
    let loaded = call.directory().price_list(country, Some(currency)).await?;
    let prices: Vec<_> = Price::told(loaded, country, currency).into_iter().map(PriceBody::from).collect();
    // Of a country without prices nothing can be told: as if there was none.
    answered(format, "/pricelist", country, &prices)?.ok_or_else(|| no_country().into())
}

pub(super) async fn account_price_list(call: &mut Call) -> Outcome {
    let (ctx, negotiated) = enter(call).await?;
    let country = country(call)?;
    let is_table = call.query(wanted_by_account)?;
    let (account, prices) = call.directory().account_price_list(&ctx, country).await?;
    let prices: Vec<_> = prices.into_iter().map(|price| AccountPrice::new(price, account.tier)).collect();
    let format = if is_table { None } else { Some(negotiated) };
    answered(format, "/me/pricelist", country, &prices)?.ok_or(Failure::PathUnknown)
}

/// The country in the path; `None` for all. Errors: `Invalid`.
fn country(call: &Call) -> Result<Option<Country>, Error> {
    match call.path_text() {
        ALL => Ok(None),
        text if text.len() == 2 => Country::read(text).map(Some).map_err(|_| no_country()),
        _ => Err(no_country()),
    }
}

fn no_country() -> Error {
    Error::field("country", Problem::Format("must be a country with prices, as two letters, or all"))
}

/// How the answer is written; `None` is a table, for which `Accept` is not looked at.
fn format(call: &Call, is_table: bool) -> Result<Option<Format>, Failure> {
    if is_table { Ok(None) } else { Format::of(call.headers()).map(Some) }
}

/// The answer; `None` if the one country that is asked for has no prices.
fn answered<T: Listed>(
    format: Option<Format>,
    place: &str,
    country: Option<Country>,
    prices: &[T],
) -> Result<Option<Reply>, Failure> {
    if country.is_some() && prices.is_empty() {
        return Ok(None);
    }
    let (Some(format), None) = (format, country) else {
        return match (format, prices.first()) {
            (Some(format), Some(price)) => reply(StatusCode::OK, format, price).map(Some),
            _ => Ok(Some(table(prices)?)),
        };
    };
    let mut body = Vec::with_capacity(1024);
    let total = u64::try_from(prices.len()).unwrap_or(u64::MAX);
    let mut writer = Writer::begin::<T>(&mut body, format, &format!("{place}/{ALL}"), total)?;
    for price in prices {
        writer.next(&mut body);
        write_member(&mut body, format, price)?;
    }
    writer.end(&mut body, None)?;
    Ok(Some(Reply::of_kind(format.content_type(), StatusCode::OK, body)))
}

/// Prices as CSV (RFC 4180).
fn table<T: Listed>(prices: &[T]) -> Result<Reply, Error> {
    const HEADERS: &[(&str, &str)] = &[("content-disposition", "attachment; filename=\"prices.csv\"")];
    let failed = |error: csv::Error| Error::Internal(format!("a price list: {error}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let head = ["country", "name", "currency", "requirements"].iter().chain(T::RATES);
    writer.write_record(head).map_err(failed)?;
    for price in prices {
        let (texts, rates) = price.cells();
        let cells = texts.into_iter().map(guarded).chain(rates.into_iter().map(Into::into));
        writer.write_record(cells.map(Cow::into_owned)).map_err(failed)?;
    }
    let body = writer.into_inner().map_err(|error| Error::Internal(format!("a price list: {error}")))?;
    Ok(Reply::of_kind("text/csv; charset=utf-8", StatusCode::OK, body).headers(HEADERS))
}

/// The schemas of an answer: one country, or all.
pub(super) fn answer<T: Resource>(schemas: &mut Schemas) -> Content {
    let plain = schemas.reference::<T>();
    let linked = linked_schema::<T>(schemas);
    let members = json!({"type": "array", "items": linked});
    let collection = collection_schema::<T>(&members, None);
    vec![
        (JSON, json!({"oneOf": [plain, {"type": "array", "items": plain}]})),
        (JSON_LD, json!({"oneOf": [linked, collection]})),
        (CSV, json!({"type": "string"})),
    ]
}
