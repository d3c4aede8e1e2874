//! Conditions of a statement with their values, and what queries say in them.

use bson::Document;
use jiff::Timestamp;
use rusqlite::ToSql;

use super::history::BEGINNING;
use super::narrow::{self, Table};
use super::{SqlError, json};
use crate::store::filter::{Filter, Pattern};
use crate::store::history::ADD;
use crate::store::{Direction, FireworkQuery, NamePattern, SortKey, StoreError, WorkflowQuery};
use crate::workflow::{State, time};

/// Conditions that must all hold.
#[derive(Default)]
pub struct Clause {
    terms: Vec<String>,
    /// The values that the conditions name, in their order.
    pub values: Vec<Box<dyn ToSql>>,
}

impl Clause {
    /// Names a value: what stands for it in a condition.
    pub fn bind(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    /// One more condition.
    pub fn require(&mut self, condition: String) {
        self.terms.push(condition);
    }

    /// Whether everything fulfils them.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// All conditions as one.
    pub fn sql(&self) -> String {
        if self.terms.is_empty() { "1".to_owned() } else { self.terms.join(" AND ") }
    }

    /// Conditions on another table, whose values are named together with these.
    fn within(&mut self, build: impl FnOnce(&mut Clause) -> Result<(), SqlError>) -> Result<String, SqlError> {
        let mut inner = Clause { terms: Vec::new(), values: std::mem::take(&mut self.values) };
        let built = build(&mut inner);
        let sql = inner.sql();
        self.values = inner.values;
        built.map(|()| sql)
    }

    /// One of these ids.
    fn ids(&mut self, column: &str, ids: &[i64]) {
        let ids = self.bind(json::ids(ids));
        self.require(format!("{column} IN (SELECT value FROM json_each({ids}))"));
    }

    fn states(&mut self, states: &[State]) {
        let names: Vec<String> = states.iter().map(|state| format!("'{}'", state.as_str())).collect();
        match names.as_slice() {
            [] => {}
            // The rows of one state are sorted by id.
            [one] => self.require(format!("state = {one}")),
            several => self.require(format!("state IN ({})", several.join(", "))),
        }
    }

    fn name(&mut self, name: Option<&NamePattern>, table: Table) -> Result<(), SqlError> {
        match name {
            None => {}
            Some(NamePattern::Exactly(name)) => {
                let name = self.bind(name.clone());
                self.require(format!("name = {name}"));
            }
            Some(NamePattern::Like(regex)) => {
                let wrong =
                    |reason| StoreError::Query(format!("the regular expression `{regex}` cannot be used: {reason}"));
                Pattern::new(regex, "").map_err(wrong)?;
                let regex = self.bind(regex.clone());
                // Names alone are read, from their index.
                let (table, id) = (table.name(), table.id());
                self.require(format!("{id} IN (SELECT {id} FROM {table} WHERE volley_like({regex}, name))"));
            }
        }
        Ok(())
    }

    fn since(&mut self, since: Option<Timestamp>, table: Table) {
        if let Some(since) = since {
            // Whatever form a date had where it was copied from, the column has one that sorts.
            let since = self.bind(time::to_iso(since));
            let (table, id) = (table.name(), table.id());
            // Else SQLite may prefer to go through all rows in the order of the answer.
            self.require(format!("{id} IN (SELECT {id} FROM {table} WHERE updated_on >= {since})"));
        }
    }

    /// That the rows match a query in MongoDB's language.
    pub fn matching(&mut self, query: &Document, table: Table) -> Result<(), SqlError> {
        let filter = Filter::parse(query).map_err(|error| StoreError::Query(error.to_string()))?;
        narrow::add(self, &filter, table);
        let query = self.bind(json::text(query));
        let (document, extra) = (table.document(&filter), table.extra());
        self.require(format!("volley_matches({query}, {document}, {extra})"));
        Ok(())
    }

    /// What a query says of fireworks.
    pub fn fireworks(query: &FireworkQuery) -> Result<Self, SqlError> {
        let mut clause = Clause::default();
        if let Some(ids) = &query.ids {
            clause.ids("fw_id", ids);
        }
        clause.states(&query.states);
        clause.name(query.name.as_ref(), Table::Fireworks)?;
        clause.since(query.since, Table::Fireworks);
        if let Some(launches) = &query.launches {
            let launches = clause.bind(json::ids(launches));
            clause.require(format!(
                "launches <> '[]' AND
                 EXISTS (SELECT 1 FROM json_each(launches) WHERE value IN (SELECT value FROM json_each({launches})))"
            ));
        }
        if let Some(workflows) = &query.workflows {
            let inner = clause.within(|inner| inner.add_workflows(workflows))?;
            clause.require(format!("workflow IN (SELECT id FROM workflows WHERE {inner})"));
        }
        if let Some(matching) = &query.matching {
            clause.matching(matching, Table::Fireworks)?;
        }
        Ok(clause)
    }

    /// What a query says of workflows.
    pub fn workflows(query: &WorkflowQuery) -> Result<Self, SqlError> {
        let mut clause = Clause::default();
        clause.add_workflows(query)?;
        Ok(clause)
    }

    fn add_workflows(&mut self, query: &WorkflowQuery) -> Result<(), SqlError> {
        if let Some(ids) = &query.fw_ids {
            let inner = self.within(|inner| {
                inner.ids("fw_id", ids);
                Ok(())
            })?;
            self.require(format!("id IN (SELECT workflow FROM fireworks WHERE {inner})"));
        }
        self.states(&query.states);
        self.name(query.name.as_ref(), Table::Workflows)?;
        self.since(query.since, Table::Workflows);
        if let Some(owner) = &query.owner {
            let owner = self.bind(owner.clone());
            self.require(format!(
                "id IN (SELECT workflow FROM fireworks WHERE fw_id IN
                 (SELECT a.fw_id FROM volley_events e JOIN volley_about a ON a.event = e.id AND a.whole = 1
                  WHERE e.user = {owner} AND e.what = '{ADD}' AND e.at >= {BEGINNING}))"
            ));
        }
        if let Some(matching) = &query.matching {
            self.matching(matching, Table::Workflows)?;
        }
        Ok(())
    }
}

/// What the rows are sorted by.
pub fn sort_key(key: SortKey, table: Table) -> String {
    let members = |what: &str| format!("(SELECT {what} FROM fireworks f WHERE f.workflow = workflows.id)");
    match (key, table) {
        (SortKey::Name, _) => "name".to_owned(),
        (SortKey::State, _) => "state".to_owned(),
        (SortKey::CreatedOn, _) => "created_on".to_owned(),
        (SortKey::UpdatedOn, _) => "updated_on".to_owned(),
        (SortKey::Priority, Table::Fireworks) => "priority".to_owned(),
        (SortKey::Size, Table::Fireworks) => "json_array_length(launches)".to_owned(),
        (SortKey::FwId, Table::Workflows) => members("min(fw_id)"),
        (SortKey::Size, Table::Workflows) => members("count(*)"),
        (SortKey::FwId | SortKey::Priority | SortKey::Size, _) => table.id().to_owned(),
    }
}

/// How the rows are sorted.
pub fn order(sort: Option<(SortKey, Direction)>, table: Table) -> String {
    let id = table.id();
    let Some((key, direction)) = sort else { return id.to_owned() };
    let key = sort_key(key, table);
    let direction = match direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    format!("{key} {direction}, {id} {direction}")
}

/// SQLite's word for "all of them".
pub fn limit(limit: usize) -> i64 {
    if limit == 0 { -1 } else { i64::try_from(limit).unwrap_or(i64::MAX) }
}
