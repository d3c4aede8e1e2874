//! The fields of a row of results.

/// Those that go together, in the order in which they are shown.
enum Group {
    /// Every row has them.
    Usual(&'static [&'static str]),
    /// Only some recipes find them; where the first is unknown, so are the others.
    Special(&'static [&'static str]),
}

use Group::{Special, Usual};

const GROUPS: [Group; 9] = [
    Usual(&["fw_id", "name", "state", "formula", "natoms", "energy", "energy_per_atom", "max_force", "steps"]),
    Special(&["temperature"]),
    Usual(&["converged"]),
    Special(&["miller_index", "shift", "surface_energy"]),
    Special(&["defect", "site", "distortion", "formation_energy"]),
    Special(&["deformation"]),
    Special(&[
        "c11",
        "c12",
        "c44",
        "k_vrh",
        "g_vrh",
        "young_modulus",
        "poisson_ratio",
        "universal_anisotropy",
        "debye_temperature",
    ]),
    Special(&["lowest_frequency", "zero_point_energy", "free_energy", "entropy", "heat_capacity"]),
    Usual(&["directory"]),
];

/// All of them, in the order in which they are shown.
pub const FIELDS: [&str; 34] = {
    let (mut all, mut count, mut group) = ([""; 34], 0, 0);
    while group < GROUPS.len() {
        let (Usual(fields) | Special(fields)) = &GROUPS[group];
        let mut field = 0;
        while field < fields.len() {
            all[count] = fields[field];
            (count, field) = (count + 1, field + 1);
        }
        group += 1;
    }
    assert!(count == all.len());
    all
};

/// Those that only some recipes find, by recipe; where the first is unknown, so are the others.
pub fn special() -> impl Iterator<Item = &'static [&'static str]> {
    GROUPS.iter().filter_map(|group| match group {
        Usual(_) => None,
        Special(fields) => Some(*fields),
    })
}
