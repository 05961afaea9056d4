//! Lists of users: order, filters, subtrees, pages, and what their rows show.

use muster_domain::org_unit::{OrgUnit, OrgUnitStatus};
use muster_domain::user::{Role, User, UserFilter, UserOrder, UserSort, UserStatus, UserStore as _};
use muster_domain::{OrgUnitId, Page, Slice, Timestamp};

use crate::support::{Backend, START};
use crate::world::{Org, World, unit_insert, unit_update, user_insert};

contract![
    users_stand_in_each_order_with_ties_by_id,
    users_are_paged_without_gap_or_overlap,
    deleted_users_are_listed_only_when_asked_for,
    users_are_filtered_by_role,
    a_part_of_a_name_spans_first_and_last_name_without_case,
    a_part_of_a_login_is_found_without_case,
    signs_of_patterns_are_taken_literally,
    filters_hold_together,
    a_subtree_has_the_users_of_all_units_below,
    totals_are_exact_for_every_kind_of_list,
    a_row_shows_the_user_and_its_units,
    a_list_shows_the_tenants_own_users_only,
    an_unknown_unit_has_no_users,
    walks_to_users_end_on_a_cycle,
];

const ALL: Slice = Slice { limit: 1000, offset: 0 };
const BY_CREATED: UserOrder = UserOrder { by: UserSort::Created, descending: false };
const SORTS: [UserSort; 3] = [UserSort::Created, UserSort::Name, UserSort::Login];

async fn list<B: Backend>(world: &World<B>, org: &Org, filter: UserFilter, order: UserOrder) -> Vec<User> {
    let page = world.store().users(org.tenant, filter, order, ALL).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|view| view.user).collect()
}

/// The logins of what a filter leaves, oldest first.
async fn logins<B: Backend>(world: &World<B>, org: &Org, filter: UserFilter) -> Vec<String> {
    list(world, org, filter, BY_CREATED).await.into_iter().map(|user| user.login).collect()
}

fn named(part: &str) -> UserFilter {
    UserFilter { name: Some(part.to_owned()), ..UserFilter::default() }
}

fn called(part: &str) -> UserFilter {
    UserFilter { login: Some(part.to_owned()), ..UserFilter::default() }
}

fn within(unit: OrgUnitId) -> UserFilter {
    UserFilter { within: Some(unit), ..UserFilter::default() }
}

/// Stores users of the top, each one second younger than the one before.
async fn add<B: Backend>(
    world: &World<B>,
    org: &Org,
    logins: &[&str],
    change: impl Fn(usize, &mut User),
) -> Vec<User> {
    let mut users = Vec::new();
    for (n, login) in logins.iter().enumerate() {
        let mut user = world.user(org, org.top, login).await;
        user.created_at = Timestamp(START.0 + 1_000_000 * i64::try_from(n).unwrap() + 1);
        change(n, &mut user);
        users.push(user);
    }
    world.commit(org, users.iter().map(user_insert).collect()).await.unwrap();
    users
}

async fn users_stand_in_each_order_with_ties_by_id<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let names = ["Zoë", "anna", "ANNA", "Öst", "zoë", "", "Bert"];
    let mut users = add(&world, &org, &["c", "Ä", "b", "e", "z", "A", "d"], |n, user| {
        user.org_unit_id = unit;
        names[n].clone_into(&mut user.first_name);
        // Three times, each shared, and none of them in the order of the ids.
        user.created_at = Timestamp(START.0 + 10 - i64::try_from(n % 3).unwrap());
    })
    .await;
    for filter in [within(unit), UserFilter { login: Some(String::new()), ..UserFilter::default() }] {
        if filter.within.is_none() {
            users.push(org.admin.clone());
        }
        for by in SORTS {
            let key = |user: &User| match by {
                UserSort::Created => (user.created_at.0, String::new(), user.id),
                UserSort::Name => (0, user.name_key(), user.id),
                UserSort::Login => (0, user.login_key(), user.id),
            };
            users.sort_by_key(key);
            let order = |descending| UserOrder { by, descending };
            assert_eq!(list(&world, &org, filter.clone(), order(false)).await, users, "{by:?}");
            users.reverse();
            assert_eq!(list(&world, &org, filter.clone(), order(true)).await, users, "{by:?} descending");
        }
    }
}

async fn users_are_paged_without_gap_or_overlap<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    // All as old as each other, so that only the id tells them apart.
    add(&world, &org, &["a", "b", "c", "d", "e", "f"], |_, user| user.created_at = START).await;
    for filter in [UserFilter::default(), within(org.top), called("")] {
        for by in SORTS {
            for descending in [false, true] {
                let order = UserOrder { by, descending };
                let mut seen = Vec::new();
                for (offset, length) in [(0, 3), (3, 3), (6, 1), (7, 0)] {
                    let slice = Slice { limit: 3, offset };
                    let page = world.store().users(org.tenant, filter.clone(), order, slice).await.unwrap();
                    assert_eq!((page.items.len(), page.total), (length, 7), "{order:?}");
                    seen.extend(page.items.into_iter().map(|view| view.user));
                }
                assert_eq!(seen, list(&world, &org, filter.clone(), order).await, "{order:?}");
            }
        }
        for slice in [Slice { limit: 0, offset: 0 }, Slice { limit: u32::MAX, offset: u64::MAX }] {
            let page = world.store().users(org.tenant, filter.clone(), BY_CREATED, slice).await.unwrap();
            assert_eq!((page.items.len(), page.total), (0, 7));
        }
    }
}

async fn deleted_users_are_listed_only_when_asked_for<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    add(&world, &org, &["on", "off", "gone", "gone"], |n, user| {
        user.status = [UserStatus::Active, UserStatus::Inactive, UserStatus::Deleted, UserStatus::Deleted][n];
    })
    .await;
    for by in SORTS {
        for base in [UserFilter::default(), within(org.top), called("")] {
            for (status, mut expected) in [
                (None, vec!["admin@acme", "off", "on"]),
                (Some(UserStatus::Active), vec!["admin@acme", "on"]),
                (Some(UserStatus::Inactive), vec!["off"]),
                (Some(UserStatus::Deleted), vec!["gone", "gone"]),
            ] {
                let filter = UserFilter { status, ..base.clone() };
                for descending in [false, true] {
                    let users = list(&world, &org, filter.clone(), UserOrder { by, descending }).await;
                    let mut found: Vec<&str> = users.iter().map(|user| user.login.as_str()).collect();
                    if by == UserSort::Login {
                        assert_eq!(found, expected, "{status:?}");
                        expected.reverse();
                    } else {
                        found.sort_unstable();
                        assert_eq!(found, expected, "{status:?} by {by:?}");
                    }
                }
            }
        }
    }
}

async fn users_are_filtered_by_role<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let roles = [Role::Standard, Role::ReadOnly, Role::Admin, Role::Standard];
    add(&world, &org, &["a", "b", "c", "d"], |n, user| user.role = roles[n]).await;
    for (role, expected) in [
        (Role::Admin, vec!["admin@acme", "c"]),
        (Role::Standard, vec!["a", "d"]),
        (Role::ReadOnly, vec!["b"]),
    ] {
        for base in [UserFilter::default(), within(org.top)] {
            let filter = UserFilter { role: Some(role), ..base };
            assert_eq!(logins(&world, &org, filter).await, expected);
        }
    }
}

async fn a_part_of_a_name_spans_first_and_last_name_without_case<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let names = [("Ida", "Große"), ("Zoe\u{308}", "O'Neil"), ("", "Solo"), ("Cher", "")];
    add(&world, &org, &["ida", "zoe", "solo", "cher"], |n, user| {
        (user.first_name, user.last_name) = (names[n].0.to_owned(), names[n].1.to_owned());
    })
    .await;
    for (part, expected) in [
        ("IDA GROSSE", vec!["ida"]),
        ("a g", vec!["ida"]),
        ("ßE", vec!["ida"]),
        ("ZOË", vec!["zoe"]),
        ("zoe", vec![]),
        ("o'n", vec!["zoe"]),
        ("o", vec!["zoe", "solo", "ida"]),
        ("ann", vec!["admin@acme"]),
        // The blank joins two names; a single one has none.
        (" ", vec!["admin@acme", "ida", "zoe"]),
        ("", vec!["admin@acme", "ida", "zoe", "solo", "cher"]),
        ("grosse ida", vec![]),
        ("e\u{308}", vec!["zoe"]),
    ] {
        for base in [UserFilter::default(), within(org.top)] {
            let mut found = logins(&world, &org, UserFilter { name: Some(part.to_owned()), ..base }).await;
            let mut expected = expected.clone();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{part}");
        }
    }
}

async fn a_part_of_a_login_is_found_without_case<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    add(&world, &org, &["Jürg@Example.org", "STRASSE@example.org", "ann"], |_, user| {
        // A name is not a login.
        "example".clone_into(&mut user.first_name);
    })
    .await;
    for (part, expected) in [
        ("JÜRG", vec!["Jürg@Example.org"]),
        ("straße", vec!["STRASSE@example.org"]),
        ("@EXAMPLE", vec!["Jürg@Example.org", "STRASSE@example.org"]),
        ("ann", vec!["ann"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(logins(&world, &org, called(part)).await, expected, "{part}");
        let filter = UserFilter { within: Some(org.top), ..called(part) };
        assert_eq!(logins(&world, &org, filter).await, expected, "{part}");
    }
}

async fn signs_of_patterns_are_taken_literally<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all = ["100 %", "100 percent", "a_b", "a\\b", "a\\_b", "axb", "it's \"[x]*?\""];
    add(&world, &org, &all, |n, user| all[n].clone_into(&mut user.last_name)).await;
    for part in ["%", "100 %", "_", "a_b", "\\", "a\\b", "\\_", "\\%", "'", "\"[x]", "*", "?", "%%", "__"] {
        let expected: Vec<&str> = all.into_iter().filter(|text| text.contains(part)).collect();
        assert_eq!(logins(&world, &org, named(part)).await, expected, "{part}");
        assert_eq!(logins(&world, &org, called(part)).await, expected, "{part}");
    }
}

async fn filters_hold_together<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    // Of five conditions user n misses the nth; the last one misses none.
    let all = ["fit 0", "fit 1", "miss 2", "fit 3", "fit 4", "fit 5"];
    add(&world, &org, &all, |n, user| {
        user.org_unit_id = if n == 0 { org.top } else { unit };
        if n == 1 { "Bob" } else { "Ann" }.clone_into(&mut user.first_name);
        user.role = if n == 3 { Role::Standard } else { Role::ReadOnly };
        user.status = if n == 4 { UserStatus::Active } else { UserStatus::Inactive };
    })
    .await;
    let filter = UserFilter {
        within: Some(unit),
        name: Some("ANN".to_owned()),
        login: Some("Fit".to_owned()),
        role: Some(Role::ReadOnly),
        status: Some(UserStatus::Inactive),
        ..UserFilter::default()
    };
    assert_eq!(logins(&world, &org, filter.clone()).await, ["fit 5"]);
    let filter = UserFilter { within: None, ..filter };
    assert_eq!(logins(&world, &org, filter.clone()).await, ["fit 0", "fit 5"]);
    let filter = UserFilter { role: None, ..filter };
    assert_eq!(logins(&world, &org, filter.clone()).await, ["fit 0", "fit 3", "fit 5"]);
    let filter = UserFilter { login: None, ..filter };
    assert_eq!(logins(&world, &org, filter.clone()).await, ["fit 0", "miss 2", "fit 3", "fit 5"]);
}

async fn a_subtree_has_the_users_of_all_units_below<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, 150).await;
    let beside = world.add_unit(&org, org.top, "beside").await.id;
    world.add_user(&org, beside, "beside").await;
    let mut users = Vec::new();
    for (n, unit) in chain.iter().enumerate() {
        users.push(world.user(&org, *unit, &format!("user {n:03}")).await);
    }
    world.commit(&org, users.iter().map(user_insert).collect()).await.unwrap();
    // No archived unit cuts off what hangs below it.
    let between = world.stored_unit(&org, chain[70]).await;
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, version: 2, ..between };
    world.commit(&org, vec![unit_update(&archived)]).await.unwrap();
    for from in [0, 1, 69, 70, 71, 149] {
        for by in SORTS {
            let order = UserOrder { by, descending: false };
            assert_eq!(list(&world, &org, within(chain[from]), order).await, users[from..], "{by:?}");
        }
    }
    assert_eq!(logins(&world, &org, within(beside)).await, ["beside"]);
    assert_eq!(list(&world, &org, within(org.top), BY_CREATED).await.len(), 152);
}

async fn totals_are_exact_for_every_kind_of_list<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all: Vec<String> = (0..12).map(|n| format!("user {n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    add(&world, &org, &all, |n, user| {
        user.status =
            if n < 6 { UserStatus::Active } else { [UserStatus::Inactive, UserStatus::Deleted][n % 2] };
    })
    .await;
    for base in [UserFilter::default(), within(org.top), called("user"), named("")] {
        // The admin bears another login.
        let admins = u64::from(base.login.is_none());
        for (status, total) in [
            (None, 9 + admins),
            (Some(UserStatus::Active), 6 + admins),
            (Some(UserStatus::Inactive), 3),
            (Some(UserStatus::Deleted), 3),
        ] {
            let filter = UserFilter { status, ..base.clone() };
            for slice in [ALL, Slice { limit: 1, offset: 0 }, Slice { limit: 5, offset: 50 }] {
                let page = world.store().users(org.tenant, filter.clone(), BY_CREATED, slice).await.unwrap();
                assert_eq!(page.total, total, "{filter:?} {slice:?}");
            }
        }
    }
}

async fn a_row_shows_the_user_and_its_units<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let north = world.unit(&org, org.top, "North").await;
    let north = OrgUnit { external_id: Some("N".to_owned()), version: 4, ..north };
    world.commit(&org, vec![unit_insert(&north)]).await.unwrap();
    let city = world.add_unit(&org, north.id, "City").await;
    for (unit, login) in [(org.top, "top"), (north.id, "north"), (city.id, "city")] {
        world.add_user(&org, unit, login).await;
    }
    for filter in [UserFilter::default(), within(org.top)] {
        let Page { items, total } = world.store().users(org.tenant, filter, BY_CREATED, ALL).await.unwrap();
        assert_eq!(total, 4);
        for row in items {
            let id = row.user.id;
            assert_eq!(row.top.id, org.top);
            let parent = row.parent.as_ref().map(|unit| (unit.id, unit.version, unit.external_id.as_deref()));
            match row.user.login.as_str() {
                "city" => assert_eq!((row.unit.id, parent), (city.id, Some((north.id, 4, Some("N"))))),
                "north" => assert_eq!((row.unit.id, parent), (north.id, Some((org.top, 1, None)))),
                _ => assert_eq!((row.unit.id, parent), (org.top, None)),
            }
            assert_eq!(world.store().user_view(org.tenant, id).await.unwrap(), Some(row));
        }
    }
}

async fn a_list_shows_the_tenants_own_users_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "North").await.id;
    let own = std::slice::from_ref(&org.admin);
    let stray = world.add_user(&other, other.top, "stray").await.id;
    world.add_user(&other, other.top, "bob").await;
    for by in SORTS {
        for descending in [false, true] {
            let order = UserOrder { by, descending };
            for filter in [UserFilter::default(), called(""), within(org.top)] {
                assert_eq!(list(&world, &org, filter, order).await, own);
            }
            assert_eq!(list(&world, &other, within(org.top), order).await, []);
        }
    }
    // No use case puts a user into another tenant's unit; a fault of ours must not show it there.
    world.backend.tamper(&format!("UPDATE users SET org_unit_id = {unit} WHERE id = {stray}"));
    assert_eq!(list(&world, &org, within(org.top), BY_CREATED).await, own);
}

async fn an_unknown_unit_has_no_users<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for by in SORTS {
        let order = UserOrder { by, descending: false };
        assert_eq!(list(&world, &org, within(OrgUnitId(i64::MAX)), order).await, []);
    }
}

async fn walks_to_users_end_on_a_cycle<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let a = world.add_unit(&org, org.top, "a").await.id;
    let b = world.add_unit(&org, a, "b").await.id;
    let c = world.add_unit(&org, b, "c").await.id;
    for (unit, login) in [(a, "in a"), (b, "in b"), (c, "in c")] {
        world.add_user(&org, unit, login).await;
    }
    // No batch of a use case makes a cycle; a fault of ours must not hang the server all the same.
    world.backend.tamper(&format!("UPDATE org_units SET parent_id = {b} WHERE id = {a}"));
    for root in [a, b] {
        assert_eq!(logins(&world, &org, within(root)).await, ["in a", "in b", "in c"]);
    }
    assert_eq!(logins(&world, &org, within(org.top)).await, ["admin@acme"]);
}
