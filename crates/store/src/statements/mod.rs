//! Every statement that all stores share, each standing once, with `$n` placeholders.
//!
//! A statement on a table of tenants names the tenant. Statements return codes and integers, never
//! booleans, since the stores disagree about those.

pub(crate) mod contact;
pub(crate) mod doctor;
pub(crate) mod org_unit;
pub(crate) mod purge;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod user;
pub(crate) mod user_group;

use std::sync::OnceLock;

/// One SQL statement.
pub(crate) struct Statement {
    text: &'static str,
    sqlite: OnceLock<String>,
}

impl Statement {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, sqlite: OnceLock::new() }
    }

    /// The text for SQLite: there a bare `$1` is a name, numbered by its first appearance, and `?1`
    /// is the first parameter.
    pub(crate) fn sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| self.text.replace('$', "?"))
    }
}

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
