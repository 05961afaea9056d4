//! Filters, order and pages of collections (LOX24 messaging contract, section 1), read from one table for each of them.
//!
//! Every filter is `name=v`, or `name[]=v` and `name[0]=v` for any of several values; some are `name[gt]=v` and its like.
//! Of one name any value may fit, of several all have to. A read ignores what it does not know; an operation on what is
//! selected refuses it, since it would reach more than was meant.

mod publish;
mod value;

use std::borrow::Cow;

use muster_domain::Problem;
use muster_domain::message::{Filter, ListQuery, Test};

use super::collection::slice;
use crate::http::Query;

/// Values of all filters of a request together: each is a term of a statement.
const MAX_VALUES: usize = 500;
/// Of these such as are parts of a text, which are looked for in every row.
const MAX_PARTS: usize = 50;
/// Characters that are told of a name which nobody knows.
const MAX_NAME: usize = 64;
/// Digits of a place in `name[0]`.
const MAX_PLACE: usize = 9;

const ORDER: &str = "_order";
const EXISTS: &str = "exists";
const PAGE: &str = "page";

/// What a filter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Boolean,
    Integer,
    /// Also from and to.
    Integers,
    /// Unix seconds; also from and to.
    Times,
    Uuid,
    Country,
    /// A `status_code` of a bulk.
    BulkStatus,
    /// All of a text, which has at most so many characters.
    Text(usize),
    /// A part of a text, likewise.
    Part(usize),
}

/// A filter.
#[derive(Debug)]
pub(super) struct Property<F> {
    pub(super) name: &'static str,
    pub(super) field: F,
    pub(super) takes: Takes,
}

/// Shortens a table of filters.
pub(super) const fn by<F>(name: &'static str, field: F, takes: Takes) -> Property<F> {
    Property { name, field, takes }
}

/// All that a collection can be asked for.
#[derive(Debug)]
pub(super) struct Filters<F: 'static> {
    pub(super) properties: &'static [Property<F>],
    /// Whether there is such a value at all, which a field of 0 and 1 tells.
    pub(super) exists: &'static [(&'static str, F)],
    /// What it can be ordered by.
    pub(super) orders: &'static [(&'static str, F)],
    /// What it is ordered by without a wish, downwards.
    pub(super) by: F,
}

/// A page of a collection.
#[derive(Debug)]
pub(super) struct Listing<F> {
    pub(super) query: ListQuery<F>,
    pub(super) page: u64,
    /// The parameters that were read, but for the page, as they stand in a URL.
    pub(super) kept: String,
}

impl<F: Copy> Filters<F> {
    /// Reads which page of what is wanted.
    pub(super) fn list(&self, query: &mut Query<'_>) -> Listing<F> {
        let page = query.page().unwrap_or(1);
        query.publish(|| self.published(true));
        let mut reader = Reader::new(self, query, true);
        reader.read();
        let (by, is_descending) = reader.order.unwrap_or((self.by, true));
        let kept = reader.kept.finish();
        let query = ListQuery { filter: reader.filter(), by, is_descending, slice: slice(page) };
        Listing { query, page, kept }
    }

    /// Reads what is selected; anything that is no filter is refused.
    pub(super) fn select(&self, query: &mut Query<'_>) -> Filter<F> {
        query.publish(|| self.published(false));
        let mut reader = Reader::new(self, query, false);
        reader.read();
        reader.filter()
    }
}

/// Reads the parameters of one request.
struct Reader<'r, 'q, F: Copy + 'static> {
    filters: &'r Filters<F>,
    query: &'r mut Query<'q>,
    is_list: bool,
    values: usize,
    parts: usize,
    /// What holds by itself.
    all: Filter<F>,
    /// The values of each name, of which one has to hold.
    any: Vec<(&'static str, Vec<Test<F>>)>,
    order: Option<(F, bool)>,
    kept: form_urlencoded::Serializer<'static, String>,
}

impl<'r, 'q, F: Copy> Reader<'r, 'q, F> {
    fn new(filters: &'r Filters<F>, query: &'r mut Query<'q>, is_list: bool) -> Self {
        let kept = form_urlencoded::Serializer::new(String::new());
        let all = Filter::default();
        Self { filters, query, is_list, values: 0, parts: 0, all, any: Vec::new(), order: None, kept }
    }

    fn read(&mut self) {
        for (name, value) in self.query.take_pairs() {
            let is_read = match parts(&name) {
                // An operation has no pages: who asks for one would reach more than it.
                (PAGE, None) if self.is_list => continue,
                (ORDER, Some(property)) => self.read_order(&name, property, &value),
                (EXISTS, Some(property)) => self.read_exists(&name, property, &value),
                (property, within) => self.read_filter(&name, property, within, &value),
            };
            match is_read {
                true => {
                    self.kept.append_pair(&name, &value);
                }
                false if self.is_list => continue,
                false => {
                    let name: String = name.chars().take(MAX_NAME).collect();
                    self.query.refuse(name, Problem::Format("is no known filter"));
                }
            }
            self.values += 1;
            if self.values > MAX_VALUES || self.parts > MAX_PARTS {
                let max = if self.values > MAX_VALUES { MAX_VALUES } else { MAX_PARTS };
                return self.query.refuse("", Problem::TooManyEntries { max });
            }
        }
    }

    /// What was asked for. What may be without a value has none of any.
    fn filter(self) -> Filter<F> {
        let exists = |name: &str| self.filters.exists.iter().find(|(known, _)| *known == name);
        self.any.into_iter().fold(self.all, |filter, (name, any)| {
            let filter = filter.and(any);
            match exists(name) {
                Some((_, field)) => filter.and(vec![Test::is(*field, 1)]),
                None => filter,
            }
        })
    }

    /// Whether such an order is known. The first that is asked for counts.
    fn read_order(&mut self, name: &str, property: &str, value: &str) -> bool {
        let Some((_, field)) = self.filters.orders.iter().find(|(known, _)| *known == property) else {
            return false;
        };
        if let Some(is_descending) = self.taken(name, value::direction(value)) {
            self.order.get_or_insert((*field, is_descending));
        }
        true
    }

    fn read_exists(&mut self, name: &str, property: &str, value: &str) -> bool {
        let Some((_, field)) = self.filters.exists.iter().find(|(known, _)| *known == property) else {
            return false;
        };
        if let Some(exists) = self.taken(name, value::boolean(value)) {
            self.all.all.push(vec![Test::is(*field, exists.into())]);
        }
        true
    }

    /// Whether there is such a filter.
    fn read_filter(&mut self, name: &str, property: &str, within: Option<&str>, value: &str) -> bool {
        let Some(known) = self.filters.properties.iter().find(|known| known.name == property) else {
            return false;
        };
        if within.is_none_or(is_place) {
            self.parts += usize::from(matches!(known.takes, Takes::Part(_)));
            if let Some(tests) = self.taken(name, known.takes.tests(known.field, value)) {
                self.either(known.name, tests);
            }
            return true;
        }
        let Some(test) = within.and_then(|bound| known.takes.bound(known.field, bound, value)) else {
            return false;
        };
        if let Some(test) = self.taken(name, test) {
            self.all.all.push(vec![test]);
        }
        true
    }

    /// Another value that may hold.
    fn either(&mut self, name: &'static str, tests: Vec<Test<F>>) {
        match self.any.iter_mut().find(|(known, _)| *known == name) {
            Some((_, any)) => any.extend(tests),
            None => self.any.push((name, tests)),
        }
    }

    /// What was read, or `None` with the problem noted.
    fn taken<T>(&mut self, name: &str, read: Result<T, Problem>) -> Option<T> {
        let refuse = |problem| self.query.refuse(Cow::Owned(name.to_owned()), problem);
        read.map_err(refuse).ok()
    }
}

/// The property that a name is about, and what stands in brackets behind it.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((property, within)) => (property, Some(within)),
        None => (name, None),
    }
}

/// Whether brackets hold the place of one value among several, or nothing.
fn is_place(within: &str) -> bool {
    within.len() <= MAX_PLACE && within.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
