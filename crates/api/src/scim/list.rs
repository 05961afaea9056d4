//! Lists of resources (RFC 7644, section 3.4.2; cursors: RFC 9865).
//!
//! What the store can select, sort and count, it does. What it cannot is evaluated here on what it finds, which may be so
//! much and no more.

use std::cmp::Ordering;

use muster_domain::predicate::{
    self, Among, Predicate, Selection, Sort as StoreSort, SortColumn, SortKey as StoreKey,
};
use muster_domain::{Error, Page, Timestamp};
use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::cursor::{Cursor, Start, foreign, rank};
use super::failure::Refusal;
use super::filter::{Condition, Lowered, lower, parse};
use super::projection::Projection;
use super::schema::ResourceType;
use super::sort::{Place, Sort, SortKey};
use super::value::length;
use super::wanted::Wanted;
use super::{ScimError, ScimType};

pub(super) const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Comparisons of a filter for which the store has no index, each of which may cost a second where there is very much.
const WALKS: usize = 16;

/// How many resources are evaluated for one request, and how many members of groups.
const EVALUATED: usize = 10_000;
/// How much JSON is kept of what is found among them, in bytes.
const FOUND: usize = 64 * 1024 * 1024;
/// How many members one list shows, taking all its groups together.
const MEMBERS: u64 = 100_000;
/// They are read in steps of so many.
const STEP: u32 = 500;

/// A kind of resource that can be listed.
pub(super) trait Listed {
    const KIND: &'static ResourceType;
    type Id: Copy + Ord + Send + Sync;
    type Row: Clone + Send + Sync;

    /// The rows that a predicate selects.
    async fn select(caller: &Caller, selection: Selection<Self::Id>) -> Result<Page<Self::Row>, Error>;

    /// The rows as they are shown, with their members if these are wanted.
    async fn shown(
        caller: &Caller,
        rows: &[Self::Row],
        members: bool,
    ) -> Result<Vec<Map<String, Value>>, Error>;

    /// What the row is sorted by in a column.
    fn sort_key(row: &Self::Row, by: SortColumn) -> Option<StoreKey>;

    /// When the row was created, and its id.
    fn place(row: &Self::Row) -> (Timestamp, Self::Id);

    /// How many members the row has.
    fn members(row: &Self::Row) -> u64;

    /// An id as it stands in a cursor.
    fn id_text(id: Self::Id) -> String;
    fn id_of(text: &str) -> Option<Self::Id>;
}

/// What a list is asked for, as it is for one kind of resource.
pub(super) struct Search {
    kind: &'static ResourceType,
    condition: Option<Condition>,
    lowered: Lowered,
    sort: Option<Sort>,
    projection: Projection,
}

/// What is found.
pub(super) struct Hit<R: Listed> {
    row: R::Row,
    /// What it is sorted by, or else when it was created.
    value: Place,
    /// As it is shown, perhaps without its members, if it was looked at.
    resource: Option<Map<String, Value>>,
}

impl Search {
    /// A search of one kind of resource.
    pub(super) fn of(kind: &'static ResourceType, wanted: &Wanted) -> Result<Self, ScimError> {
        Self::among(kind, &[kind], wanted)
    }

    /// The part of one kind in a search of several.
    pub(super) fn among(
        kind: &'static ResourceType,
        kinds: &[&'static ResourceType],
        wanted: &Wanted,
    ) -> Result<Self, ScimError> {
        let condition = match &wanted.filter {
            Some(filter) => Some(Condition::of(&parse(filter)?, kind)?),
            None => None,
        };
        let all = || Lowered { predicate: Predicate::ALWAYS, exact: true };
        let lowered = condition.as_ref().map_or_else(all, lower);
        if lowered.predicate.walks() > WALKS {
            let detail = format!("at most {WALKS} comparisons may look at every resource, such as co and ew");
            return Err(ScimError::new(ScimType::TooMany, detail));
        }
        let sort = Sort::read_among(kind, kinds, wanted.sort_by.as_deref(), wanted.sort_order.as_deref())?;
        let projection = wanted.projection(kind)?;
        Ok(Self { kind, condition, lowered, sort, projection })
    }

    /// The order, if the store has it.
    fn store_sort(&self) -> Option<StoreSort> {
        let Some(sort) = &self.sort else {
            return Some(StoreSort::CREATED);
        };
        let by = match (sort.by.attribute.name, sort.by.sub.map(|sub| sub.name)) {
            ("userName", None) => SortColumn::Login,
            ("displayName", None) => SortColumn::DisplayName,
            ("meta", Some("created")) => SortColumn::Created,
            ("meta", Some("lastModified")) => SortColumn::Modified,
            _ => return None,
        };
        sort.by.extension.is_none().then_some(StoreSort { by, descending: sort.descending })
    }

    fn shows_members(&self) -> bool {
        self.projection.has("members")
    }

    /// Whether the filter looks at members.
    fn looks_at_members(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition.names("members"))
    }

    /// A slice of what is selected, and how many there are.
    pub(super) async fn slice<R: Listed>(
        &self,
        caller: &Caller,
        start: Start<R::Id>,
        limit: u32,
    ) -> Result<Page<Hit<R>>, Refusal> {
        let Some(sort) = self.store_sort().filter(|_| self.lowered.exact) else {
            return self.evaluated_slice(caller, start, limit).await;
        };
        let (predicate, start) = (self.lowered.predicate.clone(), start.of_column(sort.by)?);
        let page = R::select(caller, Selection { predicate, sort, start, limit, counts: true }).await?;
        let hit = |row| Hit { value: R::sort_key(&row, sort.by).into(), row, resource: None };
        Ok(Page { items: page.items.into_iter().map(hit).collect(), total: page.total })
    }

    async fn evaluated_slice<R: Listed>(
        &self,
        caller: &Caller,
        start: Start<R::Id>,
        limit: u32,
    ) -> Result<Page<Hit<R>>, Refusal> {
        let mut hits = self.evaluated::<R>(caller).await?;
        let total = u64::try_from(hits.len()).unwrap_or(u64::MAX);
        hits.sort_by_cached_key(|hit| self.key(hit));
        let first = match start {
            Start::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX).min(hits.len()),
            Start::At(value, among) => {
                let place = self.key_of(value);
                hits.partition_point(|hit| match (self.key(hit).cmp(&place), among) {
                    (Ordering::Less, _) | (Ordering::Equal, Among::Last) => true,
                    (Ordering::Greater, _) | (Ordering::Equal, Among::First) => false,
                    (Ordering::Equal, Among::After(at, id)) => R::place(&hit.row) <= (at, id),
                })
            }
        };
        Ok(Page { items: hits.drain(first..).take(limit as usize).collect(), total })
    }

    /// Everything that the filter selects, as it was created.
    pub(super) async fn evaluated<R: Listed>(&self, caller: &Caller) -> Result<Vec<Hit<R>>, Refusal> {
        let too_many =
            || ScimError::new(ScimType::TooMany, "the filter or the order has to look at too many resources");
        let (mut hits, mut seen, mut members, mut bytes) = (Vec::new(), 0, 0, 0);
        let mut start = predicate::Start::Offset(0);
        loop {
            let selection = Selection {
                predicate: self.lowered.predicate.clone(),
                sort: StoreSort::CREATED,
                start,
                limit: STEP,
                counts: false,
            };
            let rows = R::select(caller, selection).await?.items;
            let Some(last) = rows.last() else { break };
            let (at, id) = R::place(last);
            let key = R::sort_key(last, SortColumn::Created);
            start = predicate::Start::At(predicate::Place { key, among: Among::After(at, id) });
            seen += rows.len();
            members += rows.iter().map(R::members).sum::<u64>();
            let of_members = self.looks_at_members();
            if seen > EVALUATED || (of_members && members > EVALUATED as u64) {
                return Err(too_many().into());
            }
            let is_last = rows.len() < STEP as usize;
            let resources = R::shown(caller, &rows, of_members).await?;
            for (row, resource) in rows.into_iter().zip(resources) {
                if self.condition.as_ref().is_none_or(|condition| condition.holds(&resource)) {
                    bytes += resource.values().map(length).sum::<usize>();
                    if bytes > FOUND {
                        return Err(too_many().into());
                    }
                    let created = || Place::Time(R::place(&row).0);
                    let value = self.sort.as_ref().map_or_else(created, |sort| sort.value(&resource));
                    hits.push(Hit { row, value, resource: Some(resource) });
                }
            }
            if is_last {
                break;
            }
        }
        Ok(hits)
    }

    /// What is sent of resources.
    pub(super) async fn shown<R: Listed>(
        &self,
        caller: &Caller,
        hits: Vec<Hit<R>>,
    ) -> Result<Vec<Value>, Refusal> {
        let members: u64 = hits.iter().map(|hit| R::members(&hit.row)).sum();
        if self.shows_members() && members > MEMBERS {
            let detail = "the groups have too many members for one list: use excludedAttributes=members";
            return Err(ScimError::new(ScimType::TooMany, detail).into());
        }
        let lacks_members = self.shows_members() && !self.looks_at_members();
        let (rows, resources): (Vec<_>, Vec<_>) = hits.into_iter().map(|hit| (hit.row, hit.resource)).unzip();
        let looked_at = resources.into_iter().collect::<Option<Vec<_>>>().filter(|_| !lacks_members);
        let resources = match looked_at {
            Some(resources) => resources,
            None => R::shown(caller, &rows, self.shows_members()).await?,
        };
        Ok(resources.into_iter().map(|resource| self.projection.apply(resource).into()).collect())
    }

    /// What a resource is sorted by.
    pub(super) fn key<R: Listed>(&self, hit: &Hit<R>) -> SortKey {
        self.key_of(hit.value.clone())
    }

    fn key_of(&self, value: Place) -> SortKey {
        match self.sort {
            Some(sort) => sort.key_of(value),
            None => SortKey::Ascending(value),
        }
    }

    /// The page that is asked for.
    pub(super) async fn page<R: Listed>(&self, caller: &Caller, wanted: &Wanted) -> Result<Value, Refusal> {
        debug_assert_eq!(self.kind.name, R::KIND.name);
        let Some(cursor) = &wanted.cursor else {
            let page = self.slice::<R>(caller, Start::Offset(wanted.offset), wanted.count).await?;
            return Ok(response(page.total, Some(wanted.offset), self.shown(caller, page.items).await?));
        };
        let start = match Cursor::read(cursor, wanted)? {
            None => Start::Offset(0),
            Some(cursor) if cursor.kind == rank::<R>() => cursor.start::<R>()?,
            Some(_) => return Err(foreign().into()),
        };
        let mut page = self.slice::<R>(caller, start, wanted.count.saturating_add(1)).await?;
        let has_more = page.items.len() > wanted.count as usize;
        page.items.truncate(wanted.count as usize);
        let next = page.items.last().filter(|_| has_more).map(|hit| hit.cursor(wanted));
        let mut body = response(page.total, None, self.shown(caller, page.items).await?);
        point_on(&mut body, next.as_ref());
        Ok(body)
    }
}

impl<R: Listed> Hit<R> {
    /// The place behind it.
    pub(super) fn cursor(&self, wanted: &Wanted) -> Cursor {
        let (created_at, id) = R::place(&self.row);
        let (order, kind, id) = (wanted.order(), rank::<R>(), R::id_text(id));
        Cursor { order, kind, value: self.value.clone(), created_at, id }
    }
}

/// Says in a list where the next page begins, if there is one.
pub(super) fn point_on(list: &mut Value, next: Option<&Cursor>) {
    if let Some(next) = next {
        list["nextCursor"] = next.write().into();
    }
}

/// A list; `offset` is how many resources were passed over, if pages are counted so.
pub(super) fn response(total: u64, offset: Option<u64>, resources: Vec<Value>) -> Value {
    let mut body = json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "itemsPerPage": resources.len(),
    });
    if let Some(offset) = offset {
        body["startIndex"] = offset.saturating_add(1).into();
    }
    body["Resources"] = resources.into();
    body
}
