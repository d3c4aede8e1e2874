//! `--set opt_params.fmax=0.05`: parameters of a recipe on the command line.

use std::str::FromStr;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// One of them: where it goes, and what.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// As it was typed.
    text: String,
    path: Vec<String>,
    value: Value,
}

/// A text that sets nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` sets nothing: {reason}; write key=value or key.key=value, as in opt_params.fmax=0.05")]
pub struct BadSetting {
    text: String,
    reason: String,
}

impl FromStr for Setting {
    type Err = BadSetting;

    /// The value is YAML: a number, true, false, null, a word, `[1, 2]` or `{key: value}`.
    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let bad = |reason: &str| BadSetting { text: text.to_owned(), reason: reason.to_owned() };
        let (path, value) = text.split_once('=').ok_or_else(|| bad("there is no ="))?;
        let path: Vec<String> = path.split('.').map(|key| key.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(bad("a key is empty"));
        }
        let value = serde_saphyr::from_str(value).map_err(|_| bad("the value is no YAML"))?;
        Ok(Self { text: text.to_owned(), path, value })
    }
}

/// All of them as one object; of two for one key the last counts.
pub fn object(settings: &[Setting]) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for setting in settings {
        let Some((last, above)) = setting.path.split_last() else { continue };
        let mut place = &mut all;
        for key in above {
            let below = place.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(below) = below else { bail!("--set: {key} cannot be both a value and an object") };
            place = below;
        }
        place.insert(last.clone(), setting.value.clone());
    }
    Ok(all)
}

/// What `make` makes of all of them; an error names the one without which it would be another, or none.
pub fn made<T, E>(settings: &[Setting], make: impl Fn(&Value) -> Result<T, E>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let made = |settings: &[Setting]| Ok::<_, anyhow::Error>(make(&Value::Object(object(settings)?)));
    let error = match made(settings)? {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    let is_at_fault = |place: usize| {
        let others = [&settings[..place], &settings[place + 1..]].concat();
        made(&others).is_ok_and(|made| made.err().is_none_or(|other| other.to_string() != error.to_string()))
    };
    let culprit = (0..settings.len()).find(|place| is_at_fault(*place));
    let context = culprit.map_or_else(|| "--set".to_owned(), |place| format!("--set {}", settings[place].text));
    Err(anyhow::Error::new(error).context(context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(texts: &[&str]) -> Result<Value> {
        let settings: Result<Vec<Setting>, _> = texts.iter().map(|text| text.parse()).collect();
        Ok(Value::Object(object(&settings?)?))
    }

    #[test]
    fn dots_lead_into_objects() {
        let found = of(&[
            "relax_cell=true",
            "opt_params.fmax=0.05",
            "opt_params.optimizer=FIRE",
            "make_slabs_kwargs.z_fix=null",
        ]);
        let expected = json!({
            "relax_cell": true,
            "opt_params": {"fmax": 0.05, "optimizer": "FIRE"},
            "make_slabs_kwargs": {"z_fix": null},
        });
        assert_eq!(found.expect("reads"), expected);
        assert_eq!(of(&["a=1", "a=[Cu, {b: 2}]"]).expect("reads"), json!({"a": ["Cu", {"b": 2}]}));
    }

    #[test]
    fn mistakes_are_named() {
        for (texts, part) in [
            (&["fmax"][..], "there is no ="),
            (&["a..b=1"], "a key is empty"),
            (&["a=[1"], "no YAML"),
            (&["a=1", "a.b=2"], "both a value and an object"),
        ] {
            let message = of(texts).expect_err("is refused").to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
