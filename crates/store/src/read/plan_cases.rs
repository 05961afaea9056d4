//! Written statements whose plans are looked at, with the index that each has to go by, on either store.

use muster_domain::message::{
    BlockField, BulkField, ConversationFilter, ConversationQuery, ConversationSearch, Filter, IncomingField,
    ListQuery, MessageField, Sweep, Test,
};
use muster_domain::predicate::{
    Among, Match, Order, Place, Predicate, Selection, Sort, SortColumn, SortKey, Start, TextColumn,
};
use muster_domain::{MessageId, Slice, TenantId, Timestamp, UserGroupId, UserId};
use uuid::Uuid;

use super::Written;
use super::conversation::Asked;
use super::listed::{BLOCKS, BULKS, INCOMINGS, Listed, MESSAGES, sweep};
use super::selection::{GROUPS, Id, Table, USERS, groups_of_users};

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) written: Written,
    /// An index, or several.
    pub(crate) by: Vec<&'static str>,
}

const TENANT: TenantId = TenantId(1);
const PAGE: u32 = 10;

fn page<I>(predicate: Predicate, by: SortColumn) -> Selection<I> {
    let sort = Sort { by, descending: false };
    Selection { predicate, sort, start: Start::Offset(0), limit: PAGE, counts: true }
}

fn text(column: TextColumn, how: Match, with: &str) -> Predicate {
    Predicate::Text(column, how, with.to_owned())
}

/// What is looked up, and by which index.
fn looked_up(is_of_users: bool) -> Vec<(Predicate, Vec<&'static str>)> {
    const EQUAL: Match = Match::Is(Order::Equal);
    let id = Uuid::from_u128(7).to_string();
    let after = || Predicate::Modified(Order::Greater, Timestamp(1 << 60));
    let login = |with: &str| text(TextColumn::Login, EQUAL, with);
    if !is_of_users {
        return vec![
            (text(TextColumn::Id, EQUAL, &id), vec!["user_groups_pkey"]),
            (text(TextColumn::DisplayName, EQUAL, "x"), vec!["user_groups_name"]),
            (text(TextColumn::DisplayName, Match::StartsWith, "x"), vec!["user_groups_name"]),
            (text(TextColumn::ExternalId, EQUAL, "x"), vec!["user_groups_external_id"]),
            (text(TextColumn::Member, EQUAL, &id), vec!["users_uuid", "user_group_members_user"]),
            (after(), vec!["user_groups_modified"]),
        ];
    }
    vec![
        (text(TextColumn::Id, EQUAL, &id), vec!["users_uuid"]),
        (login("x"), vec!["users_login"]),
        (text(TextColumn::Login, Match::StartsWith, "x"), vec!["users_login"]),
        (text(TextColumn::DisplayName, EQUAL, "x"), vec!["users_display_name"]),
        (text(TextColumn::ExternalId, EQUAL, "x"), vec!["users_external_id"]),
        (text(TextColumn::Email, EQUAL, "x"), vec!["user_emails_pkey", "users_login"]),
        (text(TextColumn::Email, Match::StartsWith, "x"), vec!["user_emails_pkey", "users_login"]),
        (after(), vec!["users_modified"]),
        (login("x").and(Predicate::Active), vec!["users_login"]),
        (
            Predicate::any([login("x"), text(TextColumn::ExternalId, EQUAL, "y")]),
            vec!["users_login", "users_external_id"],
        ),
        (Predicate::any([login("x"), login("y")]).and(after().negated()), vec!["users_login"]),
    ]
}

fn cases_of<I: Id>(table: &Table, name: &str, is_of_users: bool, cases: &mut Vec<Case>) {
    for (predicate, by) in looked_up(is_of_users) {
        let name = format!("{name}, {predicate:?}");
        let count = table.count(TENANT, &predicate);
        let written = table.page(TENANT, &page::<I>(predicate, SortColumn::Created));
        cases.push(Case { name: format!("count of {name}"), written: count, by: by.clone() });
        cases.push(Case { name, written, by });
    }
}

/// Of what is looked up: as much as is asked for is read, whatever a tenant has.
pub(crate) fn lookups() -> Vec<Case> {
    let mut cases = Vec::new();
    cases_of::<UserId>(&USERS, "users", true, &mut cases);
    cases_of::<UserGroupId>(&GROUPS, "groups", false, &mut cases);
    cases.push(Case {
        name: "groups of users".to_owned(),
        written: groups_of_users(TENANT, &[UserId(10_000), UserId(10_001)]),
        by: vec!["user_group_members_user"],
    });
    cases.extend(filtered());
    cases.extend(ConversationFilter::ALL.map(|filter| {
        let [_, count] = of_conversations(filter, None);
        count
    }));
    cases
}

fn query<F>(filter: Filter<F>, by: F) -> ListQuery<F> {
    ListQuery { filter, by, is_descending: true, slice: Slice { limit: PAGE, offset: 0 } }
}

/// What lists with filters look up.
fn filtered() -> Vec<Case> {
    fn of<F: Copy + std::fmt::Debug>(
        table: &Listed<F>,
        test: Vec<Test<F>>,
        by: F,
        index: &'static str,
    ) -> [Case; 2] {
        let name = format!("{test:?}");
        let query = query(Filter { all: vec![test] }, by);
        let count = table.count(TENANT, None, &query.filter);
        [
            Case { name: format!("count of {name}"), written: count, by: vec![index] },
            Case { name, written: table.page(TENANT, None, &query), by: vec![index] },
        ]
    }
    let created = MessageField::CreatedAt;
    let ids = |field| (1..4).map(|id| Test::Id(field, Uuid::from_u128(id))).collect();
    let (reference, since) =
        (Test::Text(MessageField::CallbackData, "c7".to_owned()), Test::Number(created, 1 << 60, i64::MAX));
    let mut cases: Vec<Case> = [
        of(&MESSAGES, ids(MessageField::Id), created, "messages_pkey"),
        of(&MESSAGES, vec![Test::Id(MessageField::Bulk, Uuid::nil())], created, "messages_bulk"),
        of(&MESSAGES, vec![reference], created, "messages_callback"),
        of(&MESSAGES, vec![since], created, "messages_created"),
        of(
            &INCOMINGS,
            vec![Test::Id(IncomingField::Answers, Uuid::nil())],
            IncomingField::ReceivedAt,
            "incomings_answers",
        ),
        of(
            &BLOCKS,
            vec![Test::Text(BlockField::Number, "+4".to_owned())],
            BlockField::AddedAt,
            "blocked_numbers_number",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let text = || Test::Contains(MessageField::Text, "x".to_owned());
    for (which, test, index) in [
        (Sweep::All, text(), "messages_created"),
        (Sweep::All, Test::Id(MessageField::Bulk, Uuid::from_u128(7)), "messages_bulk"),
        (Sweep::All, Test::Text(MessageField::CallbackData, "x".to_owned()), "messages_callback"),
        (Sweep::Waiting, text(), "message_queue_pkey"),
    ] {
        let name = format!("{which:?} of {test:?}");
        let all = Filter::of(test).and(vec![Test::Number(created, i64::MIN, 9)]);
        let written =
            sweep(TENANT, which, &all, (Timestamp(5), MessageId(Uuid::from_u128(u128::MAX - 9))), PAGE);
        cases.push(Case { name, written, by: vec![index] });
    }
    cases
}

/// Statements on conversations, which go by the time of the last message, whatever else is asked for.
fn of_conversations(filter: ConversationFilter, search: Option<ConversationSearch>) -> [Case; 2] {
    let query = ConversationQuery {
        filter,
        search,
        since: Some(Timestamp(20_000)),
        until: None,
        is_descending: true,
        slice: Slice { limit: PAGE, offset: 0 },
    };
    let caller = Some(UserId(10_001));
    let asked = Asked { tenant: TENANT, caller, now: Timestamp(1), query: &query };
    let is_closed = filter == ConversationFilter::Closed;
    let by = vec![if is_closed { "conversations_closed" } else { "conversations_open" }];
    [("page", asked.page()), ("count", asked.count())].map(|(what, written)| Case {
        name: format!("{what} of conversations, {filter:?}"),
        written,
        by: by.clone(),
    })
}

/// Of lists, which are read in the order of an index until the page is full.
pub(crate) fn lists() -> Vec<Case> {
    let users = [
        (SortColumn::Created, "users_created"),
        (SortColumn::Login, "users_login"),
        (SortColumn::DisplayName, "users_display_name"),
        (SortColumn::Modified, "users_modified"),
    ];
    let groups = [
        (SortColumn::Created, "user_groups_created"),
        (SortColumn::DisplayName, "user_groups_name"),
        (SortColumn::Modified, "user_groups_modified"),
    ];
    let mut cases = Vec::new();
    for (predicate, what) in [(Predicate::ALWAYS, "all"), (Predicate::Active, "active")] {
        for (by, index) in users {
            let written = USERS.page(TENANT, &page::<UserId>(predicate.clone(), by));
            cases.push(Case { name: format!("{what} users by {by:?}"), written, by: vec![index] });
        }
    }
    for (by, index) in groups {
        let written = GROUPS.page(TENANT, &page::<UserGroupId>(Predicate::ALWAYS, by));
        cases.push(Case { name: format!("groups by {by:?}"), written, by: vec![index] });
    }
    // Whoever goes on from a place begins there.
    let place =
        Place { key: Some(SortKey::Time(Timestamp(5))), among: Among::After(Timestamp(5), UserId(6)) };
    for (by, index) in
        users.into_iter().filter(|(by, _)| matches!(by, SortColumn::Created | SortColumn::Modified))
    {
        let after = Selection { start: Start::At(place.clone()), ..page(Predicate::ALWAYS, by) };
        let written = USERS.page(TENANT, &after);
        cases.push(Case { name: format!("users after one by {by:?}"), written, by: vec![index] });
    }
    for (by, index) in
        [(MessageField::CreatedAt, "messages_created"), (MessageField::HandedOverAt, "messages_handed_over")]
    {
        let written = MESSAGES.page(TENANT, None, &query(Filter::default(), by));
        cases.push(Case { name: format!("messages by {by:?}"), written, by: vec![index] });
    }
    let written = INCOMINGS.page(TENANT, None, &query(Filter::default(), IncomingField::ReceivedAt));
    cases.push(Case { name: "incoming messages".to_owned(), written, by: vec!["incomings_received"] });
    let written = BLOCKS.page(TENANT, None, &query(Filter::default(), BlockField::AddedAt));
    cases.push(Case { name: "blocked numbers".to_owned(), written, by: vec!["blocked_numbers_added"] });
    let written = BULKS.page(TENANT, None, &query(Filter::default(), BulkField::CreatedAt));
    cases.push(Case { name: "bulks".to_owned(), written, by: vec!["bulks_created"] });
    for filter in [ConversationFilter::AllOpen, ConversationFilter::Unassigned, ConversationFilter::Closed] {
        cases.extend(of_conversations(filter, None).into_iter().take(1));
    }
    let search = ConversationSearch::read("555").ok();
    cases.extend(of_conversations(ConversationFilter::AllOpen, search).into_iter().take(1));
    let inactive = Predicate::Active.negated();
    cases.push(Case {
        name: "inactive users".to_owned(),
        written: USERS.page(TENANT, &page::<UserId>(inactive, SortColumn::Created)),
        by: vec!["users_inactive"],
    });
    cases
}

/// Every two of many predicates, joined in each way: whether a store understands them at all.
pub(crate) fn joined() -> Vec<Written> {
    fn of<I: Id>(table: &Table, is_of_users: bool, all: &mut Vec<Written>) {
        let mut parts: Vec<Predicate> = looked_up(is_of_users).into_iter().map(|(part, _)| part).collect();
        let columns = [
            TextColumn::Id,
            TextColumn::DisplayName,
            TextColumn::ExternalId,
            TextColumn::Email,
            TextColumn::Member,
        ];
        parts.extend(columns.map(|column| text(column, Match::Contains, "x")));
        parts.extend(columns.map(Predicate::Present));
        parts.push(Predicate::Active);
        parts.extend(parts.clone().into_iter().map(Predicate::negated));
        for one in &parts {
            for other in &parts {
                let both = [
                    Predicate::all([one.clone(), other.clone()]),
                    Predicate::any([one.clone(), other.clone()]),
                ];
                for predicate in both {
                    all.push(table.count(TENANT, &predicate));
                    all.push(table.page(TENANT, &page::<I>(predicate, SortColumn::Created)));
                }
            }
        }
    }
    let mut all = Vec::new();
    of::<UserId>(&USERS, true, &mut all);
    of::<UserGroupId>(&GROUPS, false, &mut all);
    all
}
