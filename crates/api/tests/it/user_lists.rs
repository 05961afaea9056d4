//! Lists of users: filters, order, pages, and wrong parameters.

use std::time::Duration;

use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::people::{create, created, delete, patch, plain, with};
use crate::support::{Reply, World};

fn ids(reply: &Reply) -> Vec<i64> {
    let rows = reply.body["data"]["users"].as_array().unwrap_or_else(|| panic!("{reply}"));
    rows.iter().map(|row| row["ct_user_id"].as_i64().unwrap()).collect()
}

/// Acme with Ada (1) and five more users, a minute after each other.
async fn crowd() -> (World, String) {
    let world = World::new().await;
    let token = world.admin().await;
    let crowd = [
        ("zed@acme.example", "Zed", "\u{c5}ngstr\u{f6}m", json!({"ct_user_ou_id": 1001})),
        ("ann@north.example", "ann", "Lee", json!({"ct_user_ou_id": 1002, "role": "Admin"})),
        ("bob@north.example", "Bob", "Stra\u{df}e", json!({"ct_user_ou_id": 1003, "role": "ReadOnly"})),
        ("50%_off@acme.example", "Ann", "Lee", json!({"ct_user_ou_id": 1004, "user_status": "inactive"})),
        ("Cal@acme.example", "Cal\\", "100%_", json!({})),
    ];
    for (login, first_name, last_name, more) in crowd {
        world.advance(Duration::from_mins(1));
        let names = json!({"first_name": first_name, "last_name": last_name});
        created(&world, &token, with(with(plain(login), &names), &more)).await;
    }
    (world, token)
}

/// The ids of a list and its total.
async fn list(world: &World, token: &str, query: &str) -> (Vec<i64>, i64) {
    let reply = world.get(&format!("/v3/users/list?{query}")).bearer(token).send().await;
    let also = world.get(&format!("/v3/users?{query}")).bearer(token).send().await;
    assert_eq!(reply.body["data"], also.body["data"], "both paths are one call");
    (ids(&reply), reply.body["data"]["total"].as_i64().unwrap())
}

#[tokio::test]
async fn a_list_shows_the_newest_first() {
    let (world, token) = crowd().await;
    insta::assert_snapshot!(world.get("/v3/users/list?limit=2").bearer(&token).send().await);
    assert_eq!(list(&world, &token, "").await, (vec![6, 5, 4, 3, 2, 1], 6));
}

#[tokio::test]
async fn a_list_is_of_a_unit_and_all_below() {
    let (world, token) = crowd().await;
    assert_eq!(list(&world, &token, "org_unit_id=1000").await, (vec![6, 5, 4, 3, 2, 1], 6));
    assert_eq!(list(&world, &token, "org_unit_id=1001").await, (vec![4, 3, 2], 3));
    assert_eq!(list(&world, &token, "org_unit_id=1003").await, (vec![4], 1));
    // A whole branch follows its root.
    world.patch("/v3/groups/1001", json!({"org_unit_parent_id": 1004})).bearer(&token).send().await;
    assert_eq!(list(&world, &token, "org_unit_id=1004").await, (vec![5, 4, 3, 2], 4));
}

#[tokio::test]
async fn lists_are_filtered() {
    let (world, token) = crowd().await;
    let wanted: [(&str, &[i64]); 24] = [
        ("name=ann", &[5, 3]),
        ("name=ANN%20LEE", &[5, 3]),
        ("name=nn+l", &[5, 3]),
        ("name=lee", &[5, 3, 1]),
        ("name=STRASSE", &[4]),
        ("name=A%CC%8Angstrom", &[]),
        ("name=a%CC%8Angstro%CC%88m", &[2]),
        ("name=%25", &[6]),
        ("name=%5C%20100", &[6]),
        ("name=_", &[6]),
        ("name=example", &[]),
        ("name=", &[6, 5, 4, 3, 2, 1]),
        ("email=NORTH", &[4, 3]),
        ("email=acme.example", &[6, 5, 2, 1]),
        ("email=0%25_o", &[5]),
        ("email=%25", &[5]),
        ("email=cal%40", &[6]),
        ("role_id=1", &[3, 1]),
        ("role_id=2", &[6, 5, 2]),
        ("role_id=3", &[4]),
        ("user_status=active", &[6, 4, 3, 2, 1]),
        ("user_status=inactive", &[5]),
        ("user_status=deleted", &[]),
        ("name=lee&email=north&role_id=1&user_status=active&org_unit_id=1001&unknown=1", &[3]),
    ];
    for (query, ids) in wanted {
        assert_eq!(list(&world, &token, query).await.0, ids, "{query}");
    }
    for id in [4, 6] {
        assert_eq!(delete(&world, &token, id).await.status, 200);
    }
    assert_eq!(list(&world, &token, "").await, (vec![5, 3, 2, 1], 4));
    assert_eq!(list(&world, &token, "user_status=deleted").await, (vec![6, 4], 2));
    assert_eq!(list(&world, &token, "user_status=deleted&org_unit_id=1001").await, (vec![4], 1));
    assert_eq!(list(&world, &token, "user_status=active").await, (vec![3, 2, 1], 3));
}

#[tokio::test]
async fn lists_are_ordered_as_asked_and_by_id_among_equals() {
    let (world, token) = crowd().await;
    let orders: [(&str, [i64; 6]); 9] = [
        ("sort_by=created_on", [6, 5, 4, 3, 2, 1]),
        ("sort_order=asc", [1, 2, 3, 4, 5, 6]),
        ("sort_by=created_on&sort_order=desc", [6, 5, 4, 3, 2, 1]),
        // Ada Lee, ann Lee, Ann Lee, Bob Straße, Cal\ 100%_, Zed Ångström
        ("sort_by=name&sort_order=asc", [1, 3, 5, 4, 6, 2]),
        ("sort_by=name&sort_order=desc", [2, 6, 4, 5, 3, 1]),
        ("sort_by=name", [2, 6, 4, 5, 3, 1]),
        // 50%_off, ada, ann, bob, Cal, zed
        ("sort_by=email&sort_order=asc", [5, 1, 3, 4, 6, 2]),
        ("sort_by=email&sort_order=desc", [2, 6, 4, 3, 1, 5]),
        ("sort_by=email", [2, 6, 4, 3, 1, 5]),
    ];
    for (query, ids) in orders {
        assert_eq!(list(&world, &token, query).await.0, ids, "{query}");
        // Within a branch too, where the list is another statement.
        let branch: Vec<i64> = ids.into_iter().filter(|id| [2, 3, 4].contains(id)).collect();
        assert_eq!(list(&world, &token, &format!("{query}&org_unit_id=1001")).await.0, branch, "{query}");
    }
    // An order by what changed follows the change.
    assert_eq!(patch(&world, &token, 1, json!({"first_name": "Zz"})).await.status, 200);
    assert_eq!(list(&world, &token, "sort_by=name&limit=1").await.0, [1]);
}

#[tokio::test]
async fn pages_are_complete_and_totals_exact() {
    let world = World::new().await;
    let token = world.admin().await;
    // All made in the same moment: only the id tells them apart.
    for i in 0..204 {
        let unit = json!({"ct_user_ou_id": 1001 + i % 3});
        assert_eq!(
            create(&world, &token, with(plain(&format!("u{i}@acme.example")), &unit)).await.status,
            201
        );
    }
    assert_eq!(list(&world, &token, "").await.0.len(), 100, "the default page");
    let all = list(&world, &token, "limit=200").await;
    assert_eq!((all.0.len(), all.1), (200, 205));
    for sort in ["created_on", "name", "email"] {
        for unit in ["", "&org_unit_id=1001"] {
            let mut seen = Vec::new();
            let mut total = 1;
            while i64::try_from(seen.len()).unwrap() < total {
                let query = format!("sort_by={sort}&limit=30&offset={}{unit}", seen.len());
                let (page, of) = list(&world, &token, &query).await;
                assert!(!page.is_empty(), "{query}");
                seen.extend(page);
                total = of;
            }
            assert_eq!(total, if unit.is_empty() { 205 } else { 204 });
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(i64::try_from(seen.len()).unwrap(), total, "{sort}{unit}");
        }
    }
    assert_eq!(list(&world, &token, "offset=205").await, (vec![], 205));
    assert_eq!(list(&world, &token, "offset=9223372036854775807").await, (vec![], 205));
    assert_eq!(list(&world, &token, "org_unit_id=1002&limit=1").await.1, 68);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    let token = world.admin().await;
    let path = "/v3/users/list?org_unit_id=x&name=%00&role_id=4&user_status=gone&sort_by=age&sort_order=up&limit=0&offset=-1";
    insta::assert_snapshot!(world.get(path).bearer(&token).send().await);
    let long = "x".repeat(256);
    for (query, field) in [
        (format!("name={long}"), "name"),
        (format!("email={long}"), "email"),
        ("role_id=0".to_owned(), "role_id"),
        ("role_id=Admin".to_owned(), "role_id"),
        ("role_id=".to_owned(), "role_id"),
        ("user_status=all".to_owned(), "user_status"),
        ("user_status=Active".to_owned(), "user_status"),
        ("sort_by=user_created".to_owned(), "sort_by"),
        ("sort_order=DESC".to_owned(), "sort_order"),
        ("limit=201".to_owned(), "limit"),
        ("limit=1.5".to_owned(), "limit"),
        ("offset=9223372036854775808".to_owned(), "offset"),
        ("org_unit_id=".to_owned(), "org_unit_id"),
    ] {
        for path in ["/v3/users", "/v3/users/list"] {
            let reply = world.get(&format!("{path}?{query}")).bearer(&token).send().await;
            assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{query}");
        }
    }
}

#[tokio::test]
async fn a_branch_admin_gets_exact_lists_of_its_branch() {
    let (world, _) = crowd().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    // The operator who made the branch admin (7) has the time at which the world began.
    assert_eq!(list(&world, &token, "").await, (vec![4, 3, 2, 7], 4));
    assert_eq!(list(&world, &token, "limit=1&offset=2").await, (vec![2], 4));
    assert_eq!(list(&world, &token, "name=lee").await, (vec![3, 7], 2));
    assert_eq!(list(&world, &token, "org_unit_id=1002").await, (vec![3], 1));
    let other = world.tenant("Other", "olga@other.example").await;
    let mut texts = Vec::<Value>::new();
    for unit in [1000, 1004, other.top().0, 99_999, -1] {
        let reply = world.get(&format!("/v3/users?org_unit_id={unit}")).bearer(&token).send().await;
        assert_eq!(reply.status, 403, "{unit}");
        texts.push(reply.body["error"].clone());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}
