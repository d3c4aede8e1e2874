//! POSCAR and CONTCAR: VASP 4 (elements in the comment) and 5, scale or volume or three scales, direct
//! and Cartesian coordinates, selective dynamics. The format knows only three periodic directions, so
//! reading makes everything periodic and writing forgets what was not. Velocities are not read.
//! <https://www.vasp.at/wiki/index.php/POSCAR>

use std::fmt::Write;

use crate::science::atoms::Atoms;
use crate::science::elements::{self, symbol};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, determinant, row_times};

/// Atoms from the text of a POSCAR.
pub fn read(text: &str) -> Result<Atoms> {
    let mut lines = Lines { lines: super::without_mark(text).lines(), number: 0 };
    let comment = lines.next("a comment")?;
    let scales = lines.scales()?;
    let mut cell: Mat3 = [[0.0; 3]; 3];
    for row in &mut cell {
        *row = lines.vector("a lattice vector")?;
    }
    let scales = match scales {
        Scales::Lengths(scales) => scales,
        Scales::Volume(volume) => [(volume / determinant(&cell).abs()).cbrt(); 3],
    };
    let scaled = |v: Vec3| [v[0] * scales[0], v[1] * scales[1], v[2] * scales[2]];
    cell = cell.map(scaled);
    let cell_line = lines.number;

    let mut counts = lines.next("element symbols or counts")?;
    let named = counts.split_whitespace().next().is_some_and(|word| word.parse::<usize>().is_err());
    let symbols = if named { counts } else { comment };
    if named {
        counts = lines.next("the number of atoms of each element")?;
    }
    let most = lines.lines.clone().count();
    let numbers = species(symbols, counts, named, most).map_err(|reason| lines.error(&reason))?;

    let mut mode = lines.next("the kind of coordinates")?;
    let selective = mode.trim_start().starts_with(['S', 's']);
    if selective {
        mode = lines.next("the kind of coordinates")?;
    }
    let cartesian = match mode.trim_start().chars().next() {
        Some('C' | 'c' | 'K' | 'k') => true,
        Some('D' | 'd') => false,
        _ => return Err(lines.error(&format!("Direct or Cartesian should be here, not {mode:?}"))),
    };
    let (mut positions, mut fixed) = (Vec::new(), Vec::new());
    for index in 0..numbers.len() {
        let line = lines.next("the position of an atom")?;
        let point = vector(line).map_err(|reason| lines.error(&reason))?;
        positions.push(if cartesian { scaled(point) } else { row_times(point, &cell) });
        if selective && held(line).map_err(|reason| lines.error(&reason))? {
            fixed.push(index);
        }
    }
    // Velocities stand behind a blank line or a headline.
    if lines.lines.next().is_some_and(|line| vector(line).is_ok()) {
        lines.number += 1;
        return Err(lines.error(&format!("another position, but only {} atoms are counted", numbers.len())));
    }
    let atoms = Atoms::new(numbers, positions).and_then(|atoms| atoms.with_cell(cell, [true; 3])?.with_fixed(fixed));
    atoms.map_err(|error| error.on_line(cell_line))
}

/// The text of a POSCAR (VASP 5, Cartesian, so that positions read back to the same bits).
pub fn write(atoms: &Atoms) -> Result<String> {
    if atoms.volume() == 0.0 {
        return Err(Error::bad("cell", "POSCAR needs three independent lattice vectors"));
    }
    let mut runs: Vec<(u8, usize)> = Vec::new();
    for number in atoms.numbers() {
        match runs.last_mut() {
            Some((last, count)) if last == number => *count += 1,
            _ => runs.push((*number, 1)),
        }
    }
    let join = |words: Vec<String>| words.join(" ");
    let symbols = join(runs.iter().map(|(number, _)| symbol(*number).to_owned()).collect());
    let counts = join(runs.iter().map(|(_, count)| count.to_string()).collect());
    let row = |v: &Vec3| join(v.iter().map(|x| format!("{x:?}")).collect());
    let cell: Vec<String> = atoms.cell().iter().map(row).collect();
    let mut out = format!("{}\n1.0\n{}\n{symbols}\n{counts}\n", atoms.formula(), cell.join("\n"));
    if !atoms.fixed().is_empty() {
        out.push_str("Selective dynamics\n");
    }
    out.push_str("Cartesian\n");
    for (index, position) in atoms.positions().iter().enumerate() {
        let flags = match (atoms.fixed().is_empty(), atoms.fixed().contains(&index)) {
            (true, _) => "",
            (false, true) => " F F F",
            (false, false) => " T T T",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}{flags}", row(position));
    }
    Ok(out)
}

/// The atomic numbers of `counts` atoms each of `symbols`, up to `most` in all; blocks of one element may
/// repeat. A line that is `named` for its symbols has nothing else, a comment may go on.
fn species(symbols: &str, counts: &str, named: bool, most: usize) -> std::result::Result<Vec<u8>, String> {
    let (counts, symbols) = (without_remark(counts), if named { without_remark(symbols) } else { symbols });
    let count = |word: &str| word.parse().map_err(|_| format!("{word:?} is not a number of atoms"));
    let counts = counts.split_whitespace().map(count).collect::<std::result::Result<Vec<usize>, String>>()?;
    if counts.is_empty() {
        return Err("there must be a number of atoms for each element".into());
    }
    // VASP's potentials may stand for elements: Cu_pv, Cu/1a2b3c.
    let names: Vec<&str> =
        symbols.split_whitespace().map(|word| word.split(['_', '/']).next().unwrap_or(word)).collect();
    if names.len() < counts.len() || (named && names.len() > counts.len()) {
        return Err(format!("{} counts, but the elements named are {symbols:?}", counts.len()));
    }
    let total = counts.iter().fold(0usize, |total, count| total.saturating_add(*count));
    if total > most {
        return Err(format!("{total} atoms are counted, but only {most} lines follow"));
    }
    let mut numbers = Vec::new();
    for (name, count) in names.iter().zip(&counts) {
        let number = elements::number(name).map_err(|error| error.to_string())?;
        numbers.extend(std::iter::repeat_n(number, *count));
    }
    Ok(numbers)
}

/// A line up to an exclamation mark.
fn without_remark(line: &str) -> &str {
    line.split('!').next().unwrap_or_default()
}

/// Whether the three flags behind a position hold the atom in place.
fn held(line: &str) -> std::result::Result<bool, String> {
    let flags: Vec<&str> = line.split_whitespace().skip(3).take(3).collect();
    let free = |flag: &&str| flag.trim_start_matches('.').starts_with(['T', 't']);
    let fixed = |flag: &&str| flag.trim_start_matches('.').starts_with(['F', 'f']);
    match flags.as_slice() {
        flags if flags.len() == 3 && flags.iter().all(free) => Ok(false),
        flags if flags.len() == 3 && flags.iter().all(fixed) => Ok(true),
        flags if flags.len() == 3 && flags.iter().all(|flag| free(flag) || fixed(flag)) => {
            Err("atoms fixed in some directions only are not supported".into())
        }
        _ => Err("selective dynamics needs three of T or F behind the position".into()),
    }
}

fn vector(line: &str) -> std::result::Result<Vec3, String> {
    let numbers: Vec<f64> = line.split_whitespace().take(3).map_while(|word| word.parse().ok()).collect();
    let vector = <Vec3>::try_from(numbers).map_err(|_| format!("three numbers are needed, not {line:?}"))?;
    if vector.iter().all(|x| x.is_finite()) { Ok(vector) } else { Err(format!("{line:?} is not finite")) }
}

/// What the second line says.
enum Scales {
    /// Factors of x, y and z.
    Lengths(Vec3),
    /// The volume that the cell shall have, Angstrom^3.
    Volume(f64),
}

struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str> {
        self.number += 1;
        self.lines.next().ok_or_else(|| Error::at(self.number, format!("the file ends where {what} should be")))
    }

    fn scales(&mut self) -> Result<Scales> {
        let line = self.next("the scale")?;
        let numbers: Vec<f64> = line.split_whitespace().take(3).map_while(|word| word.parse().ok()).collect();
        match *numbers {
            [x, y, z] if x > 0.0 && y > 0.0 && z > 0.0 => Ok(Scales::Lengths([x, y, z])),
            [factor] if factor > 0.0 => Ok(Scales::Lengths([factor; 3])),
            [volume] if volume < 0.0 => Ok(Scales::Volume(-volume)),
            _ => Err(self.error("the scale must be one number, not zero, or three above zero")),
        }
    }

    fn vector(&mut self, what: &str) -> Result<Vec3> {
        let line = self.next(what)?;
        vector(line).map_err(|reason| self.error(&reason))
    }

    fn error(&self, reason: &str) -> Error {
        Error::at(self.number, reason)
    }
}
