//! Every statement that all stores share, each standing once, with `$n` placeholders.
//!
//! A statement on a table of tenants names the tenant. Statements return codes and integers, never
//! booleans, since the stores disagree about those.

pub(crate) mod balance;
pub(crate) mod block;
pub(crate) mod bulk;
pub(crate) mod contact;
pub(crate) mod conversation;
pub(crate) mod doctor;
pub(crate) mod incoming;
pub(crate) mod installation;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod org_unit;
pub(crate) mod postgres;
pub(crate) mod purge;
pub(crate) mod session;
pub(crate) mod tag;
pub(crate) mod tenant;
pub(crate) mod user;
pub(crate) mod user_group;
pub(crate) mod webhook;

use std::borrow::Cow;
use std::sync::OnceLock;

/// A lock on what is found, which only PostgreSQL has.
const SHARE: &str = "/* FOR SHARE */";

/// Every list of statements on what one tenant has, with the name of its module, but for what one store needs alone.
#[cfg(test)]
pub(crate) const LISTS: [(&str, &[(&str, &Statement)]); 17] = [
    ("balance", balance::ALL),
    ("block", block::ALL),
    ("bulk", bulk::ALL),
    ("contact", contact::ALL),
    ("conversation", conversation::ALL),
    ("doctor", doctor::ALL),
    ("incoming", incoming::ALL),
    ("media", media::ALL),
    ("message", message::ALL),
    ("org_unit", org_unit::ALL),
    ("purge", purge::ALL),
    ("session", session::ALL),
    ("tag", tag::ALL),
    ("tenant", tenant::ALL),
    ("user", user::ALL),
    ("user_group", user_group::ALL),
    ("webhook", webhook::ALL),
];

/// One SQL statement.
pub(crate) struct Statement {
    text: Cow<'static, str>,
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl Statement {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// One whose text is put together.
    pub(crate) const fn made(text: String) -> Self {
        Self { text: Cow::Owned(text), sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// The text for SQLite: there a bare `$1` is a name, numbered by its first appearance, and `?1`
    /// is the first parameter.
    pub(crate) fn sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| self.text.replace('$', "?"))
    }

    /// The text for PostgreSQL, which has its own way down a tree. The lock in [`SHARE`] counts there alone: SQLite has one
    /// writer at a time. A `+` right before a column is a hint to SQLite's
    /// planner, which would keep PostgreSQL from an index that it needs.
    pub(crate) fn postgres(&self) -> &str {
        self.postgres.get_or_init(|| {
            let shared =
                self.text.replace(org_unit::BELOW, org_unit::BELOW_IN_POSTGRES).replace(SHARE, "FOR SHARE");
            let mut text = String::with_capacity(shared.len());
            let mut characters = shared.chars().peekable();
            while let Some(character) = characters.next() {
                if character != '+' || !characters.peek().is_some_and(char::is_ascii_alphabetic) {
                    text.push(character);
                }
            }
            text
        })
    }
}

/// A condition on a row that is looked up by its key. As it stands an index of those that fulfil it could be gone by, and the
/// row be looked for in as many as there are.
macro_rules! is_so {
    ($condition:literal) => {
        concat!("CASE WHEN ", $condition, " THEN 1 ELSE 0 END = 1")
    };
}
pub(crate) use is_so;

/// Declares statements and the list of them that the plan test walks.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::statements::Statement =
            $crate::statements::Statement::new($text);)*
        #[cfg(test)]
        pub(crate) static ALL: &[(&str, &$crate::statements::Statement)] = &[$((stringify!($name), &$name)),*];
    };
}
pub(crate) use statements;
