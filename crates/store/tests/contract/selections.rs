//! What predicates select, against their definition.

use std::cmp::Ordering;

use muster_domain::predicate::{
    Among, Match, Order, Place, Predicate, PredicateRow, Selection, Sort, SortColumn, SortKey, Start,
    TextColumn,
};
use muster_domain::user::{User, UserDocument, UserStatus, UserStore as _};
use muster_domain::user_group::{MemberWishes, UserGroup, UserGroupPatch, UserGroupStore as _};
use muster_domain::{Timestamp, UserId, text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World, user_insert};

contract![
    random_selections_are_those_of_the_definition,
    a_page_after_a_row_goes_on_there,
    every_place_in_every_order_parts_the_rows,
    addresses_follow_the_document
];

/// Few texts, so that there are many hits; some differ only in case, and some mean something to a pattern.
const TEXTS: [&str; 12] = ["", "a", "A", "ab", "Ba", "ss", "Straße", "a%", "a_", "\\", "é", "a@x.org"];
const ORDERS: [Order; 5] =
    [Order::Equal, Order::Greater, Order::GreaterOrEqual, Order::Less, Order::LessOrEqual];
const SORTS: [SortColumn; 4] =
    [SortColumn::Created, SortColumn::Modified, SortColumn::Login, SortColumn::DisplayName];

struct Population {
    users: Vec<User>,
    groups: Vec<(UserGroup, Vec<String>)>,
    ids: Vec<String>,
}

fn maybe(random: &mut StdRng) -> Option<String> {
    let text = TEXTS.choose(random).unwrap();
    (!matches!(*text, "\\" | "é")).then(|| (*text).to_owned())
}

async fn populate<B: Backend>(world: &World<B>, org: &Org, random: &mut StdRng) -> Population {
    let mut users = vec![world.stored_user(&org.admin).await];
    let statuses = [UserStatus::Active, UserStatus::Active, UserStatus::Inactive, UserStatus::Deleted];
    for n in 0..40_u32 {
        let at = |random: &mut StdRng| Timestamp(START.0 + *[0, 1, 2, 3, 1000].choose(random).unwrap());
        let domain = ["", "@x.org"].choose(random).unwrap();
        let login = format!("{}{n}{domain}", TEXTS.choose(random).unwrap().trim_end_matches("@x.org"));
        let emails = (0..n % 4).filter_map(|_| maybe(random)).collect();
        let document = UserDocument {
            display_name: maybe(random),
            emails: (n % 3 > 0).then_some(emails),
            ..UserDocument::default()
        };
        let user = User {
            uuid: Uuid::from_u128(u128::from(n) << 120 | u128::from(n)),
            status: *statuses.choose(random).unwrap(),
            external_id: maybe(random),
            document: (n % 5 > 0).then(|| Box::new(document)),
            created_at: at(random),
            modified_at: at(random),
            ..world.user(org, org.top, &login).await
        };
        world.commit(org, vec![user_insert(&user)]).await.unwrap();
        users.push(user);
    }
    users.retain(|user| user.status != UserStatus::Deleted);
    let mut groups = Vec::new();
    for n in 0..10 {
        let patch = UserGroupPatch {
            name: TEXTS
                .choose(random)
                .filter(|text| !text.is_empty())
                .or(Some(&"g"))
                .map(|text| (*text).to_owned()),
            external_id: maybe(random)
                .map_or(muster_domain::Patch::Keep, |text| muster_domain::Patch::Set(format!("{text}{n}"))),
            ..UserGroupPatch::default()
        };
        let group = world.directory.user_group_create(&org.ctx, patch.into()).await.unwrap();
        let joins: Vec<Uuid> = users.iter().filter(|_| n % 3 > 0).map(|user| user.uuid).take(n * 3).collect();
        let members = joins.iter().map(ToString::to_string).collect();
        let wishes = MemberWishes { join: joins, leave: Vec::new() };
        let group = world.directory.user_group_members_change(&org.ctx, group, wishes, None).await.unwrap();
        groups.push((group, members));
    }
    let mut users: Vec<User> = Vec::from_iter(users);
    for user in &mut users {
        *user = world.stored_user(user).await;
    }
    let mut ids: Vec<String> = users.iter().map(|user| user.uuid.to_string()).collect();
    ids.extend(groups.iter().map(|(group, _)| group.id.to_string()));
    ids.extend(["0".to_owned(), ids[3].to_uppercase(), ids[4][..9].to_owned(), "-".to_owned()]);
    Population { users, groups, ids }
}

fn user_row(user: &User) -> PredicateRow {
    let mut texts =
        vec![(TextColumn::Id, user.uuid.to_string()), (TextColumn::Login, text::key(&user.login))];
    texts.extend(user.external_id.clone().map(|id| (TextColumn::ExternalId, id)));
    let document = user.document.as_deref();
    texts.extend(
        document
            .and_then(|of| of.display_name.as_deref())
            .map(|name| (TextColumn::DisplayName, text::key(name))),
    );
    match document.and_then(|of| of.emails.as_ref()) {
        Some(emails) => texts.extend(emails.iter().map(|email| (TextColumn::Email, text::key(email)))),
        None if user.login.ends_with("x.org") && !user.login.starts_with('@') => {
            texts.push((TextColumn::Email, text::key(&user.login)));
        }
        None => {}
    }
    PredicateRow { texts, active: user.status == UserStatus::Active, modified_at: user.modified_at }
}

fn group_row((group, members): &(UserGroup, Vec<String>)) -> PredicateRow {
    let mut texts =
        vec![(TextColumn::Id, group.id.to_string()), (TextColumn::DisplayName, text::key(&group.name))];
    texts.extend(group.external_id.clone().map(|id| (TextColumn::ExternalId, id)));
    texts.extend(members.iter().map(|id| (TextColumn::Member, id.clone())));
    PredicateRow { texts, active: false, modified_at: group.modified_at }
}

fn predicates(ids: Vec<String>) -> impl Strategy<Value = Predicate> {
    let order = || prop::sample::select(ORDERS.to_vec());
    let how = prop_oneof![
        order().prop_map(Match::Is),
        Just(Match::Contains),
        Just(Match::StartsWith),
        Just(Match::EndsWith)
    ];
    let text = (
        prop::sample::select(vec![
            TextColumn::Login,
            TextColumn::DisplayName,
            TextColumn::ExternalId,
            TextColumn::Email,
        ]),
        how.clone(),
        prop::sample::select(TEXTS.to_vec()),
    )
        .prop_map(|(column, how, with)| {
            let with = if column.is_keyed() { text::key(with) } else { with.to_owned() };
            Predicate::Text(column, how, with)
        });
    let id = (prop::sample::select(vec![TextColumn::Id, TextColumn::Member]), how, prop::sample::select(ids))
        .prop_map(|(column, how, id)| Predicate::Text(column, how, id));
    let present = prop::sample::select(vec![
        TextColumn::Id,
        TextColumn::Login,
        TextColumn::DisplayName,
        TextColumn::ExternalId,
        TextColumn::Email,
        TextColumn::Member,
    ])
    .prop_map(Predicate::Present);
    let modified =
        (order(), 0..5_i64).prop_map(|(order, at)| Predicate::Modified(order, Timestamp(START.0 + at)));
    let leaf = prop_oneof![5 => text, 3 => id, 2 => present, 1 => Just(Predicate::Active), 1 => modified];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            many().prop_map(Predicate::All),
            many().prop_map(Predicate::Any),
            inner.clone().prop_map(|one| Predicate::Not(Box::new(one))),
        ]
    })
}

/// The order of the definition: what has no value comes last, and all is turned round but for what is equal.
fn sorted<T>(rows: &mut [(T, Option<String>, i64)], descending: bool) {
    rows.sort_by(|(_, a, _), (_, b, _)| {
        let ordering = (a.is_none(), a).cmp(&(b.is_none(), b));
        if descending { ordering.reverse() } else { ordering }
    });
}

async fn random_selections_are_those_of_the_definition<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let mut random = StdRng::seed_from_u64(7);
    let of = populate(&world, &org, &mut random).await;
    world.add_user(&other, other.top, "a").await;
    let asked = (
        predicates(of.ids.clone()),
        prop::sample::select(SORTS.to_vec()),
        any::<bool>(),
        prop_oneof![Just(100_u32), 0..9_u32],
        0..9_u64,
    );
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let done = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&asked, |(predicate, by, descending, limit, offset)| {
            let (sort, start) = (Sort { by, descending }, Start::Offset(offset));
            let mut users: Vec<_> = of.users.iter().filter(|user| predicate.holds(&user_row(user))).collect();
            users.sort_by_key(|user| (user.created_at, user.id));
            let key = |user: &User| match by {
                SortColumn::Created => Some(format!("{:020}", user.created_at.0)),
                SortColumn::Modified => Some(format!("{:020}", user.modified_at.0)),
                SortColumn::Login => Some(user.login_key()),
                SortColumn::DisplayName => user.display_name_key(),
            };
            let mut rows: Vec<_> = users.into_iter().map(|user| (user.clone(), key(user), 0)).collect();
            sorted(&mut rows, descending);
            let wanted = Selection { predicate: predicate.clone(), sort, start, limit, counts: true };
            let found = world.store().users_selected(org.tenant, wanted);
            let found = tokio::runtime::Handle::current().block_on(found).unwrap();
            prop_assert_eq!(found.total, rows.len() as u64);
            let skipped = usize::try_from(offset).unwrap();
            let expected: Vec<User> =
                rows.into_iter().map(|(user, ..)| user).skip(skipped).take(limit as usize).collect();
            prop_assert_eq!(found.items, expected);

            let start = Start::Offset(offset);
            let wanted =
                Selection { predicate: predicate.clone(), sort: Sort::CREATED, start, limit, counts: true };
            let groups = world.store().user_groups_selected(org.tenant, wanted);
            let groups = tokio::runtime::Handle::current().block_on(groups).unwrap();
            let mut expected: Vec<&UserGroup> = of
                .groups
                .iter()
                .filter(|row| predicate.holds(&group_row(row)))
                .map(|(group, _)| group)
                .collect();
            expected.sort_by_key(|group| (group.created_at, group.id.0));
            prop_assert_eq!(groups.total, expected.len() as u64);
            let expected: Vec<_> = expected.into_iter().skip(skipped).take(limit as usize).collect();
            prop_assert_eq!(groups.items.iter().collect::<Vec<_>>(), expected);
            Ok(())
        })
    });
    done.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn a_page_after_a_row_goes_on_there<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let of = populate(&world, &org, &mut StdRng::seed_from_u64(8)).await;
    let mut start = Start::Offset(0);
    let mut seen = Vec::new();
    loop {
        let wanted =
            Selection { predicate: Predicate::ALWAYS, sort: Sort::CREATED, start, limit: 3, counts: false };
        let page = world.store().users_selected(org.tenant, wanted).await.unwrap().items;
        let Some(last) = page.last() else { break };
        start = after(last, SortColumn::Created);
        // Whoever goes was seen, and whoever comes does not move the others.
        let gone = User { status: UserStatus::Deleted, version: last.version + 1, ..last.clone() };
        world.commit(&org, vec![crate::world::user_update(last, &gone)]).await.unwrap();
        let new = world.user(&org, org.top, &format!("new {}", seen.len())).await;
        let new = User { created_at: Timestamp(START.0 - 1), ..new };
        world.commit(&org, vec![user_insert(&new)]).await.unwrap();
        seen.extend(page);
    }
    let mut expected = of.users;
    expected.sort_by_key(|user| (user.created_at, user.id));
    assert_eq!(seen, expected);
}

/// The place behind a user.
fn after(user: &User, by: SortColumn) -> Start<UserId> {
    Start::At(Place { key: user.sort_key(by), among: Among::After(user.created_at, user.id) })
}

async fn every_place_in_every_order_parts_the_rows<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut of = populate(&world, &org, &mut StdRng::seed_from_u64(9)).await;
    of.users.sort_by_key(|user| (user.created_at, user.id));
    of.groups.sort_by_key(|(group, _)| (group.created_at, group.id));
    let groups: Vec<UserGroup> = of.groups.into_iter().map(|(group, _)| group).collect();
    let selection = |sort: Sort| Selection {
        predicate: Predicate::ALWAYS,
        sort,
        start: Start::Offset(0),
        limit: 100,
        counts: false,
    };
    for (by, descending) in SORTS.into_iter().flat_map(|by| [(by, false), (by, true)]) {
        let sort = Sort { by, descending };
        // In the order of the definition: by key, no value last, all turned round but for what is equal.
        let rank = |key: Option<SortKey>| (key.is_none(), key);
        let beyond = |key: Option<SortKey>, at: &Option<SortKey>| {
            let ordering = rank(key).cmp(&rank(at.clone()));
            if descending { ordering.reverse() } else { ordering }
        };
        let mut keys: Vec<Option<SortKey>> = of.users.iter().map(|user| user.sort_key(by)).collect();
        keys.push(None);
        keys.dedup();
        for key in &keys {
            let places = [Among::First, Among::Last]
                .into_iter()
                .chain(of.users.iter().step_by(7).map(|user| Among::After(user.created_at, user.id)));
            for among in places {
                let start = Start::At(Place { key: key.clone(), among });
                let found = world.store().users_selected(org.tenant, Selection { start, ..selection(sort) });
                let mut expected: Vec<&User> = of.users.iter().collect();
                expected.retain(|user| match (beyond(user.sort_key(by), key), among) {
                    (Ordering::Greater, _) | (Ordering::Equal, Among::First) => true,
                    (Ordering::Less, _) | (Ordering::Equal, Among::Last) => false,
                    (Ordering::Equal, Among::After(at, id)) => (user.created_at, user.id) > (at, id),
                });
                expected.sort_by(|a, b| beyond(a.sort_key(by), &b.sort_key(by)));
                let found = found.await.unwrap().items;
                assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{sort:?} {key:?} {among:?}");
            }
            // The same keys part the groups, also where these have no value.
            for among in [Among::First, Among::After(groups[4].created_at, groups[4].id), Among::Last] {
                let start = Start::At(Place { key: key.clone(), among });
                let wanted =
                    Selection { predicate: Predicate::ALWAYS, sort, start, limit: 100, counts: false };
                let found = world.store().user_groups_selected(org.tenant, wanted).await.unwrap().items;
                let mut expected: Vec<&UserGroup> = groups.iter().collect();
                expected.retain(|group| match (beyond(group.sort_key(by), key), among) {
                    (Ordering::Greater, _) | (Ordering::Equal, Among::First) => true,
                    (Ordering::Less, _) | (Ordering::Equal, Among::Last) => false,
                    (Ordering::Equal, Among::After(at, id)) => (group.created_at, group.id) > (at, id),
                });
                expected.sort_by(|a, b| beyond(a.sort_key(by), &b.sort_key(by)));
                assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{sort:?} {key:?} {among:?}");
            }
        }
    }
}

async fn addresses_follow_the_document<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let finds = async |email: &str| {
        let predicate = Predicate::Text(TextColumn::Email, Match::Is(Order::Equal), email.to_owned());
        let wanted =
            Selection { predicate, sort: Sort::CREATED, start: Start::Offset(0), limit: 9, counts: true };
        world.store().users_selected(org.tenant, wanted).await.unwrap().total
    };
    let user = world.add_user(&org, org.top, "Ann@x.org").await;
    assert_eq!(finds("ann@x.org").await, 1, "the login stands in");
    let with = |emails: &[&str]| {
        let emails = emails.iter().map(|email| (*email).to_owned()).collect();
        Some(Box::new(UserDocument { emails: Some(emails), ..UserDocument::default() }))
    };
    let user =
        world.change_user(&org, &user, |user| user.document = with(&["B@x.org", "b@x.org", "c"])).await;
    let user = user.unwrap();
    assert_eq!((finds("ann@x.org").await, finds("b@x.org").await, finds("c").await), (0, 1, 1));
    assert_eq!(world.stored_user(&user).await, user);
    let user = world.change_user(&org, &user, |user| user.document = with(&["d"])).await.unwrap();
    assert_eq!((finds("b@x.org").await, finds("c").await, finds("d").await), (0, 0, 1));
    let found = world.directory.user_get(&org.ctx, user.id).await.unwrap();
    world.directory.user_erase(&org.ctx, found, None).await.unwrap();
    assert_eq!(finds("d").await, 0);
    let rows = world.backend.look("SELECT COUNT(*) FROM user_emails");
    assert_eq!(rows, 0, "nothing stays of whoever is erased");
    assert_eq!(world.stored_user(&user).await.document, None);
}
