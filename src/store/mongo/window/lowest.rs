//! Workflows by the lowest ids in them. The index of `nodes` has all their ids, and gives an order by the lowest
//! from the first of all on only; what it can be asked for is who has ids within a range.

use bson::{Document, doc};

use super::kinds::Order;
use super::parts::both;
use super::rows::{KEY, Listed};
use crate::store::mongo::MongoStore;
use crate::store::mongo::stream::sign;
use crate::store::window::{Edge, by_ranges, ids_from};
use crate::store::{Direction, Result};
use crate::workflow::{FwId, as_int, int};

impl MongoStore {
    pub(super) fn by_lowest_id<R: Listed>(
        &self,
        filter: &Document,
        edge: Option<Edge<'_>>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<R>> {
        let ends = (self.end_of_ids(Direction::Ascending)?, self.end_of_ids(Direction::Descending)?);
        let (Some(lowest), Some(highest)) = ends else { return Ok(Vec::new()) };
        let among = ids_from(edge, direction, (lowest, highest));
        by_ranges(among, direction, limit, |first, last, limit| {
            // One condition on one and the same id: two would be two ranges.
            let touched = doc! { "nodes": { "$elemMatch": { "$gte": int(first), "$lte": int(last) } } };
            let mut pipeline = vec![
                doc! { "$match": both(filter.clone(), touched) },
                doc! { "$project": { KEY: { "$min": "$nodes" } } },
                doc! { "$match": { KEY: { "$gte": int(first) } } },
                doc! { "$sort": { KEY: sign(direction) } },
                doc! { "$limit": limit as i64 },
            ];
            pipeline.extend(R::again());
            self.listed::<R>(pipeline)?.iter().map(|document| R::read(document, Order::Lowest)).collect()
        })
    }

    /// The lowest or the highest id in any workflow.
    fn end_of_ids(&self, direction: Direction) -> Result<Option<FwId>> {
        let end = match direction {
            Direction::Ascending => "$min",
            Direction::Descending => "$max",
        };
        let pipeline = [
            doc! { "$sort": { "nodes": sign(direction) } },
            doc! { "$limit": 1 },
            doc! { "$project": { "_id": 0, KEY: { end: "$nodes" } } },
        ];
        let found = self.collect(self.workflows.aggregate(pipeline).run())?;
        Ok(found.first().and_then(|one| one.get(KEY)).and_then(as_int))
    }
}
