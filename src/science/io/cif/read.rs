//! From the blocks of a CIF file to atoms.

use super::CELL;
use super::block::{Block, Word, blocks};
use super::operations::{Operation, parse};
use super::sites::{Site, expand};
use super::tokens::tokens;
use crate::science::atoms::Atoms;
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, row_times};
use crate::science::space_groups::{self, Name};

const FRACTIONS: [&str; 3] = ["_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"];
const SYMOPS: [&str; 2] = ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];
const HALL: [&str; 2] = ["_space_group_name_hall", "_symmetry_space_group_name_hall"];
const HERMANN_MAUGUIN: [&str; 3] =
    ["_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full"];
const NUMBER: [&str; 2] = ["_space_group_it_number", "_symmetry_int_tables_number"];

/// The structure of every block that has atoms; at least one.
pub fn read(text: &str) -> Result<Vec<Atoms>> {
    let blocks = blocks(tokens(super::super::without_mark(text))?)?;
    let with_atoms =
        |block: &&Block| block.column(&FRACTIONS).is_some() || block.column(&["_atom_site_cartn_x"]).is_some();
    let structures = blocks.iter().filter(with_atoms).map(structure).collect::<Result<Vec<Atoms>>>()?;
    if structures.is_empty() {
        Err(Error::at(1, "no block lists atoms (_atom_site_fract_x, ...)"))
    } else {
        Ok(structures)
    }
}

fn structure(block: &Block) -> Result<Atoms> {
    let cell = cell(block)?;
    let sites = sites(block)?;
    let operations = operations(block, &cell)?;
    let (numbers, points) = expand(&sites, &operations, &cell).map_err(|(line, reason)| Error::at(line, reason))?;
    let positions = points.into_iter().map(|point| row_times(point, &cell)).collect();
    let atoms = Atoms::new(numbers, positions).and_then(|atoms| atoms.with_cell(cell, [true; 3]));
    atoms.map_err(|error| error.on_line(block.line))
}

/// The cell with a along x and b in the plane of x and y.
fn cell(block: &Block) -> Result<Mat3> {
    let mut parameters = [0.0; 6];
    for (value, tag) in parameters.iter_mut().zip(CELL) {
        let missing = || Error::at(block.line, format!("{tag} of data_{} is missing", block.name));
        let (text, line) = block.single(&[tag]).ok_or_else(missing)?;
        let wrong = || Error::at(line, format!("{tag} must be a number above 0, not {text:?}"));
        *value = number(text).filter(|value| *value > 0.0).ok_or_else(wrong)?;
    }
    let [a, b, c, alpha, beta, gamma] = parameters;
    // Right angles shall be exactly right.
    let cosine = |angle: f64| if angle == 90.0 { 0.0 } else { angle.to_radians().cos() };
    let (cos_alpha, cos_beta, cos_gamma) = (cosine(alpha), cosine(beta), cosine(gamma));
    let sin_gamma = if gamma == 90.0 { 1.0 } else { gamma.to_radians().sin() };
    let y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma;
    let z = 1.0 - cos_beta * cos_beta - y * y;
    let flat = [alpha, beta, gamma].iter().any(|angle| *angle >= 180.0);
    if flat || z.is_nan() || z <= 0.0 {
        let line = block.single(&CELL[3..]).map_or(block.line, |(_, line)| line);
        return Err(Error::at(line, format!("no cell has the angles {alpha}, {beta}, {gamma}")));
    }
    Ok([[a, 0.0, 0.0], [b * cos_gamma, b * sin_gamma, 0.0], [c * cos_beta, c * y, c * z.sqrt()]])
}

fn sites(block: &Block) -> Result<Vec<Site>> {
    let Some(xs) = block.column(&FRACTIONS[..1]) else {
        return Err(Error::at(block.line, format!("_atom_site_fract_x of data_{} is missing", block.name)));
    };
    let beside = |tag: &str| block.beside(FRACTIONS[0], tag);
    let (ys, zs) = match (beside(FRACTIONS[1]), beside(FRACTIONS[2])) {
        (Some(ys), Some(zs)) => (ys, zs),
        _ => return Err(Error::at(block.line, "_atom_site_fract_y and _z must stand beside _x")),
    };
    let (types, labels) = (beside("_atom_site_type_symbol"), beside("_atom_site_label"));
    let names = types.or(labels).ok_or_else(|| Error::at(block.line, "_atom_site_type_symbol is missing"))?;
    let mut sites = Vec::with_capacity(xs.len());
    for (index, x) in xs.iter().enumerate() {
        let fail = |reason: String| Error::at(x.line, reason);
        let text = |words: Option<&[Word]>| words.and_then(|words| words[index].text.clone());
        let name = text(labels).or(text(types)).unwrap_or_else(|| format!("site {}", index + 1));
        let symbol = names[index].text.as_deref().ok_or_else(|| fail(format!("{name} has no element")))?;
        let mut point: Vec3 = [0.0; 3];
        for (value, word) in point.iter_mut().zip([x, &ys[index], &zs[index]]) {
            let given = word.text.as_deref().ok_or_else(|| fail(format!("{name} has no coordinates")))?;
            *value = number(given).ok_or_else(|| fail(format!("{given:?} is not a coordinate")))?;
        }
        if let Some(occupancy) = text(beside("_atom_site_occupancy"))
            && number(&occupancy).is_none_or(|occupancy| (occupancy - 1.0).abs() > 1e-8)
        {
            return Err(fail(format!("{name} has the occupancy {occupancy}; partial occupancies are not supported")));
        }
        if let Some(count) = text(beside("_atom_site_attached_hydrogens"))
            && count != "0"
        {
            return Err(fail(format!("{name} has {count} hydrogen atoms without coordinates")));
        }
        sites.push(Site { line: x.line, number: element(symbol).map_err(fail)?, name, point });
    }
    Ok(sites)
}

/// The element of a type symbol like Cu2+ or a label like Cu1A.
fn element(text: &str) -> std::result::Result<u8, String> {
    let symbol = &text[..text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len())];
    match symbol {
        // To EMT isotopes are alike.
        "D" | "T" => Ok(1),
        _ => elements::number(symbol).map_err(|error| format!("{text:?}: {error}")),
    }
}

/// The operations as listed, else those of the space group named, else none but the identity.
fn operations(block: &Block, cell: &Mat3) -> Result<Vec<Operation>> {
    if let Some(words) = block.column(&SYMOPS) {
        let read = |word: &Word| {
            parse(word.text.as_deref().unwrap_or_default()).map_err(|reason| Error::at(word.line, reason))
        };
        return words.iter().map(read).collect();
    }
    let single = |tags| block.single(tags);
    let number = match single(&NUMBER) {
        None => None,
        Some((text, line)) => {
            let number = text.trim().parse::<i32>();
            Some((number.map_err(|_| Error::at(line, format!("{text:?} is not the number of a space group")))?, line))
        }
    };
    let name = Name {
        number: number.map(|(number, _)| number),
        hermann_mauguin: single(&HERMANN_MAUGUIN).map(|(text, _)| text),
        hall: single(&HALL).map(|(text, _)| text),
    };
    let line = single(&HALL).or(single(&HERMANN_MAUGUIN)).map(|(_, line)| line).or(number.map(|(_, line)| line));
    let Some(line) = line else {
        return parse("x, y, z").map(|identity| vec![identity]).map_err(|reason| Error::at(block.line, reason));
    };
    let found = space_groups::operations(&name, cell).map_err(|reason| {
        Error::at(line, format!("{reason}; list the symmetry operations (_space_group_symop_operation_xyz)"))
    })?;
    Ok(found.into_iter().map(|(rotation, translation)| Operation { rotation, translation }).collect())
}

/// A number, perhaps with its uncertainty in parentheses.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let value = match text.split_once('(') {
        Some((value, uncertainty)) => {
            let digits = uncertainty.strip_suffix(')')?;
            digits.chars().all(|c| c.is_ascii_digit() || c == '.').then_some(value)?
        }
        None => text,
    };
    value.parse().ok().filter(|value: &f64| value.is_finite())
}
