//! The table of what the coverage tests know of each call; see `cases.rs`.

use muster_domain::Access;
use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::cases::{Case, Who};
use crate::own::{Kind, Own};
use crate::people::{plain, with};
use crate::support::PASSWORD;
use crate::webhooks;

const ADMINS: Who = Who::Roles(&[Role::Admin]);
const EVERYBODY: Who = Who::Roles(&[Role::Admin, Role::Standard, Role::ReadOnly]);
const WORKERS: Who = Who::Roles(&[Role::Admin, Role::Standard]);
const READERS: Who = Who::Keys(Access::Read);
const WRITERS: Who = Who::Keys(Access::Write);
const BEARERS: Who = Who::Tokens(Access::Read);
const BEARING_WRITERS: Who = Who::Tokens(Access::Write);
const SIGNERS: Who = Who::Signers(Access::Read);
const SIGNING_WRITERS: Who = Who::Signers(Access::Write);
const PARENT: (&[&str], Kind) = (&["org_unit_parent_id", "parent_org_unit_id"], Kind::Unit);
const UNIT_OF_USER: (&[&str], Kind) = (&["ct_user_ou_id"], Kind::Unit);
const UNIT: (&[&str], Kind) = (&["org_unit_id"], Kind::Unit);
const ORG_UNIT: (&str, Kind) = ("org_unit_id", Kind::Unit);
const GROUP_OF_USER: (&[&str], Kind) = (&["userGroupId"], Kind::UserGroup);

/// A call without ids and body.
const fn case(verb: &'static str, who: Who) -> Case {
    let body = |_: &Own| Value::Null;
    Case { verb, who, path: None, hidden: 404, body, body_ids: &[], query_ids: &[], query: "" }
}

fn group(own: &Own) -> Value {
    json!({"org_unit_name": "Covered", "org_unit_parent_id": own.parent})
}

fn user(own: &Own) -> Value {
    with(plain("covered@example.net"), &json!({"ct_user_ou_id": own.unit}))
}

fn webhook(own: &Own) -> Value {
    with(webhooks::body("https://crm.example.org/hook"), &json!({"org_unit_id": own.unit}))
}

fn tag(own: &Own) -> Value {
    json!({"tag_name": "Covered", "tag_color": "#1f77b4", "org_unit_id": own.unit})
}

fn broadcast(own: &Own) -> Value {
    json!({
        "broadcast_name": "Covered", "org_unit_id": own.unit, "from_number": "+13035550112", "message": "Hi",
        "recipients": ["+13035550111"],
    })
}

fn media_prompt(own: &Own) -> Value {
    json!({"message_type": "prompt", "org_unit_id": own.unit})
}

fn contact_group(_: &Own) -> Value {
    json!({"name": "Covered", "phones": [{"phone": "+12015550190"}]})
}

fn contact(_: &Own) -> Value {
    json!({"phone": "+12015550191"})
}

fn message(_: &Own) -> Value {
    json!({"sender_id": "Covered", "text": "Covered", "phone": "+12015550192"})
}

fn bulk_message(own: &Own) -> Value {
    json!({"sender_id": "Covered", "text": "Covered", "phones": ["+12015550192"], "msg_groups": [own.contact_group]})
}

fn signed_user(own: &Own) -> Value {
    json!({"firstName": "Cove", "lastName": "Red", "email": "covered@example.net", "userGroupId": own.user_group})
}

fn user_group(_: &Own) -> Value {
    json!({"name": "Covered", "externalId": "C-1"})
}

fn scim_user(_: &Own) -> Value {
    json!({"userName": "covered@example.net"})
}

fn scim_group(own: &Own) -> Value {
    json!({"displayName": "Covered", "members": [{"value": own.user_uuid}]})
}

fn operations(_: &Own) -> Value {
    json!({"Operations": [{"op": "replace", "value": {"displayName": "Covered"}}]})
}

fn bulk(own: &Own) -> Value {
    let group =
        json!({"displayName": "Covered", "members": [{"value": own.user_uuid}, {"value": "bulkId:u"}]});
    json!({"Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": scim_user(own)},
    ]})
}

fn nothing(_: &Own) -> Value {
    json!({})
}

pub(crate) const CASES: &[Case] = &[
    Case {
        body: |own| json!({"email": own.login, "password": PASSWORD}),
        ..case("session_open", Who::Anyone)
    },
    Case { body: |own| json!({"refresh_token": own.refresh_token}), ..case("session_refresh", Who::Anyone) },
    Case {
        body: |own| json!({"token_type": "refresh", "token": own.refresh_token}),
        ..case("session_revoke", Who::Anyone)
    },
    case("profile_get", EVERYBODY),
    Case {
        body: |_| json!({"current_password": PASSWORD, "new_password": "another long password"}),
        ..case("password_change", EVERYBODY)
    },
    case("org_unit_list", ADMINS),
    Case { query_ids: &[ORG_UNIT], ..case("org_unit_children", ADMINS) },
    case("org_unit_tree", ADMINS),
    Case { path: Some(Kind::Unit), hidden: 401, ..case("org_unit_ids", ADMINS) },
    Case { path: Some(Kind::Unit), ..case("org_unit_get", ADMINS) },
    Case { body: group, body_ids: &[PARENT], ..case("org_unit_create", ADMINS) },
    Case { path: Some(Kind::Unit), body: group, body_ids: &[PARENT], ..case("org_unit_update", ADMINS) },
    Case { path: Some(Kind::Unit), body: group, body_ids: &[PARENT], ..case("org_unit_patch", ADMINS) },
    Case { path: Some(Kind::Unit), ..case("org_unit_archive", ADMINS) },
    Case { query_ids: &[ORG_UNIT], ..case("user_list", ADMINS) },
    Case { path: Some(Kind::User), ..case("user_get", ADMINS) },
    Case { body: user, body_ids: &[UNIT_OF_USER], ..case("user_create", ADMINS) },
    Case { path: Some(Kind::User), body: user, body_ids: &[UNIT_OF_USER], ..case("user_update", ADMINS) },
    Case { path: Some(Kind::User), body: user, body_ids: &[UNIT_OF_USER], ..case("user_patch", ADMINS) },
    Case { path: Some(Kind::User), ..case("user_delete", ADMINS) },
    case("industry_list", EVERYBODY),
    case("webhook_list", ADMINS),
    Case { body: webhook, body_ids: &[UNIT], ..case("webhook_create", ADMINS) },
    Case { path: Some(Kind::Webhook), ..case("webhook_get", ADMINS) },
    Case { path: Some(Kind::Webhook), body: webhook, body_ids: &[UNIT], ..case("webhook_update", ADMINS) },
    Case { path: Some(Kind::Webhook), body: webhook, body_ids: &[UNIT], ..case("webhook_patch", ADMINS) },
    Case { path: Some(Kind::Webhook), ..case("webhook_delete", ADMINS) },
    Case { path: Some(Kind::Webhook), body: nothing, ..case("webhook_rotate_secret", ADMINS) },
    Case { path: Some(Kind::Webhook), body: nothing, ..case("webhook_test", ADMINS) },
    Case { path: Some(Kind::Webhook), ..case("delivery_list", ADMINS) },
    Case {
        path: Some(Kind::Webhook),
        body: |_| json!({"since": "2026-01-01T00:00:00Z"}),
        ..case("deliveries_retry", ADMINS)
    },
    Case { path: Some(Kind::Webhook), body: nothing, ..case("delivery_retry", ADMINS) },
    case("ad_source_list", EVERYBODY),
    case("media_prompt_list", EVERYBODY),
    Case { body: media_prompt, body_ids: &[UNIT], ..case("media_prompt_create", WORKERS) },
    Case { path: Some(Kind::MediaPrompt), ..case("media_prompt_delete", WORKERS) },
    Case { path: Some(Kind::MediaPrompt), ..case("media_prompt_content", EVERYBODY) },
    case("tag_list", EVERYBODY),
    Case { body: tag, body_ids: &[UNIT], ..case("tag_create", WORKERS) },
    Case { path: Some(Kind::Tag), ..case("tag_get", EVERYBODY) },
    Case { path: Some(Kind::Tag), body: tag, body_ids: &[UNIT], ..case("tag_update", WORKERS) },
    Case { path: Some(Kind::Tag), ..case("tag_delete", WORKERS) },
    case("conversation_list", EVERYBODY),
    Case { path: Some(Kind::Conversation), ..case("conversation_get", EVERYBODY) },
    Case {
        path: Some(Kind::Conversation),
        body: |_| json!({"message": "Covered"}),
        ..case("conversation_reply", WORKERS)
    },
    Case {
        path: Some(Kind::Conversation),
        body: |own| json!({"ct_user_id": own.user, "pin": true}),
        body_ids: &[(&["ct_user_id"], Kind::User)],
        ..case("conversation_patch", WORKERS)
    },
    case("broadcast_list", EVERYBODY),
    Case { body: broadcast, body_ids: &[UNIT], ..case("broadcast_create", WORKERS) },
    Case { path: Some(Kind::Broadcast), ..case("broadcast_get", EVERYBODY) },
    Case {
        path: Some(Kind::Broadcast),
        body: broadcast,
        body_ids: &[UNIT],
        ..case("broadcast_update", WORKERS)
    },
    Case {
        path: Some(Kind::Broadcast),
        body: broadcast,
        body_ids: &[UNIT],
        ..case("broadcast_patch", WORKERS)
    },
    Case { path: Some(Kind::Broadcast), ..case("broadcast_delete", WORKERS) },
    Case { path: Some(Kind::Broadcast), ..case("broadcast_preview", EVERYBODY) },
    case("account_get", READERS),
    case("contact_group_list", READERS),
    Case { body: contact_group, ..case("contact_group_create", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_group_get", READERS) },
    Case { path: Some(Kind::ContactGroup), body: contact_group, ..case("contact_group_update", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_group_delete", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_export", READERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_list", READERS) },
    Case { path: Some(Kind::ContactGroup), body: contact, ..case("contact_create", WRITERS) },
    Case {
        path: Some(Kind::ContactGroup),
        body: |own| json!([contact(own)]),
        ..case("contacts_add", WRITERS)
    },
    Case { path: Some(Kind::Contact), ..case("contact_get", READERS) },
    Case { path: Some(Kind::Contact), body: contact, ..case("contact_update", WRITERS) },
    Case { path: Some(Kind::Contact), ..case("contact_delete", WRITERS) },
    case("message_list", READERS),
    Case { body: message, ..case("message_create", WRITERS) },
    Case { body: message, ..case("message_dry_run", WRITERS) },
    Case { body: nothing, query: "?status_code=0", ..case("messages_stop", WRITERS) },
    Case { body: nothing, query: "?status_code=0", ..case("messages_delete", WRITERS) },
    Case { path: Some(Kind::Message), ..case("message_get", READERS) },
    Case { path: Some(Kind::Message), ..case("message_delete", WRITERS) },
    case("bulk_list", READERS),
    Case { body: bulk_message, ..case("bulk_create", WRITERS) },
    Case { body: bulk_message, ..case("bulk_dry_run", WRITERS) },
    Case { path: Some(Kind::Bulk), ..case("bulk_get", READERS) },
    Case { path: Some(Kind::Bulk), ..case("bulk_status_get", READERS) },
    Case { path: Some(Kind::Bulk), body: nothing, ..case("bulk_cancel", WRITERS) },
    Case { path: Some(Kind::Bulk), ..case("bulk_delete", WRITERS) },
    case("incoming_list", READERS),
    Case { path: Some(Kind::Incoming), ..case("incoming_get", READERS) },
    Case { path: Some(Kind::Incoming), ..case("incoming_delete", WRITERS) },
    case("block_list", READERS),
    Case { body: |_| json!({"number": "+12015550193"}), ..case("block_create", WRITERS) },
    Case { path: Some(Kind::Block), ..case("block_get", READERS) },
    Case { path: Some(Kind::Block), ..case("block_delete", WRITERS) },
    Case { path: Some(Kind::Common("all")), ..case("price_list", Who::Anyone) },
    Case { path: Some(Kind::Common("all")), ..case("account_price_list", READERS) },
    case("user_group_list", SIGNERS),
    Case { body: user_group, ..case("user_group_create", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("user_group_get", SIGNERS) },
    Case { path: Some(Kind::UserGroup), body: user_group, ..case("user_group_update", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("user_group_delete", SIGNING_WRITERS) },
    Case { query_ids: &[("userGroupId", Kind::UserGroup)], ..case("user_list", SIGNERS) },
    Case { body: signed_user, body_ids: &[GROUP_OF_USER], ..case("user_create", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_get", SIGNERS) },
    Case {
        path: Some(Kind::UserUuid),
        body: signed_user,
        body_ids: &[GROUP_OF_USER],
        ..case("user_update", SIGNING_WRITERS)
    },
    Case { path: Some(Kind::UserUuid), ..case("user_erase", SIGNING_WRITERS) },
    case("user_list", BEARERS),
    Case { body: scim_user, ..case("user_create", BEARING_WRITERS) },
    Case { body: nothing, ..case("user_search", BEARERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_get", BEARERS) },
    Case { path: Some(Kind::UserUuid), body: scim_user, ..case("user_replace", BEARING_WRITERS) },
    Case { path: Some(Kind::UserUuid), body: operations, ..case("user_patch", BEARING_WRITERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_erase", BEARING_WRITERS) },
    case("group_list", BEARERS),
    Case { body: scim_group, ..case("group_create", BEARING_WRITERS) },
    Case { body: nothing, ..case("group_search", BEARERS) },
    Case { path: Some(Kind::UserGroup), ..case("group_get", BEARERS) },
    Case { path: Some(Kind::UserGroup), body: scim_group, ..case("group_replace", BEARING_WRITERS) },
    Case { path: Some(Kind::UserGroup), body: operations, ..case("group_patch", BEARING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("group_delete", BEARING_WRITERS) },
    Case { body: nothing, ..case("search", BEARERS) },
    Case { body: bulk, ..case("bulk", BEARING_WRITERS) },
    case("me_get", BEARERS),
    Case { body: nothing, ..case("me_write", BEARING_WRITERS) },
    case("me_delete", BEARING_WRITERS),
    case("config_get", Who::Anyone),
    case("resource_type_list", BEARERS),
    Case { path: Some(Kind::Common("User")), ..case("resource_type_get", BEARERS) },
    case("schema_list", BEARERS),
    Case {
        path: Some(Kind::Common("urn:ietf:params:scim:schemas:core:2.0:User")),
        ..case("schema_get", BEARERS)
    },
];
