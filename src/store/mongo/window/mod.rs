//! Windows of lists: the rows from one place on, by the index of their order.
//!
//! An index of FireWorks has one field, and gives equals in no order. So rows are asked for in [`parts`]: those
//! that equal the edge by their ids, those beyond it by the field. All parts come with one answer, and are merged
//! here; where a part has been cut among equals, these are asked for by their ids.

mod kinds;
mod lowest;
mod parts;
mod rows;

use bson::{Document, doc};

use self::kinds::{Order, before};
use self::parts::{By, Part};
use self::rows::Listed;
use super::MongoStore;
use super::stream::sign;
use crate::store::window::{Anchor, Edge, FireworkRow, Start, Window, Windows, WorkflowRow, order, window};
use crate::store::{Direction, FireworkQuery, Result, SortKey, WorkflowQuery};
use crate::workflow::as_int;

/// So many equals of the last row that is wanted are read with it.
const SPARE: usize = 12;

/// A filter of so many bytes is not sent several times in one command.
const LARGE: usize = 1_000_000;

/// No window is so large that its rows do not come with one answer.
const ONCE: u32 = 100_000;

/// Which part a row came with.
const PART: &str = "volley_part";

/// What is asked for.
struct Listing {
    filter: Document,
    order: Order,
}

impl Windows for MongoStore {
    fn firework_window(&self, query: &FireworkQuery, start: &Start, size: usize) -> Result<Window<FireworkRow>> {
        let (key, direction) = order(query.sort);
        if query.ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Window { rows: Vec::new(), is_first: true, is_last: true });
        }
        let mut filter = self.firework_filter(query)?;
        if key == SortKey::Priority && query.states.is_empty() {
            // The index of priorities begins with the state.
            filter = parts::both(filter, doc! { "state": { "$in": kinds::every_state() } });
        }
        self.window_of(Listing { filter, order: Order::of_fireworks(key) }, direction, start, size)
    }

    fn workflow_window(&self, query: &WorkflowQuery, start: &Start, size: usize) -> Result<Window<WorkflowRow>> {
        let (key, direction) = order(query.sort);
        if query.fw_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Window { rows: Vec::new(), is_first: true, is_last: true });
        }
        let listing = Listing { filter: self.workflow_filter(query)?, order: Order::of_workflows(key) };
        self.window_of(listing, direction, start, size)
    }
}

impl MongoStore {
    fn window_of<R: Listed>(
        &self,
        listing: Listing,
        direction: Direction,
        start: &Start,
        size: usize,
    ) -> Result<Window<R>> {
        window(direction, start, size, |edge, direction, limit| match listing.order {
            Order::Lowest => self.by_lowest_id(&listing.filter, edge, direction, limit),
            Order::Size(list) => self.by_size(&listing.filter, list, edge, direction, limit),
            order => self.by_parts(&listing.filter, order, edge, direction, limit),
        })
    }

    /// Rows in the order of an index.
    fn by_parts<R: Listed>(
        &self,
        filter: &Document,
        order: Order,
        edge: Option<Edge<'_>>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<R>> {
        let parts = parts::from(order, R::ID, edge, direction);
        let most = limit + SPARE;
        let found: Vec<Vec<R>> = self.ask_parts(filter, order, &parts, direction, most)?;
        let is_before = |one: &Anchor, other: &Anchor| before(order, direction, one, other);
        // Where a part by the field has been cut: of the last key there may be more, in any place.
        let cut = parts.iter().zip(&found).filter(|(part, rows)| part.by == By::Field && rows.len() == most);
        let ends = cut.filter_map(|(_, rows)| rows.last()).map(|row| row.anchor().clone());
        let end = ends.reduce(|one, other| if is_before(&other, &one).is_lt() { other } else { one });
        let mut rows: Vec<R> = found.into_iter().flatten().collect();
        rows.sort_by(|one, other| is_before(one.anchor(), other.anchor()));
        if let Some(end) = end {
            let known = rows.partition_point(|row| kinds::by_key(order, direction, row.anchor(), &end).is_lt());
            if known < limit {
                rows.truncate(known);
                let equals = Part { filter: parts::equal(order, &end.key), by: By::Id };
                rows.extend(self.ask_parts(filter, order, &[equals], direction, limit)?.into_iter().flatten());
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }

    /// The rows of each part, so many at most.
    fn ask_parts<R: Listed>(
        &self,
        filter: &Document,
        order: Order,
        parts: &[Part],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Vec<R>>> {
        let pipelines = parts.iter().enumerate().map(|(number, part)| {
            let field = match part.by {
                By::Id => R::ID,
                By::Field => order.field().unwrap_or(R::ID),
            };
            let mut fields = R::fields();
            fields.insert(PART, doc! { "$literal": number as i64 });
            vec![
                doc! { "$match": parts::both(filter.clone(), part.filter.clone()) },
                doc! { "$sort": { field: sign(direction) } },
                doc! { "$limit": limit as i64 },
                doc! { "$project": fields },
            ]
        });
        let mut commands: Vec<Vec<Document>> = Vec::new();
        let is_large = filter.to_vec().is_ok_and(|bytes| bytes.len() > LARGE);
        for pipeline in pipelines {
            match commands.last_mut().filter(|_| !is_large) {
                Some(first) => first.push(doc! { "$unionWith": { "coll": R::COLLECTION, "pipeline": pipeline } }),
                None => commands.push(pipeline),
            }
        }
        let mut found: Vec<Vec<R>> = parts.iter().map(|_| Vec::new()).collect();
        for command in commands {
            for document in self.listed::<R>(command)? {
                let number = document.get(PART).and_then(as_int).and_then(|number| usize::try_from(number).ok());
                if let Some(rows) = number.and_then(|number| found.get_mut(number)) {
                    rows.push(R::read(&document, order)?);
                }
            }
        }
        Ok(found)
    }

    /// Rows by how much there is of something: no index knows, so all of them are gone through.
    fn by_size<R: Listed>(
        &self,
        filter: &Document,
        list: &str,
        edge: Option<Edge<'_>>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<R>> {
        let list = format!("${list}");
        let size = doc! { "$size": { "$cond": [{ "$isArray": &list }, &list, []] } };
        let mut pipeline = vec![doc! { "$match": filter.clone() }, doc! { "$project": { R::ID: 1, rows::KEY: size } }];
        if let Some(Edge { anchor, inclusive }) = edge {
            let (beyond, on) = parts::signs(direction, inclusive);
            let equal = doc! { rows::KEY: anchor.key.clone(), R::ID: { on: anchor.id.clone() } };
            pipeline.push(doc! { "$match": { "$or": [{ rows::KEY: { beyond: anchor.key.clone() } }, equal] } });
        }
        pipeline.push(doc! { "$sort": { rows::KEY: sign(direction), R::ID: sign(direction) } });
        pipeline.push(doc! { "$limit": limit as i64 });
        pipeline.extend(R::again());
        let found = self.listed::<R>(pipeline)?;
        found.iter().map(|document| R::read(document, Order::Size(""))).collect()
    }

    fn listed<R: Listed>(&self, pipeline: Vec<Document>) -> Result<Vec<Document>> {
        let collection = self.database.collection::<Document>(R::COLLECTION);
        let found = self.ask_query(collection.aggregate(pipeline).allow_disk_use(true).batch_size(ONCE).run())?;
        found.map(|document| self.ask_query(document)).collect()
    }
}
