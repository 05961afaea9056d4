//! One user in two dialects: what is done over one is read over the other. Deletions differ by contract. See also
//! `cross_operations` and `cross_sent`.

use muster_domain::user::{Role, User, UserFilter, UserOrder, UserSort, UserStatus, UserStore as _};
use muster_domain::user_group::{MemberWishes, UserGroup};
use muster_domain::{Slice, UserGroupId};
use serde_json::{Value, json};

use crate::cross_operations::left;
use crate::onlive::{Client, USERS, id};
use crate::people::{data, get, patch, provisioned};
use crate::support::World;

/// A world with a client of each dialect, and a user of both.
pub(crate) struct Both<'a> {
    pub(crate) world: &'a World,
    pub(crate) token: String,
    pub(crate) onlive: Client<'a>,
}

impl<'a> Both<'a> {
    pub(crate) async fn of(world: &'a World) -> Self {
        Self { world, token: world.admin().await, onlive: Client::new(world).await }
    }

    /// The user with this login under both ids.
    pub(crate) async fn ids(&self, login: &str) -> (i64, String) {
        let users = all(self.world).await;
        let user = users.iter().find(|user| user.login == login).unwrap();
        (user.id.0, format!("{USERS}/{}", user.uuid))
    }

    /// What both show of the user with this login: names, role, and when it was made and changed.
    pub(crate) async fn reads(&self, login: &str) -> [Value; 2] {
        let (number, path) = self.ids(login).await;
        let convirza = data(self.world, &self.token, number).await;
        let onlive = self.onlive.get(&path).await;
        assert_eq!(onlive.status, 200, "{onlive}");
        let role = match onlive.body["role"].as_str().unwrap() {
            "creator" => "ReadOnly",
            "editor" => "Standard",
            _ => "Admin",
        };
        let times = |value: &Value| value.as_str().unwrap()[..19].to_owned();
        let of = |body: &Value, names: [&str; 4], role: &str| {
            json!([body[names[0]], body[names[1]], body[names[2]], role, times(&body[names[3]])])
        };
        [
            of(
                &convirza,
                ["first_name", "last_name", "username", "user_created"],
                convirza["role"].as_str().unwrap(),
            ),
            of(&onlive.body, ["firstName", "lastName", "email", "createdAt"], role),
        ]
    }
}

/// All users of Acme, deleted ones too.
pub(crate) async fn all(world: &World) -> Vec<User> {
    let order = UserOrder { by: UserSort::Created, descending: false };
    let mut users = Vec::new();
    for status in [None, Some(UserStatus::Deleted)] {
        let filter = UserFilter { status, ..UserFilter::default() };
        let slice = Slice { limit: 100, offset: 0 };
        let page = world.directory().store.users(world.acme.tenant(), filter, order, slice).await.unwrap();
        users.extend(page.items.into_iter().map(|view| view.user));
    }
    users
}

#[tokio::test]
async fn the_last_admin_stays_whoever_asks() {
    let world = World::new().await;
    let both = Both::of(&world).await;
    let (number, path) = both.ids("ada@acme.example").await;
    let before = left(&world).await;
    let refusals = [
        patch(&world, &both.token, number, json!({"role": "Standard"})).await,
        both.onlive.put(&path, json!({"role": "editor"})).await,
        world.delete(&format!("/v3/users/{number}")).bearer(&both.token).send().await,
        both.onlive.delete(&path).await,
    ];
    assert_eq!(refusals.map(|reply| reply.status.as_u16()), [400, 403, 400, 403]);
    assert_eq!(left(&world).await, before);
    // An Admin that one dialect makes counts in the other, once it has a password.
    let made = json!({"email": "eva@acme.example", "firstName": "Eva", "lastName": "Ek", "role": "admin"});
    assert_eq!(both.onlive.post(USERS, made).await.status, 201);
    let (eva, _) = both.ids("eva@acme.example").await;
    assert_eq!(both.onlive.delete(&path).await.status, 403);
    let password = json!({"password": "correct horse battery"});
    assert_eq!(patch(&world, &both.token, eva, password).await.status, 200);
    assert_eq!(both.onlive.delete(&path).await.status, 200);
}

#[tokio::test]
async fn lists_of_both_dialects_have_the_same_users() {
    let world = World::new().await;
    let both = Both::of(&world).await;
    for (at, unit) in [1001, 1002, 1003].into_iter().enumerate() {
        world.user(&format!("u{at}@acme.example"), Role::Standard, unit).await;
        both.onlive.user(&format!("o{at}@acme.example")).await;
    }
    provisioned(&world, "no address", "", "").await;
    let convirza = async |query: &str| {
        let reply = world.get(&format!("/v3/users/list?limit=100{query}")).bearer(&both.token).send().await;
        let users = reply.body["data"]["users"].as_array().unwrap();
        users.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(convirza("").await.len(), 8);
    assert_eq!(both.onlive.all(USERS, "email").await, convirza("").await);
    let searched = both.onlive.all("/api/v1/users?search=o1%40", "email").await;
    assert_eq!(searched, convirza("&email=o1%40").await);
}

#[tokio::test]
async fn a_user_who_is_softly_deleted_is_gone_for_onlive() {
    let world = World::new().await;
    let both = Both::of(&world).await;
    let group = both.onlive.group("Night").await;
    let path = both.onlive.user("ida@acme.example").await;
    both.onlive.put(&path, json!({"userGroupId": id(&group)})).await;
    let (number, _) = both.ids("ida@acme.example").await;
    assert_eq!(world.delete(&format!("/v3/users/{number}")).bearer(&both.token).send().await.status, 200);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(both.onlive.call(method, &path).send().await.status, 404, "{method}");
    }
    let of_group = format!("{USERS}?userGroupId={}", id(&group));
    assert_eq!(both.onlive.get(&of_group).await.body["total"], 0);
    // Convirza still reads it; its address is free for both, and its group has no member.
    assert_eq!(data(&world, &both.token, number).await["user_status"], "deleted");
    let again = both.onlive.user("ida@acme.example").await;
    assert_eq!(both.onlive.delete(&group).await.status, 200);
    // The other way nothing of the person stays.
    let (number, _) = both.ids("ida@acme.example").await;
    assert_eq!(both.onlive.delete(&again).await.status, 200);
    let stone = get(&world, &both.token, number).await;
    assert_eq!((stone.status.as_u16(), &stone.body["data"]["user_status"]), (200, &json!("deleted")));
    assert!(!stone.to_string().contains("ida@"), "{stone}");
}

/// The group of a path, with all that the store has of it.
async fn stored(world: &World, path: &str) -> UserGroup {
    let id = UserGroupId(id(path).parse().unwrap());
    world.directory().user_group_get(&world.acme, id).await.unwrap()
}

/// Lets a user join groups beside its primary one, as SCIM does.
async fn join(world: &World, user: &str, group: &str) {
    let wishes = MemberWishes { join: vec![id(user).parse().unwrap()], leave: Vec::new() };
    let group = stored(world, group).await;
    world.directory().user_group_members_change(&world.acme, group, wishes, None).await.unwrap();
}

#[tokio::test]
async fn of_several_groups_of_a_user_the_primary_one_is_shown() {
    let world = World::new().await;
    let both = Both::of(&world).await;
    let client = &both.onlive;
    let (night, day, dawn) =
        (client.group("Night").await, client.group("Day").await, client.group("Dawn").await);
    let user = client.user("ida@acme.example").await;
    let shown = async || client.get(&user).await.body["userGroupId"].clone();
    for group in [&night, &day, &dawn] {
        join(&world, &user, group).await;
        world.advance(std::time::Duration::from_secs(1));
    }
    assert_eq!(shown().await, id(&night));
    // Whatever Convirza changes leaves them alone.
    let (number, _) = both.ids("ida@acme.example").await;
    let moved = json!({"ct_user_ou_id": 1002, "last_name": "Rossi"});
    assert_eq!(patch(&world, &both.token, number, moved).await.status, 200);
    assert_eq!(shown().await, id(&night));
    // Setting another one leaves the former; the third stays.
    let tag = client.get(&user).await.header("etag").to_owned();
    client.put(&user, json!({"userGroupId": id(&dawn)})).await;
    assert_eq!(shown().await, id(&dawn));
    assert_ne!(client.get(&user).await.header("etag"), tag);
    let sizes = async || {
        [
            stored(&world, &night).await.members,
            stored(&world, &day).await.members,
            stored(&world, &dawn).await.members,
        ]
    };
    assert_eq!(sizes().await, [0, 1, 1]);
    assert_eq!(client.delete(&night).await.status, 200);
    // None leaves the primary one; the oldest of the others takes its place.
    client.put(&user, json!({"userGroupId": null})).await;
    assert_eq!(shown().await, id(&day));
    assert_eq!(client.delete(&day).await.status, 403);
    client.put(&user, json!({"userGroupId": null})).await;
    assert_eq!(shown().await, Value::Null);
    for group in [&day, &dawn] {
        assert_eq!(client.delete(group).await.status, 200);
    }
}

#[tokio::test]
async fn a_group_has_members_of_several_org_units() {
    let world = World::new().await;
    let both = Both::of(&world).await;
    let client = &both.onlive;
    let group = client.group("Night").await;
    let of_group = format!("{USERS}?userGroupId={}", id(&group));
    for (login, unit) in [("a@acme.example", 1000), ("b@acme.example", 1002), ("c@acme.example", 1004)] {
        world.user(login, Role::Standard, unit).await;
        let path = client.path_of(login).await;
        assert_eq!(client.put(&path, json!({"userGroupId": id(&group)})).await.status, 200);
    }
    let members = ["c@acme.example", "b@acme.example", "a@acme.example"];
    assert_eq!(client.all(&of_group, "email").await, members);
    // The branch of Convirza is another matter.
    let branch = world.get("/v3/users/list?org_unit_id=1001").bearer(&both.token).send().await;
    assert_eq!(branch.body["data"]["total"], 1);
    // Neither a move nor an archived unit takes anybody out.
    let (number, _) = both.ids("b@acme.example").await;
    let moved = json!({"ct_user_ou_id": 1004});
    assert_eq!(patch(&world, &both.token, number, moved).await.status, 200);
    assert_eq!(world.delete("/v3/groups/1002").bearer(&both.token).send().await.status, 200);
    assert_eq!(client.all(&of_group, "email").await, members);
    assert_eq!(client.delete(&group).await.status, 403);
}
