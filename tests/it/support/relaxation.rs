//! Relaxations that take their time.

use std::path::Path;

use serde_json::{Value, json};

/// The tasks of a relaxation that is never done: no force is as small as it asks for. Copper, `4
/// size^3` atoms out of their places.
pub fn never_done(size: usize, more: Value) -> Value {
    let bulk = json!({"bulk": {"name": "Cu", "cubic": true, "supercell": [size, size, size]}});
    let atoms = volley::science::structure::build(&bulk).expect("is one");
    let mut plain = volley::science::structure::plain(&atoms);
    let positions = plain["positions"].as_array_mut().expect("is a list");
    for (place, coordinate) in positions.iter_mut().flat_map(|row| row.as_array_mut().expect("a row")).enumerate() {
        *coordinate = json!(coordinate.as_f64().expect("a number") + 0.1 * (place as f64).sin());
    }
    let opt = json!({"optimizer": "FIRE", "fmax": 1e-300, "max_steps": 1_000_000_000});
    let mut task = json!({"_fw_name": "EmtRelaxTask", "structure": plain, "opt_params": opt});
    task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    json!([task])
}

/// How many steps opt.log tells of, the start being one.
pub fn opt_steps(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("opt.log")).unwrap_or_default();
    text.lines().filter(|line| line.contains("FIRE:")).count()
}

/// The energy of the last of them, as it stands there.
pub fn last_energy(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("opt.log")).expect("is there");
    let last = text.lines().last().expect("has steps");
    last.split_whitespace().nth(3).expect("has an energy").to_owned()
}
