//! The price table as the operator loads it: comma-separated values with a head (RFC 4180). It is a file of the
//! operator's, not a wire format of a dialect, so that it can be read here, with the rules that it has to keep.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use csv::{Reader, ReaderBuilder, StringRecord, Trim, WriterBuilder};

use super::{Country, Currency, Money, Price, PriceTable};
use crate::Problem;

/// The columns, in any order; the last may be missing. Prices are those of one part in the tiers S, M, L and XL.
pub const PRICE_COLUMNS: [&str; 8] = ["country", "name", "currency", "s", "m", "l", "xl", "requirements"];
const REQUIRED: usize = 7;

/// The most that one part may cost, in units of the currency: a typing error, not a price.
const MOST: i64 = 1000;
/// Characters of a name and of requirements.
const NAME: usize = 100;
const REQUIREMENTS: usize = 2000;
/// So many errors are told of; who has more has another file.
const ERRORS: usize = 100;

/// What is wrong with a place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceError {
    /// From 1.
    pub line: u64,
    /// The name of the column, or nothing where it is about the whole line.
    pub column: Cow<'static, str>,
    pub problem: Cow<'static, str>,
}

/// `line 3, column m: must be an amount …`.
impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl PriceTable {
    /// Reads a table: one line for a country in a currency. Errors: what is wrong with it, at least one, each with its line
    /// and column; nothing of it is to be used then.
    pub fn from_csv(file: &[u8]) -> Result<Self, Vec<PriceError>> {
        let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(file);
        let columns = columns(&mut reader)?;
        let (mut prices, mut errors) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    errors.push(unreadable(&error));
                    break;
                }
            };
            let mut line = Line { record: &record, columns: &columns, errors: &mut errors };
            if let Some(price) = line.price() {
                if known.insert((price.country, price.currency)) {
                    prices.push(price);
                } else {
                    line.fail("country", "is there twice in this currency");
                }
            }
            if errors.len() >= ERRORS {
                break;
            }
        }
        if errors.is_empty() { Ok(Self::new(prices)) } else { Err(errors) }
    }

    /// The table as [`PriceTable::from_csv`] reads it, with lines that end in `\n`.
    pub fn to_csv(&self) -> String {
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        // It is written to memory, and all lines have the same length.
        let _ = writer.write_record(PRICE_COLUMNS);
        for price in self.iter() {
            let [s, m, l, xl] = price.per_part.map(|amount| amount.to_string());
            let requirements = price.requirements.as_deref().unwrap_or_default();
            let (country, currency) = (price.country.as_str(), price.currency.as_str());
            let _ = writer.write_record([country, &price.name, currency, &s, &m, &l, &xl, requirements]);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }
}

/// Where the columns of [`PRICE_COLUMNS`] stand.
type Columns = [Option<usize>; PRICE_COLUMNS.len()];

fn columns(reader: &mut Reader<&[u8]>) -> Result<Columns, Vec<PriceError>> {
    let head = reader.headers().map_err(|error| vec![unreadable(&error)])?;
    let mut columns = Columns::default();
    let mut errors = Vec::new();
    let mut fail = |column: String, problem: &'static str| {
        errors.push(PriceError { line: 1, column: column.into(), problem: problem.into() });
    };
    for (at, name) in head.iter().enumerate() {
        match PRICE_COLUMNS.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) if columns[known].is_none() => columns[known] = Some(at),
            Some(_) => fail(name.to_owned(), "is there twice"),
            // Quoted, and cut: it may be anything.
            None => fail(format!("{:?}", name.chars().take(40).collect::<String>()), "is not known"),
        }
    }
    for (name, _) in PRICE_COLUMNS.iter().zip(columns).take(REQUIRED).filter(|(_, at)| at.is_none()) {
        fail((*name).to_owned(), "is missing");
    }
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

fn unreadable(error: &csv::Error) -> PriceError {
    let line = error.position().map_or(1, csv::Position::line);
    PriceError { line, column: Cow::Borrowed(""), problem: "is not text in UTF-8".into() }
}

/// A line of the file.
struct Line<'a> {
    record: &'a StringRecord,
    columns: &'a Columns,
    errors: &'a mut Vec<PriceError>,
}

impl Line<'_> {
    fn fail(&mut self, column: &'static str, problem: impl Into<Cow<'static, str>>) {
        let line = self.record.position().map_or(1, csv::Position::line);
        self.errors.push(PriceError { line, column: Cow::Borrowed(column), problem: problem.into() });
    }

    /// A field of a column; empty when it is missing.
    fn field(&self, column: &str) -> &str {
        let at = PRICE_COLUMNS.iter().position(|known| *known == column);
        at.and_then(|at| self.record.get(self.columns[at]?)).unwrap_or_default()
    }

    /// What a field is read as, or `None` with the error noted.
    fn read<T>(&mut self, column: &'static str, read: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        match read(self.field(column)) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fail(column, words(&problem));
                None
            }
        }
    }

    fn price(&mut self) -> Option<Price> {
        if self.record.len() > self.columns.iter().flatten().count() {
            self.fail("", "has more fields than the first line");
            return None;
        }
        // Each is read, so that all that fails is told of.
        let country = self.read("country", Country::read);
        let name = self.read("name", |raw| crate::text::required(raw, NAME));
        let currency = self.read("currency", Currency::read);
        let per_part = ["s", "m", "l", "xl"].map(|tier| self.read(tier, per_part));
        let requirements = self.read("requirements", |raw| crate::text::trimmed(raw, REQUIREMENTS));
        let [s, m, l, xl] = per_part;
        Some(Price {
            country: country?,
            name: name?,
            currency: currency?,
            per_part: [s?, m?, l?, xl?],
            requirements: requirements.filter(|text| !text.is_empty()),
        })
    }
}

fn per_part(raw: &str) -> Result<Money, Problem> {
    let price: Money = raw.parse()?;
    if price.is_negative() || price > Money::from_millionths(MOST * 1_000_000) {
        return Err(Problem::OutOfRange { min: 0, max: MOST });
    }
    Ok(price)
}

fn words(problem: &Problem) -> Cow<'static, str> {
    match problem {
        Problem::Format(sentence) => Cow::Borrowed(sentence),
        Problem::TooLong { max } => format!("must have at most {max} characters").into(),
        Problem::OutOfRange { min, max } => format!("must be from {min} to {max}").into(),
        _ => Cow::Borrowed("must not be empty"),
    }
}

#[cfg(test)]
mod tests;
