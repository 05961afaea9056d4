//! The wire dialects over one directory.
//!
//! A dialect is a translation: it decodes its wire shapes, calls a use case of [`muster_domain`], and
//! encodes the answer or the error. It holds no rule of the directory. What all dialects share of
//! HTTP stands in [`http`].

mod app;
pub mod contact_csv;
mod convirza;
mod docs;
mod http;
mod limits;
mod lox24;
mod onlive;
mod passwords;
/// Public for tests and fuzz targets that come from outside.
pub mod scim;

pub use app::{App, AppService, Settings};
pub use http::{Route, Routes};
pub use passwords::PasswordPool;

/// Every dialect.
static DIALECTS: [http::Dialect; 4] = [convirza::DIALECT, lox24::DIALECT, onlive::DIALECT, scim::DIALECT];

/// Every route of every dialect, for the tests that look at all of them.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    DIALECTS.iter().flat_map(|dialect| dialect.routes)
}
