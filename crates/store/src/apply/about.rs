//! What the rows of a change are about.

use muster_domain::{Change, TenantId};

/// Whether a changed row says that it belongs to another tenant.
pub(super) fn is_of_another(change: &Change, tenant: TenantId) -> bool {
    let owner = match change {
        Change::MessagesUpdate { updates, .. } => {
            return updates.iter().any(|update| update.after.tenant != tenant);
        }
        Change::MessagesDelete(gone) => return gone.iter().any(|message| message.tenant != tenant),
        Change::CarrierPartsInsert { parts, .. } => return parts.iter().any(|part| part.tenant != tenant),
        Change::CarrierPartsUpdate(updates) => {
            return updates.iter().any(|update| update.after.tenant != tenant);
        }
        Change::TenantInsert(tenant) | Change::TenantUpdate(tenant) => tenant.id,
        Change::OrgUnitInsert(unit) | Change::OrgUnitUpdate { unit, .. } => unit.tenant,
        Change::UserInsert(user) | Change::UserUpdate { after: user, .. } => user.tenant,
        Change::UserGroupInsert(group) | Change::UserGroupUpdate(group) => group.tenant,
        Change::ContactGroupInsert(group) | Change::ContactGroupUpdate(group) => group.tenant,
        Change::ContactUpdate(contact) | Change::ContactDelete(contact) => contact.tenant,
        Change::WebhookInsert(new) => new.0.tenant,
        Change::WebhookUpdate { webhook, .. } | Change::WebhookSecretRotate { webhook, .. } => webhook.tenant,
        Change::MessageInsert(message) => message.tenant,
        Change::IncomingInsert { incoming, .. } => incoming.tenant,
        Change::ConversationUpdate(conversation) => conversation.tenant,
        Change::BlockInsert(block) => block.tenant,
        Change::BulkInsert(bulk) | Change::BulkUpdate { bulk, .. } => bulk.tenant,
        Change::BulkExpand(chunk) => chunk.bulk.tenant,
        Change::TagInsert(tag) | Change::TagUpdate(tag) => tag.tenant,
        Change::MediaPromptInsert(prompt) => prompt.tenant,
        Change::ObjectDiscard { key, .. } | Change::ObjectForget(key) => key.tenant,
        Change::CredentialInsert(credential) => credential.tenant,
        Change::TokenInsert(token) => token.tenant,
        _ => return false,
    };
    owner != tenant
}

/// Whether it is about the rows of user groups themselves, in which those are counted who have joined before.
pub(super) fn is_of_user_groups(change: &Change) -> bool {
    matches!(
        change,
        Change::UserGroupInsert(_)
            | Change::UserGroupUpdate(_)
            | Change::UserGroupDelete { .. }
            | Change::MembershipsReap { .. }
            | Change::UserGroupRemove(_)
    )
}
