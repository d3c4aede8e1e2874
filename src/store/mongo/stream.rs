//! Many fireworks or workflows, some at a time, in any order. An index of FireWorks gives the order by id, by
//! name, by state and by date; by anything else the server sorts, on its disk where it has to.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::iter::Peekable;
use std::ops::ControlFlow;

use bson::{Bson, Document, RawBsonRef, RawDocumentBuf, doc};
use jiff::Timestamp;
use mongodb::options::Hint;
use mongodb::sync::{Collection, Cursor};

use super::{MongoStore, unreadable};
use crate::store::{Direction, Fields, FireworkQuery, Result, SortKey, StoreError, TakeSome, WorkflowQuery};
use crate::workflow::{Firework, FwId, as_int, time};

/// As many are handed over at once, or as many as come to so many bytes.
const SOME: usize = 2_000;
const BYTES: usize = 2_000_000;

/// As many come with each answer of the server, which holds 16 MB at most.
const WHOLE: u32 = 1_000;
const HEADS: u32 = 10_000;

/// So many may be of one time as the last one that is shown.
const SPARE: u32 = 12;

/// A collection, as far as its order is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Fireworks,
    Workflows,
}

impl Of {
    /// The field that tells documents apart which are the same otherwise.
    fn id(self) -> &'static str {
        match self {
            Of::Fireworks => "fw_id",
            Of::Workflows => "nodes",
        }
    }
}

/// How an order is had.
enum Sorting {
    /// The server sorts by fields.
    Fields(Document),
    /// The server sorts by this value, then by id.
    Value(Document, Direction),
    /// Dates are strings or dates: what is sorted by either is merged here.
    Dates(&'static str, Direction),
}

/// What is asked for.
#[derive(Clone)]
struct Listing {
    of: Of,
    filter: Document,
    sort: Option<(SortKey, Direction)>,
    limit: usize,
    /// The fields that are read; all without.
    fields: Option<&'static [&'static str]>,
}

/// Everything of a firework but its spec.
const HEAD: [&str; 7] = ["fw_id", "name", "state", "created_on", "updated_on", "launches", "archived_launches"];

/// Its id, and what it may be sorted by here.
const ID: [&str; 1] = ["fw_id"];
const DATED_ID: [&str; 3] = ["fw_id", "created_on", "updated_on"];

/// Documents as they come.
type Found<'s> = Box<dyn Iterator<Item = Result<RawDocumentBuf>> + 's>;

impl MongoStore {
    pub(super) fn stream_fireworks(
        &self,
        query: &FireworkQuery,
        fields: Fields,
        take: &mut TakeSome<'_, Firework>,
    ) -> Result<()> {
        let found = self.found_fireworks(query, (fields == Fields::Head).then_some(&HEAD))?;
        self.each(found, |some| {
            let read = |mut document: Document| {
                if fields == Fields::Head {
                    document.insert("spec", Document::new());
                }
                Firework::from_document(&document)
            };
            Ok(take(some.into_iter().map(read).collect::<std::result::Result<_, _>>()?))
        })
    }

    pub(super) fn search_fireworks(&self, query: &FireworkQuery) -> Result<Vec<Firework>> {
        let mut all = Vec::new();
        self.stream_fireworks(query, Fields::Whole, &mut |some| {
            all.extend(some);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    pub(super) fn search_firework_ids(&self, query: &FireworkQuery) -> Result<Vec<FwId>> {
        let dated = matches!(query.sort, Some((SortKey::CreatedOn | SortKey::UpdatedOn, _)));
        let found = self.found_fireworks(query, Some(if dated { &DATED_ID } else { &ID }))?;
        let mut ids = Vec::new();
        for firework in found {
            ids.extend(firework?.get("fw_id").ok().flatten().and_then(id_of));
        }
        Ok(ids)
    }

    fn found_fireworks(&self, query: &FireworkQuery, fields: Option<&'static [&'static str]>) -> Result<Found<'_>> {
        if query.ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Box::new(std::iter::empty()));
        }
        let filter = match self.scanned(query)? {
            Some(ids) if ids.is_empty() => return Ok(Box::new(std::iter::empty())),
            ids => self.firework_filter(&FireworkQuery { ids: ids.or_else(|| query.ids.clone()), ..query.clone() })?,
        };
        self.found(Listing { of: Of::Fireworks, filter, sort: query.sort, limit: query.limit, fields })
    }

    /// The ids of what matches where no index helps to find it. In the order by id the server would look up
    /// one document after the other by its index, which takes several times as long as going through all.
    fn scanned(&self, query: &FireworkQuery) -> Result<Option<Vec<FwId>>> {
        let Some(matching) = query.matching.as_ref().filter(|_| query.sort.is_none()) else { return Ok(None) };
        let indexes = self.indexes();
        let firsts = indexes.iter().filter(|index| index.collection == "fireworks");
        let served: Vec<&str> = firsts.filter_map(|index| index.keys.keys().next()).map(String::as_str).collect();
        let only_matching =
            FireworkQuery { matching: Some(matching.clone()), limit: query.limit, ..Default::default() };
        if *query != only_matching || mentions(matching, &served) {
            return Ok(None);
        }
        let raw = self.raw(Of::Fireworks);
        let found = raw.find(matching.clone()).projection(doc! { "_id": 0, "fw_id": 1 });
        let found = found.hint(Hint::Keys(doc! { "$natural": 1 })).batch_size(HEADS);
        let mut ids = Vec::new();
        for firework in self.answers(self.ask_query(found.run())?) {
            ids.extend(firework?.get("fw_id").ok().flatten().and_then(id_of));
        }
        ids.sort_unstable();
        ids.truncate(if query.limit == 0 { ids.len() } else { query.limit });
        Ok(Some(ids))
    }

    pub(super) fn stream_workflows(&self, query: &WorkflowQuery, take: &mut TakeSome<'_, Document>) -> Result<()> {
        if query.fw_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let filter = self.workflow_filter(query)?;
        let listing = Listing { of: Of::Workflows, filter, sort: query.sort, limit: query.limit, fields: None };
        self.each(self.found(listing)?, |some| Ok(take(some)))
    }

    pub(super) fn search_workflows(&self, query: &WorkflowQuery) -> Result<Vec<Document>> {
        let mut all = Vec::new();
        self.stream_workflows(query, &mut |some| {
            all.extend(some);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Hands over what is found.
    fn each(&self, found: Found<'_>, mut take: impl FnMut(Vec<Document>) -> Result<ControlFlow<()>>) -> Result<()> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        for raw in found {
            let raw = raw?;
            bytes += raw.as_bytes().len();
            some.push(self.read(&raw)?);
            if some.len() == SOME || bytes >= BYTES {
                bytes = 0;
                if take(std::mem::take(&mut some))?.is_break() {
                    return Ok(());
                }
            }
        }
        if !some.is_empty() {
            let _ = take(some)?;
        }
        Ok(())
    }

    fn read(&self, raw: &RawDocumentBuf) -> Result<Document> {
        Document::try_from(raw.as_ref()).map_err(|_| unreadable(&self.settings.place(), "a document"))
    }

    fn found(&self, listing: Listing) -> Result<Found<'_>> {
        self.ordered(&listing, listing.filter.clone(), sorting(listing.of, listing.sort))
    }

    /// What matches, in an order.
    fn ordered(&self, listing: &Listing, filter: Document, sorting: Sorting) -> Result<Found<'_>> {
        match sorting {
            Sorting::Fields(sort) => self.sorted(listing, filter, sort, listing.limit),
            Sorting::Value(value, direction) => self.by_value(listing, filter, value, direction),
            Sorting::Dates(key, direction) => self.by_date(listing, key, direction),
        }
    }

    fn by_value(
        &self,
        listing: &Listing,
        filter: Document,
        value: Document,
        direction: Direction,
    ) -> Result<Found<'_>> {
        let mut pipeline = vec![doc! { "$match": filter }];
        pipeline.extend(projection(listing.fields, true).map(|fields| doc! { "$project": fields }));
        let id: Bson = match listing.of {
            Of::Fireworks => "$fw_id".into(),
            Of::Workflows => doc! { "$min": "$nodes" }.into(),
        };
        let order = doc! { "volley_key": sign(direction), "volley_id": sign(direction) };
        pipeline.extend([doc! { "$set": { "volley_key": value, "volley_id": id } }, doc! { "$sort": order }]);
        if listing.limit > 0 {
            pipeline.push(doc! { "$limit": listing.limit as i64 });
        }
        pipeline.push(doc! { "$unset": ["volley_key", "volley_id"] });
        let raw = self.raw(listing.of);
        let found = raw.aggregate(pipeline).allow_disk_use(true).batch_size(WHOLE);
        Ok(self.answers(self.ask_query(found.with_type::<RawDocumentBuf>().run())?))
    }

    /// What matches, sorted by the server.
    fn sorted(&self, listing: &Listing, filter: Document, sort: Document, limit: usize) -> Result<Found<'_>> {
        let batch = if listing.fields.is_some() { HEADS } else { WHOLE };
        // Where the limit is counted here: as many and some of the same time.
        let wanted = u32::try_from(listing.limit).ok().and_then(|limit| limit.checked_add(SPARE));
        let batch = wanted.filter(|_| listing.limit > 0).map_or(batch, |wanted| wanted.min(batch));
        let raw = self.raw(listing.of);
        let mut found = raw.find(filter).sort(sort).limit(limit as i64).batch_size(batch).allow_disk_use(true);
        if let Some(fields) = projection(listing.fields, false) {
            found = found.projection(fields);
        }
        Ok(self.answers(self.ask_query(found.run())?))
    }

    /// What has a date, strings and dates merged, and what has none as the oldest. Those of one time, which an
    /// index gives in no order, are sorted by id here.
    fn by_date(&self, listing: &Listing, key: &'static str, direction: Direction) -> Result<Found<'_>> {
        let of = listing.of;
        let among = |condition: Bson| doc! { "$and": [listing.filter.clone(), { key: condition }] };
        let sorted = |kind: Bson| {
            let kind = among(doc! { "$gte": kind }.into());
            Ok::<_, StoreError>(self.sorted(listing, kind, doc! { key: sign(direction) }, 0)?.peekable())
        };
        let kinds: Result<Vec<_>> =
            [Bson::from(""), Bson::DateTime(bson::DateTime::MIN)].map(sorted).into_iter().collect();
        let dated: Found<'_> = Box::new(Merge { of, key, direction, kinds: kinds?, run: Vec::new() });
        let undated = {
            let by_id = move || sorting(of, Some((SortKey::FwId, direction)));
            let (filter, listing) = (among(Bson::Null), listing.clone());
            std::iter::once(()).flat_map(move |()| match self.ordered(&listing, filter.clone(), by_id()) {
                Ok(found) => found,
                Err(error) => Box::new(std::iter::once(Err(error))),
            })
        };
        let all: Found<'_> = match direction {
            Direction::Ascending => Box::new(undated.chain(dated)),
            Direction::Descending => Box::new(dated.chain(undated)),
        };
        // What is changed while others are read comes again, further on.
        let mut seen = HashSet::new();
        let once = all.filter(move |document| match document.as_ref().ok().and_then(|one| lowest_id(one, of)) {
            Some(id) => seen.insert(id),
            None => true,
        });
        Ok(if listing.limit > 0 { Box::new(once.take(listing.limit)) } else { Box::new(once) })
    }

    fn raw(&self, of: Of) -> Collection<RawDocumentBuf> {
        match of {
            Of::Fireworks => self.fireworks.clone_with_type(),
            Of::Workflows => self.workflows.clone_with_type(),
        }
    }

    fn answers(&self, cursor: Cursor<RawDocumentBuf>) -> Found<'_> {
        Box::new(cursor.map(|document| self.ask_query(document)))
    }
}

/// What is sorted by one date each, of several kinds.
struct Merge<'s> {
    of: Of,
    key: &'static str,
    direction: Direction,
    kinds: Vec<Peekable<Found<'s>>>,
    /// Those of one time, the next one last.
    run: Vec<RawDocumentBuf>,
}

impl Merge<'_> {
    /// The date of the next one of a kind.
    fn next_date(&mut self, kind: usize) -> Option<Option<Timestamp>> {
        match self.kinds[kind].peek()? {
            Ok(document) => Some(date_of(document, self.key)),
            Err(_) => Some(None),
        }
    }

    fn in_order<T: Ord>(&self, one: &T, other: &T) -> Ordering {
        match self.direction {
            Direction::Ascending => one.cmp(other),
            Direction::Descending => other.cmp(one),
        }
    }

    /// Reads all of the next time.
    fn fill(&mut self) -> Result<()> {
        let dates: Vec<_> = (0..self.kinds.len()).map(|kind| self.next_date(kind)).collect();
        let Some(next) = dates.iter().flatten().min_by(|one, other| self.in_order(*one, *other)).copied() else {
            return Ok(());
        };
        for kind in 0..self.kinds.len() {
            while self.next_date(kind) == Some(next) {
                match self.kinds[kind].next() {
                    Some(document) => self.run.push(document?),
                    None => break,
                }
            }
        }
        let mut run = std::mem::take(&mut self.run);
        run.sort_by_cached_key(|document| lowest_id(document, self.of));
        if self.direction == Direction::Ascending {
            run.reverse();
        }
        self.run = run;
        Ok(())
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<RawDocumentBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.run.is_empty()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        self.run.pop().map(Ok)
    }
}

/// Whether a query says anything about one of these fields.
fn mentions(query: &Document, fields: &[&str]) -> bool {
    query.iter().any(|(key, value)| match value {
        Bson::Array(parts) if key.starts_with('$') => {
            parts.iter().filter_map(Bson::as_document).any(|part| mentions(part, fields))
        }
        _ => fields.contains(&key.as_str()),
    })
}

fn date_of(document: &RawDocumentBuf, key: &str) -> Option<Timestamp> {
    match document.get(key).ok().flatten()? {
        RawBsonRef::String(text) => time::from_text(text),
        RawBsonRef::DateTime(date) => Timestamp::from_millisecond(date.timestamp_millis()).ok(),
        _ => None,
    }
}

fn id_of(value: RawBsonRef<'_>) -> Option<i64> {
    Bson::try_from(value).ok().as_ref().and_then(as_int)
}

fn lowest_id(document: &RawDocumentBuf, of: Of) -> Option<i64> {
    match document.get(of.id()).ok().flatten()? {
        RawBsonRef::Array(nodes) => nodes.into_iter().filter_map(|node| id_of(node.ok()?)).min(),
        value => id_of(value),
    }
}

pub(super) fn sign(direction: Direction) -> i32 {
    match direction {
        Direction::Ascending => 1,
        Direction::Descending => -1,
    }
}

/// The projection to some fields; in a pipeline before anything is sorted, with what that needs.
fn projection(fields: Option<&[&'static str]>, is_early: bool) -> Option<Document> {
    let fields = fields?.iter().copied().chain(is_early.then_some("launches"));
    let mut projection = doc! { "_id": 0 };
    projection.extend(fields.map(|field| (field.to_owned(), Bson::Int32(1))));
    Some(projection)
}

/// As it is asked for; by id when nothing is said. A workflow counts by the lowest id in it: ObjectIds of two
/// processes have no order within a second.
fn sorting(of: Of, sort: Option<(SortKey, Direction)>) -> Sorting {
    let (key, direction) = sort.unwrap_or((SortKey::FwId, Direction::Ascending));
    let size = |list: &str| doc! { "$size": { "$cond": [{ "$isArray": list }, list, []] } };
    let fields = |key: &str| Sorting::Fields(doc! { key: sign(direction), of.id(): sign(direction) });
    match (key, of) {
        // The other way round the server goes by the highest id.
        (SortKey::FwId | SortKey::Priority, Of::Workflows) if direction == Direction::Descending => {
            Sorting::Value(doc! { "$min": "$nodes" }, direction)
        }
        (SortKey::FwId, _) | (SortKey::Priority, Of::Workflows) => Sorting::Fields(doc! { of.id(): sign(direction) }),
        (SortKey::Name, Of::Fireworks) => fields("name"),
        (SortKey::State, Of::Fireworks) => fields("state"),
        (SortKey::Name, Of::Workflows) => Sorting::Value(doc! { "$ifNull": ["$name", null] }, direction),
        (SortKey::State, Of::Workflows) => Sorting::Value(doc! { "$ifNull": ["$state", null] }, direction),
        (SortKey::Priority, Of::Fireworks) => fields("spec._priority"),
        (SortKey::Size, Of::Fireworks) => Sorting::Value(size("$launches"), direction),
        (SortKey::Size, Of::Workflows) => Sorting::Value(size("$nodes"), direction),
        (SortKey::CreatedOn, _) => Sorting::Dates("created_on", direction),
        (SortKey::UpdatedOn, _) => Sorting::Dates("updated_on", direction),
    }
}
