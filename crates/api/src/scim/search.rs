//! Searches by POST (`/.search`; RFC 7644, section 3.4.3).

use http::StatusCode;
use muster_domain::{Page, UserGroupId, UserId};
use serde_json::Value;

use super::auth::{Caller, enter};
use super::cursor::{Cursor, Start, rank};
use super::failure::{Refusal, answered, reply};
use super::group::Groups;
use super::list::{Hit, Listed, Search, point_on, response};
use super::schema::{GROUPS, USERS};
use super::user::{TYPES, Users};
use super::wanted::Wanted;
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

async fn both(call: &mut Call) -> Result<Reply, Refusal> {
    let (caller, wanted) = asked(call).await?;
    let part = |kind| Search::among(kind, &[&USERS, &GROUPS], &wanted);
    let both = Both { users: part(&USERS)?, groups: part(&GROUPS)?, caller, wanted };
    Ok(reply(StatusCode::OK, &both.page().await?))
}

/// A search of users and groups: sorted together, or else the users first.
struct Both {
    users: Search,
    groups: Search,
    caller: Caller,
    wanted: Wanted,
}

enum Found {
    User(Hit<Users>),
    Group(Hit<Groups>),
}

type Slices = (Page<Hit<Users>>, Page<Hit<Groups>>);

impl Both {
    async fn page(&self) -> Result<Value, Refusal> {
        let (offset, count) = (self.wanted.offset, self.wanted.count);
        let is_sorted = self.wanted.sort_by.is_some();
        let Some(cursor) = &self.wanted.cursor else {
            let (total, found) = if is_sorted {
                self.sorted().await?
            } else {
                self.joined(self.by_kind(offset, count).await?)
            };
            return Ok(response(total, Some(offset), self.shown(found).await?));
        };
        // One more tells whether there are more.
        let cursor = Cursor::read(cursor, &self.wanted)?;
        let one_more = count.saturating_add(1);
        let slices = match cursor {
            Some(cursor) if is_sorted => self.sorted_after(cursor, one_more).await?,
            Some(cursor) => self.by_kind_after(cursor, one_more).await?,
            None if is_sorted => self.slices(Start::Offset(0), Start::Offset(0), one_more).await?,
            None => self.by_kind(0, one_more).await?,
        };
        let (total, mut found) = self.joined(slices);
        let has_more = found.len() > count as usize;
        found.truncate(count as usize);
        let next = found.last().filter(|_| has_more).map(|found| match found {
            Found::User(hit) => hit.cursor(&self.wanted),
            Found::Group(hit) => hit.cursor(&self.wanted),
        });
        let mut body = response(total, None, self.shown(found).await?);
        point_on(&mut body, next.as_ref());
        Ok(body)
    }

    /// So many of each kind.
    async fn slices(
        &self,
        users: Start<UserId>,
        groups: Start<UserGroupId>,
        limit: u32,
    ) -> Result<Slices, Refusal> {
        let users = self.users.slice::<Users>(&self.caller, users, limit).await?;
        let groups = self.groups.slice::<Groups>(&self.caller, groups, limit).await?;
        Ok((users, groups))
    }

    async fn sorted_after(&self, cursor: Cursor, limit: u32) -> Result<Slices, Refusal> {
        self.slices(cursor.clone().start::<Users>()?, cursor.start::<Groups>()?, limit).await
    }

    /// The users after so many, and then as many groups as are missing.
    async fn by_kind(&self, offset: u64, limit: u32) -> Result<Slices, Refusal> {
        let users = self.users.slice::<Users>(&self.caller, Start::Offset(offset), limit).await?;
        let start = Start::Offset(offset.saturating_sub(users.total));
        self.then_groups(users, start, limit).await
    }

    async fn by_kind_after(&self, cursor: Cursor, limit: u32) -> Result<Slices, Refusal> {
        if cursor.kind == rank::<Users>() {
            let users = self.users.slice::<Users>(&self.caller, cursor.start::<Users>()?, limit).await?;
            return self.then_groups(users, Start::Offset(0), limit).await;
        }
        // They were sent, and count.
        let users = self.users.slice::<Users>(&self.caller, Start::Offset(0), 0).await?;
        self.then_groups(users, cursor.start::<Groups>()?, limit).await
    }

    async fn then_groups(
        &self,
        users: Page<Hit<Users>>,
        start: Start<UserGroupId>,
        limit: u32,
    ) -> Result<Slices, Refusal> {
        let left = limit - u32::try_from(users.items.len()).unwrap_or(limit).min(limit);
        let groups = self.groups.slice::<Groups>(&self.caller, start, left).await?;
        Ok((users, groups))
    }

    /// How many there are, and those found in their order: of the same place the users first.
    fn joined(&self, (users, groups): Slices) -> (u64, Vec<Found>) {
        let total = users.total + groups.total;
        let mut found: Vec<Found> = users.items.into_iter().map(Found::User).collect();
        found.extend(groups.items.into_iter().map(Found::Group));
        if self.wanted.sort_by.is_some() {
            found.sort_by_cached_key(|found| match found {
                Found::User(hit) => self.users.key(hit),
                Found::Group(hit) => self.groups.key(hit),
            });
        }
        (total, found)
    }

    /// All of them in their order, of which a page is counted off.
    async fn sorted(&self) -> Result<(u64, Vec<Found>), Refusal> {
        fn all<R: Listed>(items: Vec<Hit<R>>) -> Page<Hit<R>> {
            Page { total: u64::try_from(items.len()).unwrap_or(u64::MAX), items }
        }
        let users = all(self.users.evaluated::<Users>(&self.caller).await?);
        let groups = all(self.groups.evaluated::<Groups>(&self.caller).await?);
        let (total, found) = self.joined((users, groups));
        let passed = usize::try_from(self.wanted.offset).unwrap_or(usize::MAX);
        Ok((total, found.into_iter().skip(passed).take(self.wanted.count as usize).collect()))
    }

    /// What is sent, in the same order.
    async fn shown(&self, found: Vec<Found>) -> Result<Vec<Value>, Refusal> {
        let (mut users, mut groups, mut are_users) = (Vec::new(), Vec::new(), Vec::new());
        for found in found {
            are_users.push(matches!(found, Found::User(_)));
            match found {
                Found::User(hit) => users.push(hit),
                Found::Group(hit) => groups.push(hit),
            }
        }
        let mut users = self.users.shown(&self.caller, users).await?.into_iter();
        let mut groups = self.groups.shown(&self.caller, groups).await?.into_iter();
        Ok(are_users
            .into_iter()
            .filter_map(|is_user| if is_user { users.next() } else { groups.next() })
            .collect())
    }
}
