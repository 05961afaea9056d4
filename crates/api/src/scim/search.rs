//! Searches by POST (`/.search`; RFC 7644, section 3.4.3).

use http::StatusCode;
use muster_domain::predicate::Start;
use serde_json::Value;

use super::auth::{Caller, enter};
use super::failure::{Refusal, answered, reply};
use super::group::Groups;
use super::list::{Hit, Listed, Search, response};
use super::schema::{GROUPS, USERS};
use super::sort::SortKey;
use super::user::{TYPES, Users};
use super::wanted::Wanted;
use super::{ScimError, ScimType};
use crate::http::{Call, Outcome, Reply};

pub(super) async fn user_search(call: &mut Call) -> Outcome {
    answered(one::<Users>(call).await)
}

pub(super) async fn group_search(call: &mut Call) -> Outcome {
    answered(one::<Groups>(call).await)
}

pub(super) async fn search(call: &mut Call) -> Outcome {
    answered(both(call).await)
}

async fn one<R: Listed>(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, wanted) = asked(call).await?;
    let page = Search::of(R::KIND, &wanted)?.page::<R>(&caller, &wanted).await?;
    Ok(reply(StatusCode::OK, &page))
}

async fn asked(call: &mut Call) -> Result<(Caller, Wanted), Refusal> {
    let caller = enter(call).await?;
    let wanted = Wanted::of_search(&call.value(TYPES).await?)?;
    Ok((caller, wanted))
}

/// Users and groups: sorted together, or else the users first.
async fn both(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, wanted) = asked(call).await?;
    if wanted.cursor.is_some() {
        let detail = "a search over several kinds of resources has pages by startIndex only";
        return Err(ScimError::new(ScimType::InvalidValue, detail).into());
    }
    let users = Search::of(&USERS, &wanted);
    let groups = Search::of(&GROUPS, &wanted);
    // What only one kind has can be sorted by: the others have no value there.
    if wanted.sort_by.is_some() {
        return sorted(&caller, &wanted, users?, groups?).await;
    }
    let (users, groups) = (users?, groups?);
    let of_users = users.slice::<Users>(&caller, Start::Offset(wanted.offset), wanted.count).await?;
    let sent = u32::try_from(of_users.items.len()).unwrap_or(wanted.count);
    let offset = wanted.offset.saturating_sub(of_users.total);
    let of_groups = groups.slice::<Groups>(&caller, Start::Offset(offset), wanted.count - sent).await?;
    let total = of_users.total + of_groups.total;
    let mut resources: Vec<Value> = of_users.items.into_iter().map(|hit| users.projected(hit)).collect();
    resources.extend(of_groups.items.into_iter().map(|hit| groups.projected(hit)));
    Ok(reply(StatusCode::OK, &response(total, Some(wanted.offset), resources)))
}

async fn sorted(caller: &Caller, wanted: &Wanted, users: Search, groups: Search) -> Result<Reply, Refusal> {
    fn keyed<R: Listed>(search: &Search, hits: Vec<Hit<R>>) -> Vec<(Option<SortKey>, Value)> {
        hits.into_iter().map(|hit| (search.key(&hit), search.projected(hit))).collect()
    }
    let mut all = keyed(&users, users.evaluated::<Users>(caller).await?);
    all.extend(keyed(&groups, groups.evaluated::<Groups>(caller).await?));
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let passed = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
    let resources = all.into_iter().skip(passed).take(wanted.count as usize).map(|(_, shown)| shown);
    Ok(reply(StatusCode::OK, &response(total, Some(wanted.offset), resources.collect())))
}
