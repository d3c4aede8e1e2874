//! Selections as they are typed: `-i 7`, `-i 1,2,5-9`, `-s FIZZLED`, `-n NAME`.

use std::str::FromStr;

use crate::launchpad::Selection;
use crate::workflow::{FwId, State};

/// Ids, in the order in which they were typed, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(pub Vec<FwId>);

/// A text that is no list of ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no list of ids; write 7 or 1,2,5-9")]
pub struct BadIds(String);

/// A query in MongoDB's language as it is typed: JSON, or the Python that FireWorks takes.
pub fn query(text: &str) -> Result<bson::Document, String> {
    let value: serde_json::Value =
        serde_saphyr::from_str(text).map_err(|_| "neither JSON nor a dictionary of Python".to_owned())?;
    let map = value.as_object().ok_or("a query is a dictionary, as in '{\"state\": \"RUNNING\"}'")?;
    Ok(crate::workflow::json::to_document(map))
}

/// More ids than anybody means; a slip of the finger must not fill the memory.
const MOST: usize = 10_000_000;

impl FromStr for Ids {
    type Err = BadIds;

    fn from_str(text: &str) -> Result<Self, BadIds> {
        let bad = || BadIds(text.to_owned());
        let mut ids = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: FwId = first.trim().parse().map_err(|_| bad())?;
            let last: FwId = last.trim().parse().map_err(|_| bad())?;
            let more = usize::try_from(last - first).map_err(|_| bad())?;
            if ids.len().saturating_add(more) >= MOST {
                return Err(bad());
            }
            ids.extend(first..=last);
        }
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(*id));
        Ok(Ids(ids))
    }
}

/// Which fireworks or workflows to show; all of them when nothing is said.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectArgs {
    /// Ids of fireworks: 7 or 1,2,5-9
    #[arg(short = 'i', long = "fw_id", value_name = "IDS")]
    pub ids: Option<Ids>,

    /// Of exactly this name
    #[arg(short = 'n', long)]
    pub name: Option<String>,

    /// In this state, or in one of several: READY,RUNNING
    #[arg(short = 's', long, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<State>,

    /// That match in MongoDB's language, as JSON or as Python; on a MongoDB launchpad
    #[arg(short = 'q', long, value_name = "QUERY", value_parser = query)]
    pub query: Option<bson::Document>,
}

impl SelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        Selection {
            ids: self.ids.as_ref().map(|ids| ids.0.clone()),
            states: self.state.clone(),
            name: self.name.clone(),
            query: self.query.clone(),
            job: None,
        }
    }
}

/// Which fireworks or workflows to change: something must be said.
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("selector").required(true).multiple(true).args(["ids", "name", "state", "query"]))]
pub struct RequiredSelectArgs {
    #[command(flatten)]
    args: SelectArgs,
}

impl RequiredSelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        self.args.selection()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_json_or_python() {
        let expected = bson::doc! {"spec.formula": "Si2", "n": {"$gt": 1}, "ok": true};
        for text in [
            r#"{"spec.formula": "Si2", "n": {"$gt": 1}, "ok": true}"#,
            "{'spec.formula': 'Si2', 'n': {'$gt': 1}, 'ok': True}",
        ] {
            assert_eq!(query(text).as_ref(), Ok(&expected), "{text}");
        }
        assert!(query("{'a':").is_err() && query("[1]").is_err() && query("x").is_err());
    }

    #[test]
    fn ids_as_people_type_them() {
        let of = |text: &str| text.parse::<Ids>().map(|ids| ids.0);
        assert_eq!(of("7"), Ok(vec![7]));
        assert_eq!(of("1,2,5-9"), Ok(vec![1, 2, 5, 6, 7, 8, 9]));
        assert_eq!(of("1, 2, 2"), Ok(vec![1, 2]));
        for wrong in ["", "a", "1,", "9-5", "-1", "1-999999999999", "1-2-3"] {
            assert_eq!(of(wrong), Err(BadIds(wrong.into())), "{wrong}");
        }
    }
}
