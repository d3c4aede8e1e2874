//! The short form of a structure on a command line: `bulk:Cu:a=3.6,cubic`, `molecule:N2`, or a file.

use serde_json::{Map, Value, json};

use super::{Error, Result, build};
use crate::science::nearest::nearest;

/// What stands before the first colon.
const KINDS: [&str; 3] = ["bulk", "molecule", "surface"];

/// The specification that a short form stands for; everything but a file has been tried with [`build`].
///
/// `KIND:NAME` or `KIND:NAME:KEY=VALUE,KEY,...`, a key alone being true. Anything else is a file, whether or
/// not it is there; one with a colon in its name needs a folder before it, as `./odd:name.xyz`.
///
/// ```
/// use serde_json::json;
/// use volley::science::structure::parse_short;
/// let spec = parse_short("bulk:Cu:a=3.6,cubic")?;
/// assert_eq!(spec, json!({"bulk": {"name": "Cu", "a": 3.6, "cubic": true}}));
/// assert_eq!(parse_short("CONTCAR")?, json!({"file": "CONTCAR"}));
/// let message = parse_short("bulk:Cu:cubik").unwrap_err().to_string();
/// assert_eq!(message, "unknown key \"cubik\" in bulk (did you mean \"cubic\"?)");
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn parse_short(text: &str) -> Result<Value> {
    let spec = read(text)?;
    if spec.get("file").is_none() {
        build(&spec)?;
    }
    Ok(spec)
}

fn read(text: &str) -> Result<Value> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric());
    let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| is_word(kind)) else {
        return Ok(json!({"file": text}));
    };
    if !KINDS.contains(&kind) {
        let Some(near) = nearest(kind, KINDS) else {
            return Err(Error::bad(text, format!("there is no kind {kind:?}; for a file of this name write ./{text}")));
        };
        return Err(Error::UnknownKey { key: kind.to_owned(), place: text.to_owned(), nearest: Some(near.to_owned()) });
    }
    let (name, options) = rest.split_once(':').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(Error::bad(text, format!("a name is missing, as in {kind}:NAME")));
    }
    if options.is_empty() {
        return Ok(json!({kind: name}));
    }
    let mut map = Map::from_iter([("name".to_owned(), name.into())]);
    for option in options.split(',') {
        let (key, value) = match option.split_once('=') {
            Some((key, value)) => (key, item(value)),
            None => (option, Value::Bool(true)),
        };
        if key.is_empty() || value == "" {
            return Err(Error::bad(text, format!("{option:?} is neither KEY=VALUE nor KEY")));
        }
        if map.insert(key.to_owned(), value).is_some() {
            return Err(Error::bad(text, format!("{key} is given twice")));
        }
    }
    Ok(json!({kind: map}))
}

/// A number, true or false, the counts of a size like 2x2x3, or a word.
fn item(text: &str) -> Value {
    let counts: Option<Vec<u64>> = text.split('x').map(|count| count.parse().ok()).collect();
    let json = || serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
    match counts.filter(|counts| counts.len() > 1) {
        Some(counts) => counts.into(),
        None => json().unwrap_or_else(|| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read() {
        let surface = "surface:fcc111:symbol=Cu,size=1x1x3,vacuum=10,orthogonal=false";
        let expected = json!({"surface": {
            "name": "fcc111", "symbol": "Cu", "size": [1, 1, 3], "vacuum": 10, "orthogonal": false,
        }});
        let forms = [
            (surface, expected),
            ("bulk:Cu", json!({"bulk": "Cu"})),
            ("molecule:N2", json!({"molecule": "N2"})),
            ("slabs/POSCAR_1", json!({"file": "slabs/POSCAR_1"})),
            ("./odd:name.xyz", json!({"file": "./odd:name.xyz"})),
        ];
        for (text, expected) in forms {
            assert_eq!(read(text).expect(text), expected);
        }
    }

    #[test]
    fn wrong_short_forms_are_explained() {
        let wrong = |text: &str| parse_short(text).expect_err(text).to_string();
        assert_eq!(wrong("bluk:Cu"), "unknown key \"bluk\" in bluk:Cu (did you mean \"bulk\"?)");
        assert_eq!(
            wrong("run:2.xyz"),
            "run:2.xyz: there is no kind \"run\"; for a file of this name write ./run:2.xyz"
        );
        assert_eq!(wrong("bulk:"), "bulk:: a name is missing, as in bulk:NAME");
        assert_eq!(wrong("bulk:Cu:a=3,a=4"), "bulk:Cu:a=3,a=4: a is given twice");
        assert_eq!(wrong("bulk:Cu:a="), "bulk:Cu:a=: \"a=\" is neither KEY=VALUE nor KEY");
        assert_eq!(wrong("bulk:Cu:a=wide"), "a of bulk: must be a number above 0, not \"wide\"");
        assert_eq!(wrong("bulk:Qq"), "unknown element \"Qq\"");
    }
}
