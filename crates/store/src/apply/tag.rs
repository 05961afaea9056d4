//! Writing tags.

use muster_domain::tag::Tag;
use muster_domain::{TagId, TenantId};

use super::Outcome;
use crate::driver::Write;
use crate::statements::tag;
use crate::value::{Value, values};

/// The values that both statements begin with.
fn values(t: &Tag) -> Vec<Value<'_>> {
    values![t.tenant.0, t.id.0, t.org_unit_id.0, &t.name, t.name_key(), &t.color, t.version, t.modified_at.0,]
        .into()
}

pub(super) async fn insert(on: &mut impl Write, t: &Tag) -> Outcome {
    let mut values = values(t);
    values.push(t.created_at.0.into());
    on.run(&tag::INSERT, &values).await
}

pub(super) async fn update(on: &mut impl Write, t: &Tag) -> Outcome {
    let mut values = values(t);
    values.push((t.version - 1).into());
    on.one_row(&tag::UPDATE, &values).await
}

pub(super) async fn delete(on: &mut impl Write, tenant: TenantId, id: TagId, version: i64) -> Outcome {
    on.one_row(&tag::DELETE, &values![tenant.0, id.0, version]).await
}
