//! What recipes can be told, in words: for help, and for whoever gives a parameter at the wrong place.

mod lists;

use super::{BulkToDefectsFlow, BulkToSlabsFlow, ElasticTensorFlow, MdJob, PhononFlow, RelaxJob, StaticJob};
use crate::science::Error;

pub use lists::{DEFECTS, ELASTIC, MD, PHONONS, RELAX, SLABS, STATIC};

/// The key with those above it, as `opt_params.fmax`; the default, empty where that depends on others; what
/// it is, with its unit.
#[derive(Debug)]
struct Parameter(&'static str, &'static str, &'static str);

/// All parameters of a recipe.
#[derive(Debug)]
pub struct Parameters {
    recipe: &'static str,
    list: &'static [Parameter],
    examples: &'static [&'static str],
}

/// Those of all recipes, with the keys that these have.
static ALL: [(&Parameters, &[&str]); 7] = [
    (&RELAX, &RelaxJob::KEYS),
    (&STATIC, &StaticJob::KEYS),
    (&MD, &MdJob::KEYS),
    (&SLABS, &BulkToSlabsFlow::KEYS),
    (&DEFECTS, &BulkToDefectsFlow::KEYS),
    (&ELASTIC, &ElasticTensorFlow::KEYS),
    (&PHONONS, &PhononFlow::KEYS),
];

/// Where an explanation begins.
const COLUMN: usize = 38;
/// How wide lines are at most.
const WIDTH: usize = 80;

impl Parameters {
    /// For the end of a help text.
    pub fn help(&self) -> String {
        let mut text = "Parameters, each as --set KEY=VALUE, with defaults:\n".to_owned();
        self.list.iter().for_each(|parameter| text.push_str(&parameter.help()));
        text.push_str("Lists are written [1,2,3], objects {key: value}; some shells want quotes.\n\nExamples:");
        self.examples.iter().for_each(|example| text.push_str(&folded(example)));
        text
    }

    /// Where `key` belongs, with the keys above it: itself among these, or in what these hold of other recipes.
    fn home(&self, key: &str) -> Option<String> {
        let own = self.list.iter().find_map(|Parameter(path, ..)| above(path, key).map(str::to_owned));
        let inside = |place: &'static str, other: &Parameters| {
            let is_there = self.list.iter().any(|parameter| parameter.0 == place);
            is_there.then(|| other.home(key)).flatten().map(|path| format!("{place}.{path}"))
        };
        own.or_else(|| inside("job_params.all", &STATIC)).or_else(|| inside("job_params.relax_job", &RELAX))
    }
}

impl Parameter {
    fn help(&self) -> String {
        let Self(path, default, meaning) = self;
        let shown = if default.is_empty() { format!("  {path}") } else { format!("  {path}={default}") };
        let mut lines = vec![format!("{shown:<COLUMN$}")];
        if shown.chars().count() >= COLUMN {
            lines.push(" ".repeat(COLUMN));
        }
        for word in meaning.split(' ') {
            let last = lines.last().map_or(0, |line| line.chars().count());
            if last > COLUMN && last + 1 + word.chars().count() > WIDTH {
                lines.push(" ".repeat(COLUMN));
            }
            if let Some(line) = lines.last_mut() {
                let gap = if line.chars().count() > COLUMN { " " } else { "" };
                line.push_str(gap);
                line.push_str(word);
            }
        }
        lines.join("\n") + "\n"
    }
}

/// A command in a line of its own, or in several.
fn folded(command: &str) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for part in command.split(" --") {
        let long = part.chars().count() + " --".len();
        if text.is_empty() {
            text = format!("\n  {part}");
            used = long;
        } else if used + long + " \\".len() > WIDTH {
            text.push_str(&format!(" \\\n      --{part}"));
            used = long + "      ".len();
        } else {
            text.push_str(&format!(" --{part}"));
            used += long;
        }
    }
    text
}

/// `path` as far as `key`, if that is in it.
fn above<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let mut end = 0;
    for part in path.split('.') {
        end += part.len();
        if part == key {
            return path.get(..end);
        }
        end += 1;
    }
    None
}

/// Where `key` belongs in the parameters of a recipe, or of several, that has the keys `known` and not this one.
pub fn home(key: &str, known: &[&str]) -> Option<String> {
    let has = |keys: &[&str]| keys.iter().all(|key| known.contains(key));
    ALL.iter().filter(|(_, keys)| has(keys)).find_map(|(parameters, _)| parameters.home(key))
}

/// An error about an unknown key, if that is known elsewhere one that says where.
pub(super) fn hinted(error: Error) -> Error {
    let Error::UnknownKey { key, place, nearest } = error else { return error };
    let object = place.split(' ').next().unwrap_or_default();
    let recipe = place.strip_prefix("the parameters of ");
    let holds = |parameters: &Parameters| match recipe {
        Some(recipe) => parameters.recipe == recipe,
        None => parameters.list.iter().any(|parameter| above(parameter.0, object).is_some()),
    };
    let mut homes = ALL.iter().map(|(parameters, _)| *parameters).filter(|one| holds(one)).map(|one| one.home(&key));
    let home = homes.next().flatten();
    // An object of this name may be part of several recipes, that have different keys beside it.
    let is_clear = homes.all(|other| other == home);
    match home.filter(|_| is_clear) {
        // Known here, but not with what else is given.
        Some(path) if path.rsplit('.').nth(1) == Some(object) => Error::UnknownKey { key, place, nearest },
        Some(path) if path == key => {
            let nearest = Some(format!("{path} beside {place}"));
            Error::UnknownKey { key, place, nearest }
        }
        Some(path) => Error::UnknownKey { key, place, nearest: Some(path) },
        None => Error::UnknownKey { key, place, nearest },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    /// All defaults that are told, as parameters.
    fn defaults(parameters: &Parameters) -> Value {
        let mut all = json!({});
        for Parameter(path, default, _) in parameters.list.iter().filter(|parameter| !parameter.1.is_empty()) {
            let mut place = &mut all;
            for key in path.split('.') {
                let map: &mut Map<String, Value> = place.as_object_mut().expect("an object");
                place = map.entry(key).or_insert_with(|| json!({}));
            }
            let value: Value = serde_saphyr::from_str(default).expect(path);
            // What is `{}` may have been filled already.
            if value != json!({}) {
                *place = value;
            }
        }
        all
    }

    #[test]
    fn every_key_is_told_and_no_other() {
        for (parameters, keys) in ALL {
            let told: Vec<&str> =
                parameters.list.iter().map(|parameter| parameter.0.split('.').next().expect("a key")).collect();
            for key in keys {
                assert!(told.contains(key), "{key} of {}", parameters.recipe);
            }
            for key in told {
                assert!(keys.contains(&key), "{key} of {}", parameters.recipe);
            }
        }
    }

    #[test]
    fn defaults_are_those_of_the_recipes() {
        fn same<T: std::fmt::Debug>(parameters: &Parameters, read: fn(&Value) -> super::super::Result<T>) {
            let [told, own] =
                [defaults(parameters), json!({})].map(|given| format!("{:?}", read(&given).expect("reads")));
            assert_eq!(told, own, "{}", parameters.recipe);
        }
        same(&RELAX, RelaxJob::from_value);
        same(&STATIC, StaticJob::from_value);
        same(&MD, MdJob::from_value);
        same(&SLABS, BulkToSlabsFlow::from_value);
        same(&DEFECTS, BulkToDefectsFlow::from_value);
        same(&ELASTIC, ElasticTensorFlow::from_value);
        same(&PHONONS, PhononFlow::from_value);
    }

    #[test]
    fn a_key_at_the_wrong_place_is_told_where_it_belongs() {
        let wrong = |error: super::super::Error| error.to_string();
        let relax = |given: Value| wrong(RelaxJob::from_value(&given).expect_err("is refused"));
        assert!(relax(json!({"fmax": 0.1})).ends_with("(did you mean \"opt_params.fmax\"?)"));
        assert!(relax(json!({"asap_cutoff": true})).ends_with("(did you mean \"calc_params.asap_cutoff\"?)"));
        assert!(relax(json!({"filter": "x"})).ends_with("(did you mean \"opt_params.filter\"?)"));
        assert!(relax(json!({"opt_params": {"relax_cell": 1}})).ends_with("\"relax_cell beside opt_params\"?)"));
        assert!(relax(json!({"opt_params": {"fmx": 1}})).ends_with("(did you mean \"fmax\"?)"));
        let md = |given: Value| wrong(MdJob::from_value(&json!({"md_params": given})).expect_err("is refused"));
        for key in ["friction", "taut", "loginterval"] {
            let hint = format!("unknown key {key:?} in md_params (did you mean \"md_params.dynamics_kwargs.{key}\"?)");
            assert_eq!(md(json!({key: 1})), hint);
        }
        assert!(md(json!({"dynamics": "nvt"})).ends_with("(did you mean \"dynamics beside md_params\"?)"));
        assert_eq!(md(json!({"dynamics_kwargs": {"taut": 1}})), "unknown key \"taut\" in dynamics_kwargs");
        let elastic = |given: Value| wrong(ElasticTensorFlow::from_value(&given).expect_err("is refused"));
        assert!(elastic(json!({"relax_cell": false})).contains("\"job_params.relax_job.relax_cell\""));
        assert!(elastic(json!({"asap_cutoff": true})).contains("\"job_params.all.calc_params.asap_cutoff\""));
        assert!(elastic(json!({"opt_params": {}})).contains("\"job_params.relax_job.opt_params\""));
        assert_eq!(home("fmax", &PhononFlow::KEYS), None);
        assert_eq!(home("nothing", &RelaxJob::KEYS), None);
    }

    #[test]
    fn help_is_narrow() {
        for (parameters, _) in ALL {
            let help = parameters.help();
            assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
        }
    }
}
