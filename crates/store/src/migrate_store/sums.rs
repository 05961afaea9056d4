//! What is summed up of the rows of a table, to tell whether two stores have the same.

use std::cmp::Ordering;

use muster_domain::{StoreError, TenantId};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::{Cells, Pages, Table};
use crate::value::Value;

/// The rows of a table that belong to a tenant, or to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub tenant: Option<TenantId>,
    pub rows: u64,
    /// SHA-256 over the rows in the order of their keys.
    pub sha256: [u8; 32],
}

type Running = JoinHandle<Result<Vec<Sum>, StoreError>>;

/// Sums rows up as they are read, beside whatever else is done.
pub(super) fn start(table: &'static Table, pages: Pages) -> Running {
    tokio::spawn(of_pages(table, pages))
}

pub(super) async fn end(running: Running) -> Result<Vec<Sum>, StoreError> {
    running.await.unwrap_or_else(|error| Err(StoreError::Internal(format!("sums were lost: {error}"))))
}

async fn of_pages(table: &'static Table, mut pages: Pages) -> Result<Vec<Sum>, StoreError> {
    let mut sums = Vec::new();
    let mut current: Option<(Option<TenantId>, u64, Sha256)> = None;
    let sum = |(tenant, rows, hasher): (_, _, Sha256)| Sum { tenant, rows, sha256: hasher.finalize().into() };
    let mut bytes = Vec::new();
    while let Some(page) = pages.recv().await {
        for row in page? {
            let tenant = table.tenant_of(&row);
            bytes.clear();
            write(&row, &mut bytes);
            match &mut current {
                Some((whose, rows, hasher)) if *whose == tenant => {
                    *rows += 1;
                    hasher.update(&bytes);
                }
                _ => sums.extend(current.replace((tenant, 1, Sha256::new_with_prefix(&bytes))).map(sum)),
            }
        }
    }
    sums.extend(current.map(sum));
    Ok(sums)
}

/// A row as bytes that no other row has: of each column its type, and its length where that varies.
fn write(row: &Cells, bytes: &mut Vec<u8>) {
    let mut varying = |mark: u8, value: &[u8]| {
        bytes.push(mark);
        bytes.extend(value.len().to_be_bytes());
        bytes.extend(value);
    };
    for value in row {
        match value {
            Value::Integer(Some(value)) => varying(1, &value.to_be_bytes()),
            Value::Text(Some(value)) => varying(2, value.as_bytes()),
            Value::Bytes(Some(value)) => varying(3, value),
            Value::Uuid(Some(value)) => varying(3, value.as_bytes()),
            Value::Integer(None) | Value::Text(None) | Value::Bytes(None) | Value::Uuid(None) => {
                varying(0, &[]);
            }
        }
    }
}

/// Whose rows are the first that are not the same: with their numbers in both stores.
pub(super) fn difference(wanted: &[Sum], found: &[Sum]) -> Option<(Option<TenantId>, u64, u64)> {
    let at = wanted.iter().zip(found).take_while(|(wanted, found)| wanted == found).count();
    match (wanted.get(at), found.get(at)) {
        (None, None) => None,
        (Some(wanted), None) => Some((wanted.tenant, wanted.rows, 0)),
        (None, Some(found)) => Some((found.tenant, 0, found.rows)),
        (Some(wanted), Some(found)) => Some(match wanted.tenant.cmp(&found.tenant) {
            Ordering::Less => (wanted.tenant, wanted.rows, 0),
            Ordering::Equal => (wanted.tenant, wanted.rows, found.rows),
            Ordering::Greater => (found.tenant, 0, found.rows),
        }),
    }
}
