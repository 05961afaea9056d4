//! Conditions on users and user groups that a store looks up in its columns: what is left of a dialect's filter.

use std::cmp::Ordering;

use crate::Timestamp;

/// A condition on one row, which holds or does not: a column without a value fits no comparison, so the opposite of one
/// holds there (in SQL, a comparison with NULL is neither). An empty `All` always holds, an empty `Any` never does.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// One of the column's values compares so with this one, which is a key if the column's are.
    Text(TextColumn, Match, String),
    /// The column has a value that is not empty.
    Present(TextColumn),
    /// The user is active; no group is.
    Active,
    /// The time of the last change compares so with this one.
    Modified(Order, Timestamp),
}

/// What texts are compared with. A kind of row that does not have the column has no value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextColumn {
    /// The UUID in its usual form: lower case, with hyphens.
    Id,
    Login,
    DisplayName,
    ExternalId,
    /// Each address of a user.
    Email,
    /// The UUID of each member of a group.
    Member,
}

impl TextColumn {
    /// Whether its values are compared as [`crate::text::key`]s; otherwise they are as they stand.
    pub const fn is_keyed(self) -> bool {
        matches!(self, Self::Login | Self::DisplayName | Self::Email)
    }
}

/// How texts compare; greater and less go by Unicode scalar values, which is the order of UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    Is(Order),
    Contains,
    StartsWith,
    EndsWith,
}

impl Match {
    pub fn holds(self, value: &str, with: &str) -> bool {
        match self {
            Self::Is(order) => order.holds(value.cmp(with)),
            Self::Contains => value.contains(with),
            Self::StartsWith => value.starts_with(with),
            Self::EndsWith => value.ends_with(with),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Order {
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

/// What a predicate sees of a row.
#[derive(Clone, Debug)]
pub struct PredicateRow {
    /// The values of the columns, any number of each, as keys where the column has these.
    pub texts: Vec<(TextColumn, String)>,
    pub active: bool,
    pub modified_at: Timestamp,
}

impl Predicate {
    /// What always holds.
    pub const ALWAYS: Self = Self::All(Vec::new());
    /// What never holds.
    pub const NEVER: Self = Self::Any(Vec::new());

    /// Whether a row is selected: the definition, which a store's statements agree with.
    pub fn holds(&self, row: &PredicateRow) -> bool {
        let values = |column: &TextColumn| {
            let column = *column;
            row.texts.iter().filter(move |(of, _)| *of == column).map(|(_, value)| value.as_str())
        };
        match self {
            Self::All(all) => all.iter().all(|predicate| predicate.holds(row)),
            Self::Any(any) => any.iter().any(|predicate| predicate.holds(row)),
            Self::Not(predicate) => !predicate.holds(row),
            Self::Text(column, how, with) => values(column).any(|value| how.holds(value, with)),
            Self::Present(column) => values(column).any(|value| !value.is_empty()),
            Self::Active => row.active,
            Self::Modified(order, at) => order.holds(row.modified_at.cmp(at)),
        }
    }

    /// How many of its comparisons no index helps with: for each of them every row has to be looked at.
    pub fn walks(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::walks).sum(),
            Self::Not(part) => part.walks(),
            Self::Text(TextColumn::Id | TextColumn::Member, how, _) => {
                usize::from(*how != Match::Is(Order::Equal))
            }
            Self::Text(_, how, _) => usize::from(matches!(how, Match::Contains | Match::EndsWith)),
            Self::Present(_) | Self::Active | Self::Modified(..) => 0,
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::all([self, other])
    }

    /// All hold; written as short as can be.
    pub fn all(predicates: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for predicate in predicates {
            match predicate {
                Self::All(inner) => all.extend(inner),
                Self::Any(none) if none.is_empty() => return Self::NEVER,
                other => all.push(other),
            }
        }
        if all.len() == 1 { all.swap_remove(0) } else { Self::All(all) }
    }

    /// At least one holds; written as short as can be.
    pub fn any(predicates: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for predicate in predicates {
            match predicate {
                Self::Any(inner) => any.extend(inner),
                Self::All(none) if none.is_empty() => return Self::ALWAYS,
                other => any.push(other),
            }
        }
        if any.len() == 1 { any.swap_remove(0) } else { Self::Any(any) }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(predicate) => *predicate,
            Self::All(all) if all.is_empty() => Self::NEVER,
            Self::Any(any) if any.is_empty() => Self::ALWAYS,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// Which rows of a list are wanted, in which order, and from where on.
#[derive(Clone, Debug)]
pub struct Selection<Id> {
    pub predicate: Predicate,
    pub sort: Sort,
    pub start: Start<Id>,
    /// At most so many.
    pub limit: u32,
    /// Whether the rows that the predicate selects are counted; else the total is 0.
    pub counts: bool,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start<Id> {
    /// After so many rows.
    Offset(u64),
    /// There, whatever is written meanwhile.
    At(Place<Id>),
}

/// A place between two rows of a selection, in its order, where there need be no row. What is not given another place by
/// a change is met once, by whoever goes on from place to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<Id> {
    /// What the rows around it are sorted by; `None` if that is nothing. It has to be of the column's type.
    pub key: Option<SortKey>,
    pub among: Among<Id>,
}

/// Where among the rows with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among<Id> {
    First,
    /// After the one that was created then and has this id.
    After(Timestamp, Id),
    Last,
}

/// What a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    Time(Timestamp),
    /// A [`crate::text::key`].
    Text(String),
}

/// By what rows are sorted; those that are equal there by when they were created, and then by id. What has no value comes
/// last, or first if descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: SortColumn,
    pub descending: bool,
}

impl Sort {
    /// As they were created.
    pub const CREATED: Self = Self { by: SortColumn::Created, descending: false };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortColumn {
    Created,
    Modified,
    /// A user's login. Groups have none.
    Login,
    /// A user's display name, or the name of a group.
    DisplayName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_are_written_short() {
        let active = || Predicate::Active;
        assert_eq!(Predicate::all([active(), Predicate::ALWAYS]), active());
        assert_eq!(Predicate::all([active(), Predicate::NEVER]), Predicate::NEVER);
        assert_eq!(Predicate::any([active(), Predicate::NEVER]), active());
        assert_eq!(Predicate::any([active(), Predicate::ALWAYS]), Predicate::ALWAYS);
        assert_eq!(active().negated().negated(), active());
        assert_eq!(active().and(active()).and(active()), Predicate::All(vec![active(), active(), active()]));
        assert_eq!(Predicate::ALWAYS.negated(), Predicate::NEVER);
    }

    #[test]
    fn one_of_many_values_is_enough() {
        let email = |value: &str| (TextColumn::Email, value.to_owned());
        let row = PredicateRow {
            texts: vec![email("a@x.org"), email("b@y.org")],
            active: false,
            modified_at: Timestamp(5),
        };
        let holds = |how, with: &str| Predicate::Text(TextColumn::Email, how, with.to_owned()).holds(&row);
        assert!(holds(Match::Is(Order::Equal), "b@y.org") && !holds(Match::Is(Order::Equal), "c@y.org"));
        assert!(
            holds(Match::EndsWith, "@x.org") && holds(Match::StartsWith, "b@") && holds(Match::Contains, "y")
        );
        assert!(Predicate::Present(TextColumn::Email).holds(&row));
        assert!(!Predicate::Present(TextColumn::Member).holds(&row));
        assert!(Predicate::Modified(Order::LessOrEqual, Timestamp(5)).holds(&row));
        assert!(Predicate::Active.negated().holds(&row));
    }
}
