//! Where a store is: in a file, or on PostgreSQL in a schema of its own. The suite of the binary uses this file too.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

#[path = "../../../store/tests/contract/schema.rs"]
mod schema;

use schema::Schema;

/// Which store the conversations are had with: `sqlite`, which is the default, or `postgres`.
const VARIABLE: &str = "MUSTER_TEST_STORE";
/// The file that holds the URL of a store that is not in the folder, for those who know the folder only.
pub(crate) const URL: &str = "store.url";

/// A folder, and the schema if the store is none of its files. Both are gone when this is dropped.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) schema: Option<Schema>,
}

impl Place {
    pub(crate) fn new() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("sqlite") => Self::file(),
            Ok("postgres") => Self::on_postgres(),
            Ok(other) => panic!("{VARIABLE} is sqlite or postgres, not {other}"),
        }
    }

    /// For what there is of a file only.
    pub(crate) fn file() -> Self {
        Self { folder: TempDir::new().unwrap(), schema: None }
    }

    /// For what there is of a database only.
    pub(crate) fn on_postgres() -> Self {
        let place = Self { folder: TempDir::new().unwrap(), schema: Some(Schema::create()) };
        fs::write(place.path().join(URL), place.url().unwrap()).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Of the store, unless that is a file in the folder.
    pub(crate) fn url(&self) -> Option<String> {
        self.schema.as_ref().map(Schema::url)
    }
}
