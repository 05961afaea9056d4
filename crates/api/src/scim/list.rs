//! Lists of resources (RFC 7644, section 3.4.2; cursors: RFC 9865).
//!
//! What the store can select, sort and count, it does. What it cannot is evaluated here on what it finds, which may be so
//! much and no more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_domain::predicate::{Predicate, Selection, Sort as StoreSort, SortColumn, Start};
use muster_domain::{Error, Page, Timestamp};
use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::failure::Refusal;
use super::filter::{Condition, Lowered, lower, parse};
use super::projection::Projection;
use super::schema::ResourceType;
use super::sort::Sort;
use super::wanted::Wanted;
use super::{ScimError, ScimType};

pub(super) const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// How many resources are evaluated for one request, and how many members of groups.
const EVALUATED: usize = 10_000;
/// They are read in steps of so many.
const STEP: u32 = 500;

/// A kind of resource that can be listed.
pub(super) trait Listed {
    const KIND: &'static ResourceType;
    type Id: Copy + Send + Sync;
    type Row: Clone + Send + Sync;

    /// The rows that a predicate selects.
    async fn select(caller: &Caller, selection: Selection<Self::Id>) -> Result<Page<Self::Row>, Error>;

    /// The rows as they are shown, with their members if these are wanted.
    async fn shown(
        caller: &Caller,
        rows: Vec<Self::Row>,
        members: bool,
    ) -> Result<Vec<Map<String, Value>>, Error>;

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
    pub(super) sort: Option<Sort>,
    projection: Projection,
}

/// A resource with what it is sorted by.
pub(super) struct Hit<R: Listed> {
    row: R::Row,
    resource: Map<String, Value>,
}

impl Search {
    pub(super) fn of(kind: &'static ResourceType, wanted: &Wanted) -> Result<Self, ScimError> {
        let condition = match &wanted.filter {
            Some(filter) => Some(Condition::of(&parse(filter)?, kind)?),
            None => None,
        };
        let all = || Lowered { predicate: Predicate::ALWAYS, exact: true };
        let lowered = condition.as_ref().map_or_else(all, lower);
        let sort = Sort::read(kind, wanted.sort_by.as_deref(), wanted.sort_order.as_deref())?;
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

    /// Whether the filter or the order looks at members.
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
        let predicate = self.lowered.predicate.clone();
        let page = R::select(caller, Selection { predicate, sort, start, limit, counts: true }).await?;
        let hits = self.hits(caller, page.items, self.shows_members()).await?;
        Ok(Page { items: hits, total: page.total })
    }

    async fn hits<R: Listed>(
        &self,
        caller: &Caller,
        rows: Vec<R::Row>,
        members: bool,
    ) -> Result<Vec<Hit<R>>, Error> {
        let resources = R::shown(caller, rows.clone(), members).await?;
        Ok(rows.into_iter().zip(resources).map(|(row, resource)| Hit { row, resource }).collect())
    }

    async fn evaluated_slice<R: Listed>(
        &self,
        caller: &Caller,
        start: Start<R::Id>,
        limit: u32,
    ) -> Result<Page<Hit<R>>, Refusal> {
        let mut hits = self.evaluated::<R>(caller).await?;
        let total = u64::try_from(hits.len()).unwrap_or(u64::MAX);
        if let Some(sort) = &self.sort {
            hits.sort_by_cached_key(|hit| sort.key(&hit.resource));
        }
        let first = match start {
            Start::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX).min(hits.len()),
            Start::After(at, id) => {
                let after = (at, R::id_text(id));
                let place = |hit: &Hit<R>| R::place(&hit.row);
                hits.iter()
                    .position(|hit| (place(hit).0, R::id_text(place(hit).1)) == after)
                    .map_or_else(|| hits.partition_point(|hit| place(hit).0 <= at), |found| found + 1)
            }
        };
        let mut items: Vec<Hit<R>> = hits.drain(first..).take(limit as usize).collect();
        if self.shows_members() && !self.looks_at_members() {
            items = self.hits(caller, items.into_iter().map(|hit| hit.row).collect(), true).await?;
        }
        Ok(Page { items, total })
    }

    /// Everything that the filter selects, as it was created.
    pub(super) async fn evaluated<R: Listed>(&self, caller: &Caller) -> Result<Vec<Hit<R>>, Refusal> {
        let too_many =
            || ScimError::new(ScimType::TooMany, "the filter or the order has to look at too many resources");
        let (mut hits, mut seen, mut members) = (Vec::new(), 0, 0);
        let mut start = Start::Offset(0);
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
            start = Start::After(at, id);
            seen += rows.len();
            members += rows.iter().map(R::members).sum::<u64>();
            let of_members = self.looks_at_members();
            if seen > EVALUATED || (of_members && members > EVALUATED as u64) {
                return Err(too_many().into());
            }
            let is_last = rows.len() < STEP as usize;
            let found = self.hits::<R>(caller, rows, of_members).await?;
            let fits =
                |hit: &Hit<R>| self.condition.as_ref().is_none_or(|condition| condition.holds(&hit.resource));
            hits.extend(found.into_iter().filter(fits));
            if is_last {
                break;
            }
        }
        Ok(hits)
    }

    /// What is sent of a resource.
    pub(super) fn projected<R: Listed>(&self, hit: Hit<R>) -> Value {
        self.projection.apply(hit.resource).into()
    }

    /// What a resource is sorted by.
    pub(super) fn key<R: Listed>(&self, hit: &Hit<R>) -> Option<super::sort::SortKey> {
        self.sort.as_ref().map(|sort| sort.key(&hit.resource))
    }

    /// The page that is asked for.
    pub(super) async fn page<R: Listed>(&self, caller: &Caller, wanted: &Wanted) -> Result<Value, Refusal> {
        debug_assert_eq!(self.kind.name, R::KIND.name);
        let Some(cursor) = &wanted.cursor else {
            let page = self.slice::<R>(caller, Start::Offset(wanted.offset), wanted.count).await?;
            let resources = page.items.into_iter().map(|hit| self.projected(hit)).collect();
            return Ok(response(page.total, Some(wanted.offset), resources));
        };
        if self.sort.is_some() {
            let detail = "cursor and sortBy cannot be given together";
            return Err(ScimError::new(ScimType::InvalidValue, detail).into());
        }
        let start = if cursor.is_empty() { Start::Offset(0) } else { place::<R>(cursor)? };
        let mut page = self.slice::<R>(caller, start, wanted.count.saturating_add(1)).await?;
        let has_more = page.items.len() > wanted.count as usize;
        page.items.truncate(wanted.count as usize);
        let next = page.items.last().filter(|_| has_more).map(|hit| R::place(&hit.row));
        let resources = page.items.into_iter().map(|hit| self.projected(hit)).collect();
        let mut body = response(page.total, None, resources);
        if let Some((at, id)) = next {
            body["nextCursor"] = URL_SAFE_NO_PAD.encode(format!("{}.{}", at.0, R::id_text(id))).into();
        }
        Ok(body)
    }
}

/// Where the page of a cursor begins.
fn place<R: Listed>(cursor: &str) -> Result<Start<R::Id>, ScimError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (at, id) = text.split_once('.')?;
        Some(Start::After(Timestamp(at.parse().ok()?), R::id_of(id)?))
    };
    read().ok_or_else(|| ScimError::new(ScimType::InvalidCursor, "the cursor is none of this server's"))
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
