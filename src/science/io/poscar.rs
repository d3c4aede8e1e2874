//! POSCAR and CONTCAR: VASP 4 (elements in the comment) and 5, scale or volume, direct and Cartesian
//! coordinates, selective dynamics. The format knows only three periodic directions, so reading
//! makes everything periodic and writing forgets what was not.

use std::fmt::Write;

use crate::science::atoms::Atoms;
use crate::science::elements::{self, symbol};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, determinant, row_times, scale};

/// Atoms from the text of a POSCAR.
pub fn read(text: &str) -> Result<Atoms> {
    let mut lines = Lines { lines: super::without_mark(text).lines(), number: 0 };
    let comment = lines.next("a comment")?;
    let factor = match lines.numbers("the scale")?.as_slice() {
        [factor] if *factor != 0.0 => *factor,
        _ => return Err(lines.error("the scale must be one number, not zero")),
    };
    let mut cell: Mat3 = [[0.0; 3]; 3];
    for row in &mut cell {
        *row = lines.vector("a lattice vector")?;
    }
    // A negative scale is the volume wanted.
    let factor = if factor > 0.0 { factor } else { (-factor / determinant(&cell).abs()).cbrt() };
    cell = cell.map(|row| scale(row, factor));

    let mut counts = lines.next("element symbols or counts")?;
    let mut symbols = comment;
    if counts.split_whitespace().next().is_some_and(|word| word.parse::<usize>().is_err()) {
        symbols = counts;
        counts = lines.next("the number of atoms of each element")?;
    }
    let most = lines.lines.clone().count();
    let numbers = species(symbols, counts, most).map_err(|reason| lines.error(&reason))?;

    let mut mode = lines.next("the kind of coordinates")?;
    let selective = mode.trim_start().starts_with(['S', 's']);
    if selective {
        mode = lines.next("the kind of coordinates")?;
    }
    let cartesian = mode.trim_start().starts_with(['C', 'c', 'K', 'k']);
    let (mut positions, mut fixed) = (Vec::new(), Vec::new());
    for index in 0..numbers.len() {
        let line = lines.next("the position of an atom")?;
        let point = vector(line).map_err(|reason| lines.error(&reason))?;
        positions.push(if cartesian { scale(point, factor) } else { row_times(point, &cell) });
        if selective && held(line).map_err(|reason| lines.error(&reason))? {
            fixed.push(index);
        }
    }
    Atoms::new(numbers, positions)?.with_cell(cell, [true; 3])?.with_fixed(fixed)
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

/// The atomic numbers of `counts` atoms each of `symbols`, up to `most` in all; blocks of one element may repeat.
fn species(symbols: &str, counts: &str, most: usize) -> std::result::Result<Vec<u8>, String> {
    let counts: Vec<usize> = counts.split_whitespace().map_while(|word| word.parse().ok()).collect();
    if counts.is_empty() {
        return Err("there must be a number of atoms for each element".into());
    }
    // VASP's potentials may stand for elements: Cu_pv, Cu/1a2b3c.
    let names: Vec<&str> =
        symbols.split_whitespace().map(|word| word.split(['_', '/']).next().unwrap_or(word)).collect();
    if names.len() < counts.len() {
        return Err(format!("{} counts, but elements named are only {symbols:?}", counts.len()));
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

struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str> {
        self.number += 1;
        self.lines.next().ok_or_else(|| Error::at(self.number, format!("the file ends where {what} should be")))
    }

    fn numbers(&mut self, what: &str) -> Result<Vec<f64>> {
        let line = self.next(what)?;
        Ok(line.split_whitespace().map_while(|word| word.parse().ok()).collect())
    }

    fn vector(&mut self, what: &str) -> Result<Vec3> {
        let line = self.next(what)?;
        vector(line).map_err(|reason| self.error(&reason))
    }

    fn error(&self, reason: &str) -> Error {
        Error::at(self.number, reason)
    }
}
