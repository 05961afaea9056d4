//! What of a condition a store can look up.

use muster_domain::Timestamp;
use muster_domain::predicate::{Order, Predicate, TextColumn};

use super::{Comparison, Condition};
use crate::scim::schema::Target;

/// A condition for the store.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// It holds wherever the condition does.
    pub predicate: Predicate,
    /// Whether it holds nowhere else; otherwise the condition has to be evaluated on what is found.
    pub exact: bool,
}

/// What a store can look up of a condition. It is taken for granted that the columns hold what resources show: the
/// times in milliseconds, the address that stands in for missing emails, the texts as keys where they are compared so.
pub fn lower(condition: &Condition) -> Lowered {
    lower_or_opposite(condition, false)
}

/// Of the condition, or of its opposite: the opposite of a part of the truth would be too little.
fn lower_or_opposite(condition: &Condition, opposite: bool) -> Lowered {
    match condition {
        Condition::Not(condition) => lower_or_opposite(condition, !opposite),
        Condition::All(conditions) | Condition::Any(conditions) => {
            let lowered = conditions.iter().map(|condition| lower_or_opposite(condition, opposite));
            let is_all = matches!(condition, Condition::All(_)) != opposite;
            joined(lowered.collect(), is_all)
        }
        Condition::Present(target) => leaf(text_column(target).map(Predicate::Present), opposite),
        Condition::Test(target, comparison) => leaf(test(target, comparison), opposite),
        Condition::Within(target, condition) => {
            let some = within(target, condition);
            match (opposite, some.exact) {
                (false, _) => some,
                (true, true) => Lowered { predicate: some.predicate.negated(), exact: true },
                (true, false) => leaf(None, true),
            }
        }
    }
}

fn joined(parts: Vec<Lowered>, is_all: bool) -> Lowered {
    let exact = parts.iter().all(|part| part.exact);
    let predicates = parts.into_iter().map(|part| part.predicate);
    Lowered { predicate: if is_all { Predicate::all(predicates) } else { Predicate::any(predicates) }, exact }
}

fn leaf(predicate: Option<Predicate>, opposite: bool) -> Lowered {
    match predicate {
        Some(predicate) if opposite => Lowered { predicate: predicate.negated(), exact: true },
        Some(predicate) => Lowered { predicate, exact: true },
        None => Lowered { predicate: Predicate::ALWAYS, exact: false },
    }
}

/// Of what holds for one element: that some element is as each part says is less than that one is as all say.
fn within(target: &Target, condition: &Condition) -> Lowered {
    match condition {
        Condition::All(parts) => {
            let lowered = joined(parts.iter().map(|part| within(target, part)).collect(), true);
            Lowered { exact: lowered.exact && parts.len() < 2, ..lowered }
        }
        Condition::Any(parts) => joined(parts.iter().map(|part| within(target, part)).collect(), false),
        Condition::Present(inner) => {
            leaf(text_column(&of_element(target, inner)).map(Predicate::Present), false)
        }
        Condition::Test(inner, comparison) => leaf(test(&of_element(target, inner), comparison), false),
        Condition::Not(_) | Condition::Within(..) => leaf(None, false),
    }
}

fn of_element(target: &Target, inner: &Target) -> Target {
    Target { sub: Some(inner.attribute), ..*target }
}

fn test(target: &Target, comparison: &Comparison) -> Option<Predicate> {
    match comparison {
        Comparison::Text(how, value) => {
            let column = text_column(target)?;
            Some(Predicate::Text(column, *how, value.clone()))
        }
        Comparison::Boolean(value) if is(target, "active", None) => {
            Some(if *value { Predicate::Active } else { Predicate::Active.negated() })
        }
        Comparison::Time(order, at) if is(target, "meta", Some("lastModified")) => {
            Some(modified(*order, *at))
        }
        Comparison::Boolean(_) | Comparison::Time(..) => None,
    }
}

/// Shown times are cut to milliseconds, those in the column are not.
fn modified(order: Order, at: Timestamp) -> Predicate {
    let from = |at| Predicate::Modified(Order::GreaterOrEqual, at);
    let before = |at| Predicate::Modified(Order::Less, at);
    let millis = at.0.div_euclid(1000).saturating_mul(1000);
    let is_whole = millis == at.0;
    let (this, next) = (Timestamp(millis), Timestamp(millis.saturating_add(1000)));
    match order {
        Order::Equal if is_whole => from(this).and(before(next)),
        Order::Equal => Predicate::NEVER,
        Order::GreaterOrEqual if is_whole => from(this),
        Order::Greater | Order::GreaterOrEqual => from(next),
        Order::Less if is_whole => before(this),
        Order::Less | Order::LessOrEqual => before(next),
    }
}

/// The column that holds the values of an attribute.
fn text_column(target: &Target) -> Option<TextColumn> {
    let column = match (target.attribute.name, target.sub.map(|sub| sub.name)) {
        ("id", None) => TextColumn::Id,
        ("userName", None) => TextColumn::Login,
        ("displayName", None) => TextColumn::DisplayName,
        ("externalId", None) => TextColumn::ExternalId,
        ("emails", Some("value")) => TextColumn::Email,
        ("members", Some("value")) => TextColumn::Member,
        _ => return None,
    };
    target.extension.is_none().then_some(column)
}

fn is(target: &Target, name: &str, sub: Option<&str>) -> bool {
    target.extension.is_none() && target.attribute.name == name && target.sub.map(|sub| sub.name) == sub
}
