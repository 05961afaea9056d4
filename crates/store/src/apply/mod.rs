//! Applying one batch inside the transaction of a group, on whichever backend.

mod about;
mod balance;
mod bulk;
mod contact;
mod conversation;
mod journal;
mod media;
mod message;
mod org_unit;
mod tag;
mod tenant;
mod user;
mod user_group;
mod webhook;

use muster_domain::user::{User, UserStatus};
use muster_domain::{Batch, Change, Guard, StoreError, TenantId};

use about::{is_of_another, is_of_user_groups};

use crate::codes;
use crate::driver::{Wanted, Write};
use crate::statements::{self, session};
use crate::value::values;

type Outcome = Result<(), StoreError>;

/// What a group of batches changes of a tenant's state, written once for all of them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Entries that were added to the journal.
    entries: i64,
    counts: Counts,
    purse: balance::Purse,
}

/// By how much the kept counts of a tenant change.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    org_units: i64,
    users_active: i64,
    users_inactive: i64,
    users_deleted: i64,
    user_groups: i64,
    messages: i64,
    incomings: i64,
}

impl Counts {
    fn user(&mut self, user: &User, by: i64) {
        match user.status {
            UserStatus::Active => self.users_active += by,
            UserStatus::Inactive => self.users_inactive += by,
            UserStatus::Deleted => self.users_deleted += by,
        }
    }
}

/// Guards, changes, journal. `state` is what the group has done to the tenant's state so far; it is moved on when
/// everything went well, and only then. After an error the caller rolls back.
pub(crate) async fn batch(on: &mut impl Write, batch: &Batch, state: &mut State) -> Outcome {
    let tenant = batch.tenant;
    for wanted in &batch.guards {
        guard(on, tenant, wanted).await?;
    }
    let mut next = *state;
    let mut comings = user_group::Comings::default();
    for wanted in &batch.changes {
        if is_of_user_groups(wanted) {
            comings.write(on, tenant).await?;
        }
        change(on, tenant, wanted, &mut next, &mut comings).await?;
    }
    comings.write(on, tenant).await?;
    journal::insert(on, tenant, next.entries, &batch.journal).await?;
    next.entries += i64::try_from(batch.journal.len()).unwrap_or(i64::MAX);
    *state = next;
    Ok(())
}

/// Writes what a group of batches has changed of a tenant's state.
pub(crate) async fn write_state(on: &mut impl Write, tenant: TenantId, state: &State) -> Outcome {
    let State { entries, counts, purse } = *state;
    if entries == 0 && counts == Counts::default() && purse.movements == 0 {
        return Ok(());
    }
    let values = values![
        tenant.0,
        entries,
        counts.org_units,
        counts.users_active,
        counts.users_inactive,
        counts.users_deleted,
        counts.user_groups,
        purse.moved.millionths(),
        purse.movements,
        counts.messages,
        counts.incomings,
    ];
    on.one_row(&statements::tenant::STATE_UPDATE, &values).await
}

async fn guard(on: &mut impl Write, tenant: TenantId, guard: &Guard) -> Outcome {
    use crate::statements::{
        balance as of_balance, block, bulk as of_bulk, contact, org_unit, tenant as of_tenant, user,
        user_group, webhook as of_webhook,
    };

    let id = tenant.0;
    let (statement, values, wanted) = match guard {
        Guard::UnitActive(unit) => (&org_unit::IS_ACTIVE, values![id, unit.0].to_vec(), Wanted::Holds),
        Guard::UnitVacant(unit) => (&org_unit::IS_VACANT, values![id, unit.0].to_vec(), Wanted::Holds),
        Guard::UnitVersion { id: unit, version } => {
            (&org_unit::VERSION_IS, values![id, unit.0, *version].to_vec(), Wanted::Holds)
        }
        Guard::TreeVersion(version) => {
            (&of_tenant::TREE_VERSION_IS, values![id, *version].to_vec(), Wanted::Holds)
        }
        Guard::UserVersion { id: user, version } => {
            (&user::VERSION_IS, values![id, user.0, *version].to_vec(), Wanted::Holds)
        }
        Guard::ContactGroupVersion { id: group, version } => {
            (&contact::VERSION_IS, values![id, group.0, *version].to_vec(), Wanted::Holds)
        }
        Guard::ContactsVersion { group, version } => {
            (&contact::CONTACTS_VERSION_IS, values![id, group.0, *version].to_vec(), Wanted::Holds)
        }
        Guard::UserGroups { user, groups } => {
            (&user_group::OF_USER, values![id, user.0].to_vec(), Wanted::Groups(groups.clone()))
        }
        Guard::PrimaryGroup { user, group } => (
            &user_group::PRIMARY_OF_USER,
            values![id, user.0].to_vec(),
            Wanted::Groups(group.iter().copied().collect()),
        ),
        Guard::UserGroupVersion { id: group, version } => {
            (&user_group::VERSION_IS, values![id, group.0, *version].to_vec(), Wanted::Holds)
        }
        Guard::UserGroupVacant(group) => {
            (&user_group::IS_VACANT, values![id, group.0].to_vec(), Wanted::Holds)
        }
        Guard::ServerKey { fingerprint } => {
            (&of_tenant::SERVER_KEY_IS, values![fingerprint].to_vec(), Wanted::Holds)
        }
        Guard::WebhookRoom { besides, of_lox24 } => {
            (&of_webhook::HAS_ROOM, webhook::has_room(tenant, *besides, *of_lox24), Wanted::Holds)
        }
        Guard::NumberBlocked { number, is_blocked } => {
            let statement = if *is_blocked { &block::IS_BLOCKED } else { &block::IS_NOT_BLOCKED };
            (statement, values![id, number].to_vec(), Wanted::Holds)
        }
        Guard::BulkSettled(bulk) => (&of_bulk::IS_SETTLED, values![id, bulk.0].to_vec(), Wanted::Holds),
        Guard::PaysIn(currency) => {
            (&of_balance::PAYS_IN, values![id, currency.as_str()].to_vec(), Wanted::Holds)
        }
        Guard::BalanceUntouched => (&of_balance::UNTOUCHED, values![id].to_vec(), Wanted::Holds),
        Guard::AdminRemains { besides, with_password } => {
            (&user::ADMIN_REMAINS, values![id, besides.0, *with_password].to_vec(), Wanted::Holds)
        }
    };
    on.send(statement, &values, wanted).await
}

#[expect(clippy::too_many_lines, reason = "one arm for each change, so that none is forgotten")]
async fn change(
    on: &mut impl Write,
    tenant: TenantId,
    change: &Change,
    state: &mut State,
    comings: &mut user_group::Comings,
) -> Outcome {
    use crate::statements::{
        block as of_block, bulk as of_bulk, contact as of_contact, incoming as of_incoming,
        message as of_message, tenant as of_tenant, user_group as of_group, webhook as of_webhook,
    };

    if is_of_another(change, tenant) {
        return Err(StoreError::Internal("a batch has a row of another tenant".to_owned()));
    }
    let id = tenant.0;
    let counts = &mut state.counts;
    match change {
        Change::PricesReplace(table) => balance::replace_prices(on, table.as_ref()).await,
        Change::BalanceMove { at, amount, reason } => {
            balance::move_by(on, tenant, &mut state.purse, (*at, *amount), reason).await
        }
        Change::TenantInsert(new) => tenant::insert(on, new).await,
        Change::TenantUpdate(changed) => tenant::update(on, changed).await,
        Change::TenantPurge { limit } => tenant::purge(on, tenant, *limit).await,
        Change::MessageInsert(new) => {
            counts.messages += 1;
            message::insert(on, new).await
        }
        Change::MessagesUpdate { updates, holder } => message::update(on, updates, *holder).await,
        Change::MessagesDelete(gone) => {
            counts.messages -= i64::try_from(gone.len()).unwrap_or(i64::MAX);
            message::delete(on, gone).await
        }
        Change::MessagesClaim { lane, claim, now, until, limit } => {
            let values = values![id, lane.map_or(0, |bulk| bulk.0), now.0, *claim, until.0, *limit];
            on.run(&of_message::CLAIM, &values).await
        }
        Change::MessagesClaimLost { claim, now, until, limit } => {
            on.run(&of_message::CLAIM_LOST, &values![id, now.0, *claim, until.0, *limit]).await
        }
        Change::MessagesKeep { claim, until } => {
            on.run(&of_message::KEEP, &values![id, *claim, until.0]).await
        }
        Change::MessagesRelease { claim } => on.run(&of_message::RELEASE, &values![id, *claim]).await,
        Change::MessageDefer { id: message, claim, due_at } => {
            on.one_row(&of_message::DEFER, &values![id, message.0, *claim, due_at.0]).await
        }
        Change::CarrierPartsInsert { parts, at } => message::parts_insert(on, parts, *at).await,
        Change::CarrierPartsUpdate(updates) => message::parts_update(on, updates).await,
        Change::CarrierPartsReap { horizon, limit } => {
            on.run(&of_message::PARTS_REAP, &values![horizon.0, *limit]).await
        }
        Change::IncomingInsert { incoming, carrier, carrier_id } => {
            counts.incomings += 1;
            message::incoming_insert(on, incoming, carrier, carrier_id.as_deref()).await
        }
        Change::IncomingDelete { id: gone, version } => {
            counts.incomings -= 1;
            on.one_row(&of_incoming::DELETE, &values![id, gone.0, *version]).await
        }
        Change::ThreadMove(moved) => conversation::thread_move(on, tenant, moved).await,
        Change::ConversationUpdate(changed) => conversation::update(on, changed).await,
        Change::BlockInsert(new) => message::block_insert(on, new).await,
        Change::BlockDelete { id: gone, version } => {
            on.one_row(&of_block::DELETE, &values![id, gone.0, *version]).await
        }
        Change::BulkInsert(new) => bulk::insert(on, new).await,
        Change::BulkUpdate { bulk: changed, expansion } => {
            bulk::update(on, changed, expansion.as_ref()).await
        }
        Change::BulkDelete { id: bulk, version, at } => {
            on.one_row(&of_bulk::DELETE, &values![id, bulk.0, *version, at.0]).await
        }
        Change::BulkExpand(chunk) => {
            counts.messages += i64::try_from(chunk.messages.len()).unwrap_or(i64::MAX);
            bulk::expand(on, chunk).await
        }
        Change::BulkCount(bulk, delta) => bulk::count(on, tenant, *bulk, delta).await,
        Change::BulkSettled(bulk) => on.one_row(&of_bulk::SETTLED, &values![id, bulk.0]).await,
        Change::BulkRemove(bulk) => bulk::remove(on, tenant, *bulk).await,
        Change::OrgUnitInsert(unit) => {
            counts.org_units += 1;
            org_unit::insert(on, unit).await
        }
        Change::OrgUnitUpdate { unit, in_place } => org_unit::update(on, unit, *in_place).await,
        Change::TreeChanged => on.one_row(&of_tenant::TREE_CHANGED, &values![id]).await,
        Change::UserInsert(new) => {
            counts.user(new, 1);
            user::insert(on, new).await
        }
        Change::UserUpdate { before, after } => {
            counts.user(before, -1);
            counts.user(after, 1);
            user::update(on, before, after).await
        }
        Change::UserJournalForget(user) => {
            on.run(&of_tenant::JOURNAL_FORGET_USER, &values![id, user.to_string()]).await
        }
        Change::UserGroupInsert(new) => {
            counts.user_groups += 1;
            user_group::insert(on, new).await
        }
        Change::UserGroupUpdate(changed) => user_group::update(on, changed).await,
        Change::UserGroupDelete { id: group, version, at } => {
            counts.user_groups -= 1;
            on.one_row(&of_group::DELETE, &values![id, group.0, *version, at.0]).await
        }
        Change::MembershipInsert(new) => user_group::join(on, tenant, new, comings).await,
        Change::MembershipDelete { user, group, at } => {
            user_group::leave(on, tenant, *user, *group, *at, comings).await
        }
        Change::MembershipPrimary { user, group } => {
            user_group::make_primary(on, tenant, *user, *group).await
        }
        Change::MembershipsReap { group, limit } => user_group::reap(on, tenant, *group, *limit).await,
        Change::UserGroupRemove(group) => on.one_row(&of_group::REMOVE, &values![id, group.0]).await,
        Change::JournalTrim { through } => {
            on.run(&of_tenant::JOURNAL_TRIM, &values![id, *through]).await?;
            on.run(&of_tenant::JOURNAL_TRIMMED, &values![id, *through]).await
        }
        Change::ContactGroupInsert(new) => contact::group_insert(on, new).await,
        Change::ContactGroupUpdate(changed) => contact::group_update(on, changed).await,
        Change::ContactGroupDelete { id: group, version, at } => {
            on.one_row(&of_contact::GROUP_DELETE, &values![id, group.0, *version, at.0]).await
        }
        Change::ContactsReplace { group, keep } => contact::replace(on, tenant, *group, keep).await,
        Change::ContactsInsert { group, contacts } => contact::insert(on, tenant, *group, contacts).await,
        Change::ContactUpdate(changed) => contact::update(on, changed).await,
        Change::ContactDelete(gone) => contact::delete(on, gone).await,
        Change::ContactsReap { group, limit } => contact::reap(on, tenant, *group, *limit).await,
        Change::ContactGroupRemove(group) => {
            on.one_row(&of_contact::GROUP_REMOVE, &values![id, group.0]).await
        }
        Change::WebhookInsert(new) => webhook::insert(on, &new.0, &new.1.sealed).await,
        Change::WebhookUpdate { webhook, restarts } => webhook::update(on, webhook, *restarts).await,
        Change::WebhookSecretRotate { webhook, sealed, until } => {
            webhook::rotate(on, webhook, sealed, *until).await
        }
        Change::WebhookDelete { id: webhook, version, at } => {
            on.one_row(&of_webhook::DELETE, &values![id, webhook.0, *version, at.0]).await
        }
        Change::WebhookLease { id: webhook, owner, now, until } => {
            on.one_row(&of_webhook::LEASE, &values![id, webhook.0, *owner, now.0, until.0]).await
        }
        Change::WebhookKeep { id: webhook, owner, until, health } => {
            webhook::keep(on, tenant, *webhook, *owner, *until, health).await
        }
        Change::WebhookRelease { id: webhook, owner, through } => {
            on.one_row(&of_webhook::RELEASE, &values![id, webhook.0, *owner, *through]).await
        }
        Change::DeliveriesInsert { webhook, owner, from, through, deliveries } => {
            webhook::deliveries(on, tenant, *webhook, *owner, (*from, *through), deliveries).await
        }
        Change::DeliveryAttempted { webhook, delivery } => {
            webhook::attempted(on, tenant, *webhook, delivery).await
        }
        Change::DeliveryRetry { webhook, id: delivery, at } => {
            on.one_row(&of_webhook::DELIVERY_RETRY, &values![id, webhook.0, delivery.0, at.0]).await
        }
        Change::DeliveriesReap { webhook, horizon, limit } => {
            on.run(&of_webhook::REAP_DELETED, &values![id, webhook.0, *limit]).await?;
            on.run(&of_webhook::REAP, &values![id, webhook.0, horizon.0, *limit]).await
        }
        Change::WebhookRemove(webhook) => on.one_row(&of_webhook::REMOVE, &values![id, webhook.0]).await,
        Change::TagInsert(new) => tag::insert(on, new).await,
        Change::TagUpdate(changed) => tag::update(on, changed).await,
        Change::TagDelete { id: gone, version } => tag::delete(on, tenant, *gone, *version).await,
        Change::MediaPromptInsert(new) => media::insert(on, new).await,
        Change::MediaPromptDelete(gone) => media::delete(on, tenant, *gone).await,
        Change::ObjectDiscard { key, due_at } => media::mark(on, key, *due_at).await,
        Change::ObjectForget(key) => media::unmark(on, key).await,
        Change::CredentialInsert(new) => tenant::credential_insert(on, new).await,
        Change::CredentialRevoke { id: credential, at } => {
            on.one_row(&of_tenant::CREDENTIAL_REVOKE, &values![id, credential.0, at.0]).await
        }
        Change::CredentialUsed { id: credential, from, at } => {
            let values = values![id, credential.0, from.map(|from| from.0), at.0];
            on.run(&of_tenant::CREDENTIAL_USED, &values).await
        }
        Change::TokenInsert(token) => tenant::token_insert(on, token).await,
        Change::RefreshRetire { hash, at } => {
            on.one_row(&session::REFRESH_RETIRE, &values![id, hash, at.0]).await
        }
        Change::AccessRetire { family, at, until } => {
            on.run(&session::ACCESS_RETIRE, &values![id, *family, at.0, until.0]).await
        }
        Change::AccessExtend { hash, from, until } => {
            on.run(&session::ACCESS_EXTEND, &values![id, hash, until.0, from.0]).await
        }
        Change::TokensExpire { now, limit } => on.run(&session::EXPIRE, &values![id, now.0, *limit]).await,
        Change::UserTokensExpire { user, now } => {
            on.run(&session::USER_EXPIRE, &values![id, user.0, now.0]).await
        }
        Change::TokenDelete { kind, hash } => {
            on.run(&session::DELETE, &values![id, hash, codes::token_kind(*kind)]).await
        }
        Change::FamilyDelete { family } => on.run(&session::FAMILY_DELETE, &values![id, *family]).await,
        Change::UserTokensDelete { user, keep } => {
            on.run(&session::USER_DELETE, &values![id, user.0, *keep]).await
        }
    }
}
