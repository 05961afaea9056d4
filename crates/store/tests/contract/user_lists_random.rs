//! Lists of users against an evaluation that is too simple to be wrong.

use std::collections::{HashMap, HashSet};

use muster_domain::org_unit::{OrgUnit, OrgUnitStatus};
use muster_domain::user::{Role, User, UserFilter, UserOrder, UserSort, UserStatus, UserStore as _};
use muster_domain::user_group::Membership;
use muster_domain::{Change, OrgUnitId, Slice, Timestamp, UserGroupId, UserId, text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World, unit_insert, user_insert};

contract![random_lists_are_those_of_a_simple_evaluation];

/// Few of each, so that there are many ties and many hits; some differ only in case or normal form.
const FIRST: [&str; 7] = ["Ann", "ANN", "Zoë", "ZOË", "Straße", "", "a_b"];
const LAST: [&str; 6] = ["Lee", "lee", "Annan", "100%", "", "O\\Neil"];
const LOGINS: [&str; 5] = ["ann", "Bob", "STRASSE", "x_y", "50%"];
const PARTS: [&str; 14] =
    ["", "ann", "N L", "zoë", "strasse", "STRAß", "_", "%", "\\", "o", "nobody", " ", "1", "a_b"];
const ROLES: [Role; 3] = [Role::Admin, Role::Standard, Role::ReadOnly];
const STATUSES: [UserStatus; 3] = [UserStatus::Active, UserStatus::Inactive, UserStatus::Deleted];
const SORTS: [UserSort; 3] = [UserSort::Created, UserSort::Name, UserSort::Login];
const UNITS: usize = 12;
/// How many of ten users are in each group; the last one is deleted.
const GROUPS: [usize; 5] = [9, 5, 1, 0, 5];

/// What a random list is asked for; a unit is the nth, the last one is unknown.
#[derive(Clone, Debug)]
struct Asked {
    within: Option<usize>,
    group: Option<usize>,
    filter: UserFilter,
    order: UserOrder,
    slice: Slice,
}

fn asked() -> impl Strategy<Value = Asked> {
    let part = || prop::option::weighted(0.3, prop::sample::select(PARTS.map(str::to_owned).to_vec()));
    let filter = (
        part(),
        part(),
        part(),
        prop::option::weighted(0.3, prop::sample::select(ROLES.to_vec())),
        prop::option::weighted(0.5, prop::sample::select(STATUSES.to_vec())),
    )
        .prop_map(|(name, login, search, role, status)| UserFilter {
            name,
            login,
            search,
            role,
            status,
            ..UserFilter::default()
        });
    let order = (prop::sample::select(SORTS.to_vec()), any::<bool>())
        .prop_map(|(by, descending)| UserOrder { by, descending });
    let slice = (prop_oneof![2 => Just(1000), 3 => 0..20_u32], prop_oneof![2 => Just(0), 3 => 0..40_u64])
        .prop_map(|(limit, offset)| Slice { limit, offset });
    let group = prop::option::weighted(0.4, 0..=GROUPS.len());
    (prop::option::of(0..=UNITS), group, filter, order, slice)
        .prop_map(|(within, group, filter, order, slice)| Asked { within, group, filter, order, slice })
}

struct Population {
    units: Vec<OrgUnitId>,
    parents: HashMap<OrgUnitId, Option<OrgUnitId>>,
    users: Vec<User>,
    groups: Vec<UserGroupId>,
    members: HashSet<(UserGroupId, UserId)>,
}

async fn populate<B: Backend>(world: &World<B>, org: &Org, random: &mut StdRng) -> Population {
    let mut units = vec![org.top];
    let mut parents = HashMap::from([(org.top, None)]);
    for n in 1..UNITS {
        let parent = units[random.random_range(0..units.len())];
        let unit = world.unit(org, parent, &format!("unit {n}")).await;
        let status = if random.random_bool(0.3) { OrgUnitStatus::Inactive } else { OrgUnitStatus::Active };
        world.commit(org, vec![unit_insert(&OrgUnit { status, ..unit.clone() })]).await.unwrap();
        parents.insert(unit.id, Some(parent));
        units.push(unit.id);
    }
    let mut users = vec![org.admin.clone()];
    for n in 0..90 {
        let mut pick = |length: usize| random.random_range(0..length);
        let status = STATUSES[pick(3)];
        let login = LOGINS[pick(LOGINS.len())];
        // Logins of deleted users repeat, which is the one tie that there is among logins.
        let login = if status == UserStatus::Deleted { login.to_owned() } else { format!("{login} {n}") };
        let user = User {
            first_name: FIRST[pick(FIRST.len())].to_owned(),
            last_name: LAST[pick(LAST.len())].to_owned(),
            role: ROLES[pick(3)],
            status,
            created_at: Timestamp(START.0 + i64::try_from(pick(5)).unwrap()),
            ..world.user(org, units[pick(UNITS)], &login).await
        };
        world.commit(org, vec![user_insert(&user)]).await.unwrap();
        users.push(user);
    }
    let (groups, members) = group(world, org, &mut users, random).await;
    Population { units, parents, users, groups, members }
}

/// Puts users into groups.
async fn group<B: Backend>(
    world: &World<B>,
    org: &Org,
    users: &mut [User],
    random: &mut StdRng,
) -> (Vec<UserGroupId>, HashSet<(UserGroupId, UserId)>) {
    let (mut groups, mut members) = (Vec::new(), HashSet::new());
    for (n, share) in GROUPS.into_iter().enumerate() {
        let group = world.user_group(org, &format!("group {n}")).await;
        let mut changes = Vec::new();
        for user in users.iter_mut().filter(|user| user.status != UserStatus::Deleted) {
            if random.random_range(0..10) < share {
                let primary = user.user_group_id.is_none() && n + 1 < GROUPS.len();
                let since = Timestamp(START.0 + i64::try_from(n).unwrap());
                changes.push(Change::MembershipInsert(Membership {
                    user: user.id,
                    group: group.id,
                    primary,
                    since,
                }));
                if primary {
                    user.user_group_id = Some(group.id);
                }
                members.insert((group.id, user.id));
            }
        }
        world.commit(org, changes).await.unwrap();
        if n + 1 == GROUPS.len() {
            world.drop_user_group(org, group.id).await.unwrap();
            members.retain(|(of, _)| *of != group.id);
        }
        groups.push(group.id);
    }
    (groups, members)
}

impl Population {
    fn hangs_below(&self, unit: OrgUnitId, root: OrgUnitId) -> bool {
        std::iter::successors(Some(unit), |unit| self.parents[unit]).any(|unit| unit == root)
    }

    fn list(
        &self,
        UserFilter { within, name, login, search, user_group, role, status }: &UserFilter,
        order: UserOrder,
    ) -> Vec<&User> {
        let contains = |text: &str, part: &Option<String>| {
            part.as_ref().is_none_or(|part| text::key(text).contains(&text::key(part)))
        };
        let name_of = |user: &User| format!("{} {}", user.first_name, user.last_name).trim().to_owned();
        let mut users: Vec<&User> = self
            .users
            .iter()
            .filter(|user| within.is_none_or(|root| self.hangs_below(user.org_unit_id, root)))
            .filter(|user| contains(&name_of(user), name) && contains(&user.login, login))
            .filter(|user| contains(&name_of(user), search) || contains(&user.login, search))
            .filter(|user| user_group.is_none_or(|group| self.members.contains(&(group, user.id))))
            .filter(|user| role.is_none_or(|role| user.role == role))
            .filter(|user| status.map_or(user.status != UserStatus::Deleted, |status| user.status == status))
            .collect();
        users.sort_by_key(|user| match order.by {
            UserSort::Created => (user.created_at.0, String::new(), user.id),
            UserSort::Name => (0, text::key(&name_of(user)), user.id),
            UserSort::Login => (0, text::key(&user.login), user.id),
        });
        if order.descending {
            users.reverse();
        }
        users
    }
}

async fn random_lists_are_those_of_a_simple_evaluation<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let mut random = StdRng::seed_from_u64(5);
    populate(&world, &other, &mut random).await;
    let population = populate(&world, &org, &mut random).await;
    let unknown = OrgUnitId(i64::MAX);

    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    let outcome = tokio::task::block_in_place(|| {
        let done = TestRunner::new(config).run(&asked(), |Asked { within, group, filter, order, slice }| {
            let within = within.map(|n| population.units.get(n).copied().unwrap_or(unknown));
            let unknown = UserGroupId(Uuid::from_u128(7));
            let user_group = group.map(|n| population.groups.get(n).copied().unwrap_or(unknown));
            let filter = UserFilter { within, user_group, ..filter };
            let expected = population.list(&filter, order);
            let found = world.store().users(org.tenant, filter, order, slice);
            let found = tokio::runtime::Handle::current().block_on(found).unwrap();
            prop_assert_eq!(found.total, expected.len() as u64);
            let offset = usize::try_from(slice.offset).unwrap().min(expected.len());
            let expected: Vec<&User> =
                expected[offset..].iter().take(slice.limit as usize).copied().collect();
            prop_assert_eq!(found.items.iter().map(|view| &view.user).collect::<Vec<_>>(), expected);
            Ok(())
        });
        done.map_err(|failure| failure.to_string())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
