//! Users on the wire (Convirza contract, section 5).

use muster_domain::user::{Role, UserView};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::envelope::Time;
use crate::http::Tag;

/// The number of a role.
pub(super) const fn role_id(role: Role) -> i64 {
    match role {
        Role::Admin => 1,
        Role::Standard => 2,
        Role::ReadOnly => 3,
    }
}

/// The version of a user as it is shown: its own and those of the units that its row names.
pub(super) fn tag(view: &UserView) -> Tag {
    let parent = view.parent.as_ref();
    Tag::of(&[
        view.user.version,
        view.unit.id.0,
        view.unit.version,
        parent.map_or(0, |unit| unit.id.0),
        parent.map_or(0, |unit| unit.version),
        view.top.version,
    ])
}

/// A user alone: its row, and every field of the write body in the type in which it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct UserBody<'a> {
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    username: &'a str,
    user_ext_id: Option<&'a str>,
    ct_user_id: i64,
    status: &'static str,
    user_status: &'static str,
    agent_ring_to: Option<&'a str>,
    agent_id: Option<String>,
    agent_code: Option<i64>,
    aliases: Option<&'a Value>,
    group: &'a str,
    group_org_unit_id: i64,
    group_external_id: Option<&'a str>,
    ct_user_ou_id: i64,
    account: &'a str,
    account_org_unit_id: i64,
    account_external_id: Option<&'a str>,
    parent_group: Option<&'a str>,
    parent_group_org_unit_id: Option<i64>,
    parent_group_external_id: Option<&'a str>,
    role: &'static str,
    role_id: i64,
    timezone: &'a str,
    access_audio: bool,
    group_access: i64,
    report_access: i64,
    assign_scorecard: bool,
    score_call: bool,
    user_created: Time,
    updated_at: Time,
}

impl<'a> UserBody<'a> {
    pub(super) fn new(view: &'a UserView) -> Self {
        let UserView { user, unit, parent, top } = view;
        Self {
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.login,
            username: &user.login,
            user_ext_id: user.external_id.as_deref(),
            ct_user_id: user.id.0,
            status: user.status.as_str(),
            user_status: user.status.as_str(),
            agent_ring_to: user.agent_ring_to.as_deref(),
            agent_id: user.agent_code.map(|code| code.to_string()),
            agent_code: user.agent_code,
            aliases: user.aliases.as_ref(),
            group: &unit.name,
            group_org_unit_id: unit.id.0,
            group_external_id: unit.external_id.as_deref(),
            ct_user_ou_id: unit.id.0,
            account: &top.name,
            account_org_unit_id: top.id.0,
            account_external_id: top.external_id.as_deref(),
            parent_group: parent.as_ref().map(|unit| unit.name.as_str()),
            parent_group_org_unit_id: parent.as_ref().map(|unit| unit.id.0),
            parent_group_external_id: parent.as_ref().and_then(|unit| unit.external_id.as_deref()),
            role: user.role.as_str(),
            role_id: role_id(user.role),
            timezone: &user.timezone,
            access_audio: user.access_audio,
            group_access: user.group_access,
            report_access: user.report_access,
            assign_scorecard: user.score_call,
            score_call: user.score_call,
            user_created: Time(user.created_at),
            updated_at: Time(user.modified_at),
        }
    }
}
