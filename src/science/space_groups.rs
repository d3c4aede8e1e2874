//! The operations of a space group by its name, from the tables of the library moyo. A name may fit
//! several settings (choices of axes and origin); the metric of the cell decides where it can, and
//! where it cannot nothing is guessed.

use moyo::data::{HallSymbolEntry, Setting, hall_symbol_entry, operations_from_number};

use super::linear::{Mat3, Vec3, dot};

/// The number of settings that the tables know.
const SETTINGS: i32 = 530;

/// The symbols that groups with an e-glide had before it got its letter (de Wolff et al., Acta Cryst. A48, 727,
/// 1992): the first Hall number of the group, and for each choice of axes the old symbol.
const BEFORE_E_GLIDES: [(i32, [&str; 6]); 4] = [
    (191, ["Abm2", "Bma2", "B2cm", "C2mb", "Cm2a", "Ac2m"]),
    (203, ["Aba2", "Bba2", "B2cb", "C2cb", "Cc2a", "Ac2a"]),
    (304, ["Cmca", "Ccmb", "Abma", "Acam", "Bbcm", "Bmab"]),
    (316, ["Cmma", "Cmmb", "Abmm", "Acmm", "Bmcm", "Bmam"]),
];

/// A rotation acting on columns of fractional coordinates, and its translation.
pub type Operation = ([[i32; 3]; 3], Vec3);

/// What a file may say of its space group.
#[derive(Clone, Copy, Debug, Default)]
pub struct Name<'a> {
    /// The number in International Tables, 1 to 230.
    pub number: Option<i32>,
    /// The Hermann-Mauguin symbol, perhaps with its setting behind a colon: "F d -3 m :2".
    pub hermann_mauguin: Option<&'a str>,
    /// The Hall symbol.
    pub hall: Option<&'a str>,
}

/// The operations of the only setting that fits `name` and `cell`, or why there is none.
///
/// ```
/// use volley::science::space_groups::{Name, operations};
/// let cubic = [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]];
/// let name = |symbol| Name { hermann_mauguin: Some(symbol), ..Name::default() };
/// assert_eq!(operations(&name("F m -3 m"), &cubic).map(|found| found.len()), Ok(192));
/// let message = operations(&name("Fd-3m"), &cubic).unwrap_err();
/// assert_eq!(message, "the space group Fd-3m has the settings 1, 2, and nothing says which");
/// ```
pub fn operations(name: &Name, cell: &Mat3) -> Result<Vec<Operation>, String> {
    let given = name.hall.or(name.hermann_mauguin).map(str::to_owned);
    let given = given.or(name.number.map(|number| number.to_string())).unwrap_or_default();
    let named: Vec<HallSymbolEntry> =
        (1..=SETTINGS).filter_map(hall_symbol_entry).filter(|entry| name.fits(entry)).collect();
    if named.is_empty() {
        return Err(format!("no space group is called {given}"));
    }
    let mut fitting = Vec::new();
    for entry in named {
        let operations = operations_of(&entry).ok_or_else(|| format!("the operations of {given} cannot be made"))?;
        // Two settings of Ccce are the same one twice.
        let known = fitting.iter().any(|(other, _): &(HallSymbolEntry, _)| other.hall_symbol == entry.hall_symbol);
        if !known && operations.iter().all(|(rotation, _)| keeps_metric(rotation, cell)) {
            fitting.push((entry, operations));
        }
    }
    match fitting.as_mut_slice() {
        [] => Err(format!("no setting of the space group {given} fits the cell")),
        [(_, operations)] => Ok(std::mem::take(operations)),
        several => {
            let settings: Vec<&str> = several.iter().map(|(entry, _)| entry.setting).collect();
            Err(format!("the space group {given} has the settings {}, and nothing says which", settings.join(", ")))
        }
    }
}

impl Name<'_> {
    fn fits(&self, entry: &HallSymbolEntry) -> bool {
        if self.number.is_some_and(|number| number != entry.number) {
            return false;
        }
        if let Some(hall) = self.hall {
            return plain(hall) == plain(entry.hall_symbol);
        }
        let Some(symbol) = self.hermann_mauguin else { return true };
        let (symbol, setting) = symbol.split_once(':').unwrap_or((symbol, ""));
        let setting = setting.trim();
        (setting.is_empty() || setting.eq_ignore_ascii_case(entry.setting)) && symbols(entry).contains(&plain(symbol))
    }
}

/// The ways to write the Hermann-Mauguin symbol of a setting.
fn symbols(entry: &HallSymbolEntry) -> Vec<String> {
    let full = entry.hm_full.to_owned();
    if (3..=15).contains(&entry.number) {
        // "P 1 21/n 1" is P21/n for short, whichever setting the group's own short symbol is of.
        let short: Vec<&str> = full.split(' ').filter(|part| *part != "1").collect();
        return vec![plain(&full), plain(&short.concat())];
    }
    let mut symbols = vec![plain(entry.hm_short), plain(&full)];
    if entry.number >= 195 {
        // Before 1983 the cubic groups were written without the bar over the 3.
        symbols.push(plain(entry.hm_short).replace("-3", "3"));
    }
    for (first, old) in BEFORE_E_GLIDES {
        let choice = usize::try_from(entry.hall_number - first).ok();
        symbols.extend(choice.and_then(|choice| old.get(choice)).map(|symbol| plain(symbol)));
    }
    symbols
}

/// A symbol without what is written in different ways.
fn plain(symbol: &str) -> String {
    symbol.to_lowercase().chars().filter(|letter| !letter.is_whitespace() && *letter != '_').collect()
}

fn operations_of(entry: &HallSymbolEntry) -> Option<Vec<Operation>> {
    let found = operations_from_number(entry.number, Setting::HallNumber(entry.hall_number), false).ok()?;
    Some(found.iter().map(|op| (op.rotation_as_array(), op.translation_as_array())).collect())
}

/// Whether a rotation changes no length and no angle of the cell, to a thousandth.
fn keeps_metric(rotation: &[[i32; 3]; 3], cell: &Mat3) -> bool {
    // Column k of the rotation is where lattice vector k goes.
    let turned: Mat3 = std::array::from_fn(|k| {
        std::array::from_fn(|axis| (0..3).map(|j| f64::from(rotation[j][k]) * cell[j][axis]).sum())
    });
    let longest = cell.iter().map(|row| dot(*row, *row)).fold(0.0, f64::max);
    let kept = |(i, j): (usize, usize)| (dot(turned[i], turned[j]) - dot(cell[i], cell[j])).abs() < 1e-3 * longest;
    [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)].into_iter().all(kept)
}
