//! Users (`/Users`; RFC 7644, section 3).

use std::collections::HashMap;

use http::StatusCode;
use muster_domain::predicate::{Selection, SortColumn, SortKey};
use muster_domain::session::Subject;
use muster_domain::user::{User, UserPatch, UserView};
use muster_domain::user_group::GroupOfUser;
use muster_domain::{Entity, Error, Page, Precondition, Timestamp, UserId};
use serde_json::{Map, Value};

use super::ScimError;
use super::auth::{Caller, enter, enter_for};
use super::failure::{Refusal, SCIM_JSON, answered, reply};
use super::list::{Listed, Search};
use super::patch::Patch;
use super::projection::Projection;
use super::read::read;
use super::schema::{ResourceType, USERS};
use super::user_map::{self as map, emails, resource, tag};
use super::wanted::Wanted;
use crate::http::{Call, Failure, JSON, Outcome, Reply, Tag};

/// The content types of bodies.
pub(super) const TYPES: &[&str] = &[SCIM_JSON, JSON];

/// How often a write is decided again when others change the same resource.
pub(super) const ATTEMPTS: usize = 64;

/// Users as they are listed.
pub(super) struct Users;

impl Listed for Users {
    const KIND: &'static ResourceType = &USERS;
    type Id = UserId;
    type Row = User;

    async fn select(caller: &Caller, selection: Selection<UserId>) -> Result<Page<User>, Error> {
        caller.directory().user_select(&caller.ctx, selection).await
    }

    async fn shown(caller: &Caller, users: &[User], _: bool) -> Result<Vec<Map<String, Value>>, Error> {
        let ids = users.iter().map(|user| user.id).collect();
        let mut groups: HashMap<UserId, Vec<GroupOfUser>> = HashMap::new();
        for group in caller.directory().groups_of_users(&caller.ctx, ids).await? {
            groups.entry(group.user).or_default().push(group);
        }
        let shown = |user: &User| {
            let groups = groups.get(&user.id).map_or(&[][..], Vec::as_slice);
            resource(user, groups, &caller.base)
        };
        Ok(users.iter().map(shown).collect())
    }

    fn sort_key(user: &User, by: SortColumn) -> Option<SortKey> {
        user.sort_key(by)
    }

    fn place(user: &User) -> (Timestamp, UserId) {
        (user.created_at, user.id)
    }

    fn members(_: &User) -> u64 {
        0
    }

    fn id_text(id: UserId) -> String {
        id.to_string()
    }

    fn id_of(text: &str) -> Option<UserId> {
        text.parse().ok().map(UserId)
    }
}

pub(super) async fn user_list(call: &mut Call) -> Outcome {
    answered(list(call).await)
}

async fn list(call: &mut Call) -> Result<Reply, Refusal> {
    let caller = enter(call).await?;
    let wanted = Wanted::of_list(call)?;
    let page = Search::of(&USERS, &wanted)?.page::<Users>(&caller, &wanted).await?;
    Ok(reply(StatusCode::OK, &page))
}

pub(super) async fn user_get(call: &mut Call) -> Outcome {
    answered(get(call).await)
}

async fn get(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, view) = find(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&USERS)?;
    let groups = groups(&caller, &view.user).await?;
    Ok(shown(StatusCode::OK, &caller, &view.user, &groups, &projection))
}

pub(super) async fn user_create(call: &mut Call) -> Outcome {
    answered(create(call).await)
}

async fn create(call: &mut Call) -> Result<Reply, Refusal> {
    let caller = enter(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&USERS)?;
    let draft = read(&USERS, call.value(TYPES).await?)?;
    let emails = emails(&draft.resource);
    let patch = map::patch(draft.resource, emails)?;
    let user = caller.directory().user_create(&caller.ctx, patch.into()).await?;
    let location = format!("{}/Users/{}", caller.base, user.uuid);
    // Who is new is in no group.
    Ok(shown(StatusCode::CREATED, &caller, &user, &[], &projection).at(location))
}

pub(super) async fn user_replace(call: &mut Call) -> Outcome {
    answered(replace(call).await)
}

async fn replace(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&USERS)?;
    let draft = read(&USERS, call.value(TYPES).await?)?;
    // What is wrong with the body is told before what is wrong with its time.
    map::patch(draft.resource.clone(), emails(&draft.resource))?;
    let decide = |before: &Map<String, Value>, user: &User| {
        let after = draft.clone().replacing(&USERS, before).resource;
        // Whoever omits them clears those that were sent; nothing was ever sent of a login that stands in.
        let emails = emails(&after).or_else(|| sent_emails(user).map(|_| Vec::new()));
        map::patch(after, emails)
    };
    write(caller, found, &projection, call.if_match(Tag::clone), decide).await
}

pub(super) async fn user_patch(call: &mut Call) -> Outcome {
    answered(patch(call).await)
}

async fn patch(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let projection = Wanted::of_answer(call)?.projection(&USERS)?;
    let patch = Patch::read(&USERS, caller.profile(), call.value(TYPES).await?)?;
    let decide = |before: &Map<String, Value>, user: &User| {
        let after = patch.apply(before)?;
        if after == *before {
            return Ok(UserPatch::default());
        }
        let emails = if after.get("emails") == before.get("emails") {
            sent_emails(user).cloned()
        } else {
            Some(emails(&after).unwrap_or_default())
        };
        map::patch(after, emails)
    };
    write(caller, found, &projection, call.if_match(Tag::clone), decide).await
}

/// The addresses of a user, if any were ever sent.
fn sent_emails(user: &User) -> Option<&Vec<String>> {
    user.document.as_ref()?.emails.as_ref()
}

/// Writes what is decided on a user as it is shown, and decides again if somebody else was faster.
async fn write(
    caller: Caller,
    found: UserView,
    projection: &Projection,
    condition: Option<Precondition<Tag>>,
    decide: impl Fn(&Map<String, Value>, &User) -> Result<UserPatch, ScimError>,
) -> Result<Reply, Refusal> {
    let uuid = found.user.uuid;
    let mut found = Some(found);
    for _ in 0..ATTEMPTS {
        let view = match found.take() {
            Some(view) => view,
            None => caller.directory().user_get_by_uuid(&caller.ctx, uuid).await?.writable()?,
        };
        let groups = self::groups(&caller, &view.user).await?;
        if condition.as_ref().is_some_and(|holds| !holds(&tag(&view.user, &groups))) {
            return Err(Error::Precondition.into());
        }
        let patch = decide(&resource(&view.user, &groups, &caller.base), &view.user)?;
        let version = view.user.version;
        let unchanged: Precondition<UserView> = Box::new(move |view| view.user.version == version);
        match caller.directory().user_update(&caller.ctx, view, patch.into(), Some(unchanged)).await {
            Ok(user) => {
                let groups = self::groups(&caller, &user).await?;
                return Ok(shown(StatusCode::OK, &caller, &user, &groups, projection));
            }
            Err(Error::Precondition) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::contended().into())
}

pub(super) async fn user_erase(call: &mut Call) -> Outcome {
    answered(erase(call).await)
}

async fn erase(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, found) = find(call).await?;
    let condition = call.if_match(Tag::clone);
    let groups = groups(&caller, &found.user).await?;
    let condition = condition.map(|holds| {
        Box::new(move |view: &UserView| holds(&tag(&view.user, &groups))) as Precondition<UserView>
    });
    caller.directory().user_erase(&caller.ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the user that the path names; one that is deleted is not found, in whatever dialect that was done.
async fn find(call: &mut Call) -> Result<(Caller, UserView), Failure> {
    let (caller, found) = enter_for(call, Entity::User, Subject::UserByUuid).await?;
    let view = caller.directory().user_found(&caller.ctx, found).await?.writable()?;
    Ok((caller, view))
}

async fn groups(caller: &Caller, user: &User) -> Result<Vec<GroupOfUser>, Error> {
    caller.directory().groups_of_users(&caller.ctx, vec![user.id]).await
}

fn shown(
    status: StatusCode,
    caller: &Caller,
    user: &User,
    groups: &[GroupOfUser],
    projection: &Projection,
) -> Reply {
    let body = projection.apply(resource(user, groups, &caller.base)).into();
    reply(status, &body).tag(tag(user, groups))
}
