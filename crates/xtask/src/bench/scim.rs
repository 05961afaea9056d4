//! The rows of the SCIM dialect, on the tenant of the members of user groups.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Caller;
use super::client::Connection;
use super::rows::RowKind;
use super::template::{Numbers, Template};
use super::user_groups;
use super::world::World;

/// The resources of a page.
const PAGE: usize = 100;
/// So many pages come before the one of the cursor, each as long as pages can be.
const PAGES_BEFORE: usize = 50;

pub(super) fn title(row: RowKind, world: &World) -> String {
    let users = world.user_groups.all_users();
    let page = |of: &str, query: &str| format!("{of} {users} users, SCIM `GET /Users?count={PAGE}{query}`");
    let member = |members: usize| format!("one member of {members} out and in, SCIM `PATCH /Groups/{{id}}`");
    match row {
        RowKind::ScimByName => format!("one of {users} users, SCIM `GET /Users?filter=userName eq …`"),
        RowKind::ScimActive => page("first of", "&filter=active eq true"),
        RowKind::ScimSorted => page("first of", "&sortBy=userName"),
        RowKind::ScimCursor => page("later ones of", "&cursor=…"),
        RowKind::ScimMiddle => page("from the middle of", "&startIndex=…"),
        RowKind::ScimGroup => {
            let members = world.sizes.members;
            format!("group of {members}, SCIM `GET /Groups/{{id}}?excludedAttributes=members`")
        }
        RowKind::ScimMember => member(user_groups::FEW),
        RowKind::ScimMemberGreat => member(world.sizes.members),
        _ => page("first of", ""),
    }
}

pub(super) fn requests(row: RowKind, world: &World, cursor: &str) -> Vec<Template> {
    let groups = &world.user_groups;
    let caller = groups.scim();
    let get = |path: &str| vec![Template::get(&format!("/scim/v2/{path}"), &caller)];
    let page = |query: &str| get(&format!("Users?count={PAGE}{query}"));
    match row {
        RowKind::ScimByName => get("Users?filter=userName%20eq%20%22member{number}@bench.example%22"),
        RowKind::ScimActive => page("&filter=active%20eq%20true"),
        RowKind::ScimSorted => page("&sortBy=userName"),
        RowKind::ScimCursor => page(&format!("&cursor={cursor}")),
        RowKind::ScimMiddle => page(&format!("&startIndex={}", groups.all_users() / 2)),
        RowKind::ScimGroup => get(&format!("Groups/{}?excludedAttributes=members", groups.great_group())),
        RowKind::ScimMember => out_and_in(&groups.small_members().collect::<Vec<_>>(), &caller),
        RowKind::ScimMemberGreat => out_and_in(&groups.great_members().collect::<Vec<_>>(), &caller),
        _ => page(""),
    }
}

/// Members leave their groups, then come back.
fn out_and_in(members: &[(Uuid, Uuid)], caller: &Caller) -> Vec<Template> {
    let patch = |group: Uuid, operation: Value| {
        let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
        let body = json!({ "schemas": [schema], "Operations": [operation] }).to_string();
        Template::write("PATCH", &format!("/scim/v2/Groups/{group}"), caller, &body)
    };
    let out = members.iter().map(|(group, user)| {
        patch(*group, json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }))
    });
    let back = members.iter().map(|(group, user)| {
        patch(*group, json!({ "op": "add", "path": "members", "value": [{ "value": user }] }))
    });
    out.chain(back).collect()
}

/// Where a page begins that comes after [`PAGES_BEFORE`] others, or after as many as there are.
pub(super) async fn cursor(address: SocketAddr, caller: &Caller) -> anyhow::Result<String> {
    let mut connection = Connection::open(address).await?;
    let (mut cursor, mut request) = (String::new(), Vec::new());
    for _ in 0..PAGES_BEFORE {
        let path = format!("/scim/v2/Users?attributes=id&count={}&cursor={cursor}", 2 * PAGE);
        Template::get(&path, caller).render(Numbers { id: 0, number: 0, counter: 0 }, &mut request);
        let answer = connection.call(&request).await.context("a page of users")?;
        let page: Value = serde_json::from_slice(answer.body)?;
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    Ok(cursor)
}

/// How many resources a list says are selected.
pub(super) fn total(list: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"totalResults\":";
    let at = list.windows(NAME.len()).rposition(|window| window == NAME)? + NAME.len();
    let digits = list[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let digit = |total: u64, byte: &u8| total.checked_mul(10)?.checked_add(u64::from(byte - b'0'));
    digits.into_iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_tells_how_many_are_selected() {
        assert_eq!(total(br#"{"Resources":[],"itemsPerPage":0,"totalResults":2002001}"#), Some(2_002_001));
        assert_eq!(total(b"{}"), None);
    }
}
