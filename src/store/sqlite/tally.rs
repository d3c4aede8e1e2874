//! Numbers by period and state.

use std::ops::ControlFlow;

use rusqlite::params;

use super::{SqliteStore, find, json};
use crate::store::tally::{Counted, Tallies, Tally, TallyQuery};
use crate::store::{FireworkQuery, Result, Store, WorkflowQuery};
use crate::workflow::{int_list, time};

impl Tallies for SqliteStore {
    fn tally(&self, query: &TallyQuery) -> Result<Tally> {
        let matching = self.matching_ids(query)?;
        let (from, id) = match query.of {
            Counted::Fireworks => ("(SELECT fw_id, state, updated_on AS at FROM fireworks)", "fw_id"),
            Counted::Workflows => ("(SELECT id, state, updated_on AS at FROM workflows)", "id"),
            Counted::Launches => (
                "(SELECT launch_id, state, coalesce(document ->> '$.time_end.$date', document ->> '$.time_end') AS at
                  FROM launches)",
                "launch_id",
            ),
        };
        // FireWorks' workflows are told by any of their fireworks.
        let wanted = match (&matching, query.of) {
            (None, _) => String::new(),
            (Some(_), Counted::Workflows) => " AND id IN (SELECT workflow FROM fireworks
                WHERE fw_id IN (SELECT value FROM json_each(?3)))"
                .to_owned(),
            (Some(_), _) => format!(" AND {id} IN (SELECT value FROM json_each(?3))"),
        };
        let text = format!(
            "SELECT substr(at, 1, ?1) AS period, state, count(*) FROM {from}
             WHERE at >= ?2{wanted} GROUP BY period, state"
        );
        let since = query.since.map(time::to_iso).unwrap_or_default();
        let ids = json::ids(&matching.unwrap_or_default());
        self.read(|sql| {
            let mut statement = sql.prepare(&text)?;
            let mut tally = Tally::new();
            let plain = params![query.characters as i64, since];
            let with_ids = params![query.characters as i64, since, ids];
            let mut rows = statement.query(if wanted.is_empty() { plain } else { with_ids })?;
            while let Some(row) = rows.next()? {
                let state = find::state(&row.get::<_, String>(1)?)?;
                let count: i64 = row.get(2)?;
                tally.entry(row.get(0)?).or_default().insert(state, count.unsigned_abs());
            }
            Ok(tally)
        })
    }
}

impl SqliteStore {
    /// The ids of what matches, where that is asked for; of a workflow one of its fireworks.
    fn matching_ids(&self, query: &TallyQuery) -> Result<Option<Vec<i64>>> {
        let Some(matching) = query.matching.clone() else { return Ok(None) };
        let ids = match query.of {
            Counted::Fireworks => {
                self.firework_ids(&FireworkQuery { matching: Some(matching), ..FireworkQuery::default() })?
            }
            Counted::Launches => self.matching_launches(&matching)?,
            Counted::Workflows => {
                let mut ids = Vec::new();
                let of = WorkflowQuery { matching: Some(matching), ..WorkflowQuery::default() };
                self.each_workflow(&of, &mut |some| {
                    ids.extend(some.iter().filter_map(|one| int_list(one.get("nodes")).first().copied()));
                    ControlFlow::Continue(())
                })?;
                ids
            }
        };
        Ok(Some(ids))
    }
}
