//! Groups (`/Groups`; RFC 7644, section 3).

use http::StatusCode;
use muster_domain::predicate::{Selection, SortColumn, SortKey};
use muster_domain::session::Subject;
use muster_domain::user_group::{MemberWishes, MembersWanted, UserGroup, UserGroupPatch, WithMembers};
use muster_domain::{Entity, Error, Page, Precondition, Timestamp, UserGroupId};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::auth::{Caller, enter, enter_for, id};
use super::failure::{Refusal, answered, reply};
use super::group_map::{self as map, ids, known_ids, resource, tag};
use super::group_members::{are_many, members, stream};
use super::list::{Listed, Search};
use super::patch::Patch;
use super::projection::Projection;
use super::read::read;
use super::schema::{GROUPS, ResourceType};
use super::user::{ATTEMPTS, TYPES};
use super::wanted::Wanted;
use crate::http::{Call, Failure, Outcome, Reply};

/// A PATCH of a group with more members is answered without it, unless attributes are asked for by name. A PUT has sent
/// them all.
const MOST_MEMBERS: u64 = 1000;

/// Groups as they are listed.
pub(super) struct Groups;

impl Listed for Groups {
    const KIND: &'static ResourceType = &GROUPS;
    type Id = UserGroupId;
    type Row = UserGroup;

    async fn select(caller: &Caller, selection: Selection<UserGroupId>) -> Result<Page<UserGroup>, Error> {
        caller.directory().user_group_select(&caller.ctx, selection).await
    }

    async fn shown(
        caller: &Caller,
        groups: &[UserGroup],
        members: bool,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let mut shown = Vec::with_capacity(groups.len());
        for group in groups {
            let members = if members { self::members(caller, group).await? } else { Vec::new() };
            shown.push(resource(group, Some(&members), &caller.base));
        }
        Ok(shown)
    }

    fn sort_key(group: &UserGroup, by: SortColumn) -> Option<SortKey> {
        group.sort_key(by)
    }

    fn place(group: &UserGroup) -> (Timestamp, UserGroupId) {
        (group.created_at, group.id)
    }

    fn members(group: &UserGroup) -> u64 {
        group.members
    }

    fn id_text(id: UserGroupId) -> String {
        id.to_string()
    }

    fn id_of(text: &str) -> Option<UserGroupId> {
        id(text).map(UserGroupId)
    }
}

pub(super) async fn group_list(call: &mut Call) -> Outcome {
    answered(list(call).await)
}

async fn list(call: &mut Call) -> Result<Reply, Refusal> {
    let caller = enter(call).await?;
    let wanted = Wanted::of_list(call)?;
    let page = Search::of(&GROUPS, &wanted)?.page::<Groups>(&caller, &wanted).await?;
    Ok(reply(StatusCode::OK, &page))
}

pub(super) async fn group_get(call: &mut Call) -> Outcome {
    answered(get(call).await)
}

async fn get(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, group) = find(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&GROUPS)?;
    if are_many(&group) && projection.has("members") {
        return Ok(stream(caller, &group, projection));
    }
    shown(StatusCode::OK, &caller, &group, &projection).await
}

pub(super) async fn group_create(call: &mut Call) -> Outcome {
    answered(create(call).await)
}

async fn create(call: &mut Call) -> Result<Reply, Refusal> {
    let caller = enter(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&GROUPS)?;
    let draft = read(&GROUPS, call.value(TYPES).await?)?;
    let patch = map::patch(&draft.resource)?;
    let join = ids(&draft.members.unwrap_or_default())?;
    let members = wishes(join, Vec::new());
    let group = caller.directory().user_group_create_with(&caller.ctx, patch.into(), members).await?;
    let location = format!("{}/Groups/{}", caller.base, group.id);
    Ok(shown(StatusCode::CREATED, &caller, &group, &projection).await?.at(location))
}

fn wishes(join: Vec<Uuid>, leave: Vec<Uuid>) -> MembersWanted {
    MembersWanted { wishes: MemberWishes { join, leave }, ..MembersWanted::default() }
}

pub(super) async fn group_replace(call: &mut Call) -> Outcome {
    answered(replace(call).await)
}

/// What is omitted is cleared, the members too.
async fn replace(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&GROUPS)?;
    let draft = read(&GROUPS, call.value(TYPES).await?)?;
    let patch = map::patch(&draft.resource)?;
    let join = ids(&draft.members.unwrap_or_default())?;
    let members = MembersWanted { replaces: true, ..wishes(join, Vec::new()) };
    let condition = call.if_match(tag);
    let directory = caller.directory();
    let group = directory.user_group_change(&caller.ctx, found, patch.into(), members, condition).await?;
    shown(StatusCode::OK, &caller, &group, &projection).await
}

pub(super) async fn group_patch(call: &mut Call) -> Outcome {
    answered(patch(call).await)
}

async fn patch(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let wanted = Wanted::of_answer(call)?;
    let projection = wanted.projection(&GROUPS)?;
    let patch = Patch::read(&GROUPS, caller.profile(), call.value(TYPES).await?)?;
    let delta = &patch.members;
    let join = if delta.all_known { ids(&delta.join)? } else { known_ids(&delta.join) };
    let members = MembersWanted {
        replaces: delta.replace_all,
        passes_over_unknown: !delta.all_known,
        ..wishes(join, known_ids(&delta.leave))
    };
    let condition = call.if_match(tag);
    let group = write(&caller, found, &patch, members, condition).await?;
    if group.members > MOST_MEMBERS && !wanted.names_attributes() {
        return Ok(Reply::empty().tag(tag(&group)));
    }
    shown(StatusCode::OK, &caller, &group, &projection).await
}

/// What the group itself shall be rests on what it was; who joins and leaves does not.
async fn write(
    caller: &Caller,
    found: UserGroup,
    patch: &Patch,
    members: MembersWanted,
    condition: Option<Precondition<UserGroup>>,
) -> Result<UserGroup, Refusal> {
    let directory = caller.directory();
    if !patch.changes_resource() {
        let nothing = UserGroupPatch::default().into();
        return Ok(directory.user_group_change(&caller.ctx, found, nothing, members, condition).await?);
    }
    let id = found.id;
    let mut found = Some(found);
    for _ in 0..ATTEMPTS {
        let group = match found.take() {
            Some(group) => group,
            None => directory.user_group_get(&caller.ctx, id).await?,
        };
        if condition.as_ref().is_some_and(|holds| !holds(&group)) {
            return Err(Error::Precondition.into());
        }
        let after = map::patch(&patch.apply(&resource(&group, None, &caller.base))?)?;
        let version = group.version;
        let unchanged: Precondition<UserGroup> = Box::new(move |group| group.version == version);
        let done = directory
            .user_group_change(&caller.ctx, group, after.into(), members.clone(), Some(unchanged))
            .await;
        match done {
            Err(Error::Precondition) => {}
            done => return Ok(done?),
        }
    }
    Err(Error::contended().into())
}

pub(super) async fn group_delete(call: &mut Call) -> Outcome {
    answered(delete(call).await)
}

async fn delete(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let condition = call.if_match(tag);
    caller.directory().user_group_delete(&caller.ctx, found, WithMembers::Drop, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the group that the path names.
async fn find(call: &mut Call) -> Result<(Caller, UserGroup), Failure> {
    let (caller, found) =
        enter_for(call, Entity::UserGroup, |id| Subject::UserGroup(UserGroupId(id))).await?;
    let group = caller.directory().user_group_found(&caller.ctx, found)?;
    Ok((caller, group))
}

async fn shown(
    status: StatusCode,
    caller: &Caller,
    group: &UserGroup,
    projection: &Projection,
) -> Result<Reply, Refusal> {
    let members = if projection.has("members") { members(caller, group).await? } else { Vec::new() };
    let body = projection.apply(resource(group, Some(&members), &caller.base)).into();
    Ok(reply(status, &body).tag(tag(group)))
}
