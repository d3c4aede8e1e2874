//! Filters as people type them over a list: `s:RUNNING relax since:2h`. Words with spaces between, all of which
//! must hold; what has only begun to be typed selects nothing wrong.
//!
//! | Word | Selects |
//! |---|---|
//! | `s:RUNNING,FIZZLED` | these states; the beginning of a name is enough, in any case |
//! | `n:relax`, `relax` | names that contain this, in any case; `n:re:^relax` as `lpad -n` has it |
//! | `i:1,5-9`, `1,5-9`, `1 5` | these fireworks, or the workflows with one of them; numbers beside names are names |
//! | `w:7` | what is in the workflow of firework 7 |
//! | `e:text` | FIZZLED with an error that contains this |
//! | `j:123` | what this queue job was submitted for, or ran |
//! | `mine` | what I have added |
//! | `since:2h` | what has changed since; a date will do |
//! | `q:{...}` | what matches in MongoDB's language, to the end of the line |
//!
//! Spaces and colons stand within quotes: `n:"bulk relax"`, `"Cu: relax"`.

use std::collections::BTreeSet;

use std::collections::HashSet;

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::Selection;
use super::literal::BadLiteral;
use super::typed::{BadIds, Ids, Moment, name_pattern, query};
use crate::store::{Author, NamePattern};
use crate::workflow::{FwId, State, int};

/// A filter, with the text that it was read from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    text: String,
    ids: Option<Vec<FwId>>,
    around: Option<Vec<FwId>>,
    states: Option<Vec<State>>,
    names: Vec<String>,
    error: Option<String>,
    job: Option<String>,
    mine: bool,
    since: Option<Moment>,
    query: Option<Document>,
    /// Words without key and quotes.
    bare: Vec<String>,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// There is no such key.
    #[error("no key `{0}:` (s n i w e j since q); names: in quotes")]
    Key(String),
    /// There is no such state.
    #[error("no state begins with `{0}`")]
    State(String),
    /// Nothing can be in both.
    #[error("nothing is in two states: write s:READY,RUNNING for either")]
    TwoStates,
    /// These are no ids.
    #[error(transparent)]
    Ids(#[from] BadIds),
    /// This is no moment.
    #[error("since 90s, 10m, 2h, 3d, or a date (2026-01-31), not `{0}`")]
    Moment(String),
    /// This is no regular expression.
    #[error("{0}")]
    Name(String),
    /// This is no query.
    #[error("q: {0}")]
    Query(#[from] BadLiteral),
    /// It can be said once.
    #[error("`{0}` may come once")]
    Twice(&'static str),
}

impl Filter {
    /// Reads one.
    pub fn read(text: &str) -> Result<Self, BadFilter> {
        let mut filter = Filter { text: text.trim().to_owned(), ..Filter::default() };
        for Word { key, text, is_quoted } in words(text) {
            match (key.as_deref(), text.as_str()) {
                // What follows is still to be typed.
                (Some("s" | "n" | "i" | "w" | "e" | "j" | "since" | "q"), "") => {}
                (Some("s"), states) => filter.add_states(states)?,
                (Some("n"), name) => filter.names.push(name_like(name)?),
                (Some("i"), ids) => narrow(&mut filter.ids, begun(ids)?),
                (Some("w"), ids) => narrow(&mut filter.around, begun(ids)?),
                (Some("e"), text) => once(&mut filter.error, "e:", containing(text))?,
                (Some("j"), job) => once(&mut filter.job, "j:", job.to_owned())?,
                (Some("since"), at) => once(&mut filter.since, "since:", since(at)?)?,
                (Some("q"), literal) => filter.query = Some(query(literal)?),
                (Some(key), _) => return Err(BadFilter::Key(key.to_owned())),
                (None, name) if is_quoted => filter.names.push(containing(name)),
                (None, "mine") => filter.mine = true,
                (None, _) => filter.bare.push(text),
            }
        }
        filter.add_bare();
        Ok(filter)
    }

    /// Words without a key are ids where all of them are, and no name is beside them; else they are in names.
    fn add_bare(&mut self) {
        let ids: Result<Vec<Vec<FwId>>, BadIds> = self.bare.iter().map(|word| begun(word)).collect();
        match ids.map(|ids| ids.concat().into_iter().collect::<BTreeSet<FwId>>()) {
            Ok(ids) if ids.is_empty() => {}
            Ok(ids) if self.names.is_empty() => narrow(&mut self.ids, ids.into_iter().collect()),
            _ => self.names.extend(self.bare.iter().map(|word| containing(word))),
        }
    }

    /// How else one may ask, where this finds nothing.
    pub fn advice(&self) -> Option<String> {
        match &self.bare[..] {
            [number] if self.names.is_empty() => Some(format!("n:{number} finds it in names")),
            [] | [_] => None,
            several => Some(format!("\"{}\" finds these words side by side", several.join(" "))),
        }
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The fireworks that it selects at this time by the store's clock.
    pub fn fireworks(&self, now: Timestamp) -> Selection {
        let in_these = |ids: &Vec<FwId>| Box::new(Selection { ids: Some(ids.clone()), ..Selection::default() });
        Selection {
            ids: self.ids.clone(),
            workflows: self.around.as_ref().map(in_these),
            query: all_of(self.query.iter().cloned().chain(self.more_names())),
            ..self.alike(now)
        }
    }

    /// The workflows that it selects, likewise.
    pub fn workflows(&self, now: Timestamp) -> Selection {
        let with_these =
            |ids: &Vec<FwId>| doc! { "nodes": { "$in": ids.iter().copied().map(int).collect::<Vec<Bson>>() } };
        let also = self.around.as_ref().filter(|_| self.ids.is_some()).map(with_these);
        Selection {
            ids: self.ids.clone().or_else(|| self.around.clone()),
            query: all_of(self.query.iter().cloned().chain(self.more_names()).chain(also)),
            ..self.alike(now)
        }
    }

    /// What is the same for both.
    fn alike(&self, now: Timestamp) -> Selection {
        Selection {
            states: self.states.clone().unwrap_or_default(),
            name: self.names.first().cloned().map(NamePattern::Like),
            failed_with: self.error.clone(),
            job: self.job.clone(),
            since: self.since.map(|since| since.before(now)),
            owner: self.mine.then(|| Author::here().user.clone()),
            ..Selection::default()
        }
    }

    /// The names but the first one, for which there is a place of its own.
    fn more_names(&self) -> impl Iterator<Item = Document> {
        self.names.iter().skip(1).map(|regex| doc! { "name": { "$regex": regex } })
    }

    fn add_states(&mut self, text: &str) -> Result<(), BadFilter> {
        let mut some = Vec::new();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let begins = |state: &State| state.as_str().starts_with(&word.to_uppercase());
            let before = some.len();
            some.extend(State::ALL.into_iter().filter(begins));
            if some.len() == before {
                return Err(BadFilter::State(word.to_owned()));
            }
        }
        let states = self.states.get_or_insert_with(|| some.clone());
        states.retain(|state| some.contains(state));
        if states.is_empty() { Err(BadFilter::TwoStates) } else { Ok(()) }
    }
}

/// A word of a filter.
#[derive(Default)]
struct Word {
    /// What is before its colon.
    key: Option<String>,
    /// The rest of it, without quotes.
    text: String,
    /// Whether there were any.
    is_quoted: bool,
}

/// The words of a text; a query goes on to the end.
fn words(text: &str) -> Vec<Word> {
    let mut words = vec![];
    let mut word = Word::default();
    let mut is_open = false;
    for (at, letter) in text.char_indices() {
        let is_new = word.key.is_none() && word.text.is_empty() && !word.is_quoted;
        if is_new && let Some(query) = text[at..].strip_prefix("q:") {
            word = Word { key: Some("q".to_owned()), text: query.trim_end().to_owned(), is_quoted: false };
            break;
        }
        let may_be_key = !is_new && !word.is_quoted && word.key.is_none();
        match letter {
            '"' => (is_open, word.is_quoted) = (!is_open, true),
            space if space.is_whitespace() && !is_open => words.push(std::mem::take(&mut word)),
            ':' if may_be_key && word.text.chars().all(char::is_alphabetic) => {
                word.key = Some(std::mem::take(&mut word.text));
            }
            letter => word.text.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| word.key.is_some() || !word.text.is_empty());
    words
}

/// Ids, of which the last may be on its way.
fn begun(text: &str) -> Result<Vec<FwId>, BadIds> {
    text.trim_end_matches([',', '-']).parse::<Ids>().map(|ids| ids.0)
}

fn narrow(known: &mut Option<Vec<FwId>>, ids: Vec<FwId>) {
    match known {
        Some(known) => {
            let ids: HashSet<FwId> = ids.into_iter().collect();
            known.retain(|id| ids.contains(id));
        }
        None => *known = Some(ids),
    }
}

fn once<T>(known: &mut Option<T>, word: &'static str, value: T) -> Result<(), BadFilter> {
    if known.replace(value).is_some() { Err(BadFilter::Twice(word)) } else { Ok(()) }
}

/// A bare number has no unit, and a date has more than that.
fn since(text: &str) -> Result<Moment, BadFilter> {
    let bad = || BadFilter::Moment(text.to_owned());
    if text.parse::<f64>().is_ok() { Err(bad()) } else { text.parse().map_err(|_| bad()) }
}

fn name_like(text: &str) -> Result<String, BadFilter> {
    match name_pattern(text).map_err(BadFilter::Name)? {
        NamePattern::Exactly(text) => Ok(containing(&text)),
        NamePattern::Like(regex) => Ok(regex),
    }
}

/// A regular expression that finds a text in any case.
fn containing(text: &str) -> String {
    format!("(?i){}", regex::escape(text))
}

fn all_of(conditions: impl Iterator<Item = Document>) -> Option<Document> {
    let mut all: Vec<Document> = conditions.collect();
    match all.len() {
        0 | 1 => all.pop(),
        _ => Some(doc! { "$and": all }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().expect("a date")
    }

    fn fireworks(text: &str) -> Selection {
        Filter::read(text).expect(text).fireworks(now())
    }

    #[test]
    fn words_are_conditions() {
        let like = |text: &str| Some(NamePattern::Like(text.to_owned()));
        for (text, selection) in [
            ("", Selection::default()),
            ("  ", Selection::default()),
            ("s:running,FIZZLED", Selection { states: vec![State::Running, State::Fizzled], ..Selection::default() }),
            ("n:relax", Selection { name: like("(?i)relax"), ..Selection::default() }),
            ("Cu(111)", Selection { name: like(r"(?i)Cu\(111\)"), ..Selection::default() }),
            ("n:\"bulk relax", Selection { name: like("(?i)bulk relax"), ..Selection::default() }),
            ("n:re:^relax", Selection { name: like("^relax"), ..Selection::default() }),
            ("\"a:b\"", Selection { name: like("(?i)a:b"), ..Selection::default() }),
            ("12:30", Selection { name: like("(?i)12:30"), ..Selection::default() }),
            ("\"7\"", Selection { name: like("(?i)7"), ..Selection::default() }),
            ("i:1,5-7", Selection { ids: Some(vec![1, 5, 6, 7]), ..Selection::default() }),
            ("1,5-7", Selection { ids: Some(vec![1, 5, 6, 7]), ..Selection::default() }),
            ("361 362 5-6", Selection { ids: Some(vec![5, 6, 361, 362]), ..Selection::default() }),
            ("i:1-9 5-12", Selection { ids: Some(vec![5, 6, 7, 8, 9]), ..Selection::default() }),
            ("e:memory", Selection { failed_with: Some("(?i)memory".to_owned()), ..Selection::default() }),
            ("j:123_4", Selection { job: Some("123_4".to_owned()), ..Selection::default() }),
            ("mine", Selection { owner: Some(Author::here().user.clone()), ..Selection::default() }),
            ("since:2h", Selection { since: "2026-11-26T10:00:00Z".parse().ok(), ..Selection::default() }),
            ("q:{'a': 'b c'} ", Selection { query: Some(doc! {"a": "b c"}), ..Selection::default() }),
        ] {
            assert_eq!(fireworks(text), selection, "{text}");
        }
    }

    #[test]
    fn all_must_hold() {
        let all = fireworks("relax s:READY Cu q:{'a': 1}");
        assert_eq!(all.states, [State::Ready]);
        assert_eq!(all.name, Some(NamePattern::Like("(?i)relax".to_owned())));
        assert_eq!(all.query, Some(doc! {"$and": [{"a": 1}, {"name": {"$regex": "(?i)Cu"}}]}));
        for text in ["step 0", "n:step 0"] {
            let both = fireworks(text);
            assert_eq!((both.ids, both.name), (None, Some(NamePattern::Like("(?i)step".to_owned()))), "{text}");
            assert_eq!(both.query, Some(doc! {"name": {"$regex": "(?i)0"}}), "{text}");
        }
        assert_eq!(fireworks("0 step").name, Some(NamePattern::Like("(?i)0".to_owned())));
        assert_eq!(fireworks("s:R s:RE").states, [State::Ready, State::Reserved]);
    }

    #[test]
    fn what_has_only_begun_selects_nothing_wrong() {
        for text in ["s:", "n:", "i:", "e:", "j:", "since:", "q:", "w:", "\""] {
            assert_eq!(fireworks(text), Selection::default(), "{text}");
        }
        assert_eq!(fireworks("s:r").states, [State::Ready, State::Reserved, State::Running]);
        assert_eq!(fireworks("s:RUNNING,").states, [State::Running]);
        assert_eq!(fireworks("5-").ids, Some(vec![5]));
        assert_eq!(fireworks("i:5,").ids, Some(vec![5]));
    }

    #[test]
    fn a_workflow_stands_around_its_fireworks() {
        let around = fireworks("w:7").workflows.expect("a workflow");
        assert_eq!(around.ids, Some(vec![7]));
        let workflows = |text| Filter::read(text).expect(text).workflows(now());
        assert_eq!(workflows("w:7"), Selection { ids: Some(vec![7]), ..Selection::default() });
        let both = workflows("w:7 i:8");
        assert_eq!((both.ids, both.query), (Some(vec![8]), Some(doc! {"nodes": {"$in": [7]}})));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("zz:1", "no key `zz:` (s n i w e j since q)"),
            ("s:DONE", "no state begins with `DONE`"),
            ("s:READY s:RUNNING", "nothing is in two states"),
            ("i:a", "`a` is no list of ids"),
            ("since:yesterday", "since 90s, 10m, 2h, 3d, or a date (2026-01-31), not `yesterday`"),
            ("since:3", "since 90s, 10m, 2h, 3d, or a date (2026-01-31), not `3`"),
            ("n:re:(", "`(` is no regular expression"),
            ("j:1 j:2", "`j:` may come once"),
            ("s:READY q:{'a':", "q: at character 6: the text ends"),
        ] {
            let bad = Filter::read(text).expect_err(text).to_string();
            assert!(bad.starts_with(why), "{text}: {bad}");
        }
    }
}
