//! Numbers by period and state.

use bson::{Document, doc};

use super::MongoStore;
use super::find::not_before;
use crate::store::Result;
use crate::store::tally::{Counted, Tallies, Tally, TallyQuery};
use crate::workflow::as_int;

impl Tallies for MongoStore {
    fn tally(&self, query: &TallyQuery) -> Result<Tally> {
        let (collection, date) = match query.of {
            Counted::Fireworks => (&self.fireworks, "updated_on"),
            Counted::Workflows => (&self.workflows, "updated_on"),
            Counted::Launches => (&self.launches, "time_end"),
        };
        let is_recent = match query.since {
            Some(since) => not_before(date, since),
            None => doc! { date: { "$ne": null } },
        };
        let terms: Vec<Document> = std::iter::once(is_recent).chain(query.matching.clone()).collect();
        // A date becomes a string by itself.
        let period = doc! { "$substrBytes": [format!("${date}"), 0, query.characters as i64] };
        let pipeline = vec![
            doc! { "$match": { "$and": terms } },
            doc! { "$group": { "_id": { "state": "$state", "period": period }, "count": { "$sum": 1 } } },
        ];
        let mut tally = Tally::new();
        for group in self.ask_query(collection.aggregate(pipeline).run())? {
            let group = self.ask_query(group)?;
            let key = |key| group.get_document("_id").ok().and_then(|id| id.get_str(key).ok());
            let state = key("state").and_then(|state| state.parse().ok());
            if let (Some(state), Some(period)) = (state, key("period")) {
                let count = group.get("count").and_then(as_int).unwrap_or_default().unsigned_abs();
                *tally.entry(period.to_owned()).or_default().entry(state).or_default() += count;
            }
        }
        Ok(tally)
    }
}
