//! Vacancies of a crystal: each inequivalent site once, in a supercell that is nearly a cube, as the
//! geometries from which ShakeNBreak has them relaxed; what quacc's `make_defects_from_bulk` makes with
//! pymatgen-analysis-defects and ShakeNBreak, down to the random numbers.

mod coordination;
mod dimers;
mod distortions;
mod energy;
mod host;
mod mersenne;
mod options;
mod periodic;
mod rattle;
mod shape;
mod sites;
mod voronoi;

use serde_json::{Map, Value, json};

use super::atoms::Atoms;
use super::elements;
use super::error::Result;
use super::io::mson::to_mson;
use distortions::{Distortion, distortions};
pub use energy::vacancy_formation_energy;
use host::Host;
pub use options::DefectOptions;
use rattle::deviation;
use sites::{Site, sites};

/// One geometry of a vacancy. Its atoms carry `defect_stats` in their notes, with quacc's keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Defect {
    /// The atoms, periodic in three directions; without the columns of the bulk, and none fixed.
    pub atoms: Atoms,
    /// As "v_Cu".
    pub symbol: String,
    /// "Unperturbed", "Rattled", "Dimer" or "Bond_Distortion_-60.0%".
    pub distortion: String,
    /// The atom of the bulk that is missing, counted from 0.
    pub site: usize,
    /// How many atoms of the bulk's cell symmetry makes equal to it.
    pub multiplicity: usize,
}

/// All vacancies of `bulk`, a crystal that repeats in all directions: site by site, and for each the
/// geometries in the order of ShakeNBreak. Asks `stop` now and then; true ends it with
/// [`super::Error::Stopped`].
///
/// ```
/// use volley::science::{build::bulk, defects::{DefectOptions, make_defects_from_bulk}};
/// let copper = bulk("Cu", &Default::default())?;
/// let made = make_defects_from_bulk(&copper, &DefectOptions::default(), &|| false)?;
/// let names: Vec<_> = made.iter().map(|one| (one.symbol.as_str(), one.distortion.as_str(), one.atoms.len())).collect();
/// assert_eq!(names, [("v_Cu", "Rattled", 107), ("v_Cu", "Dimer", 107)]);
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn make_defects_from_bulk(bulk: &Atoms, options: &DefectOptions, stop: &dyn Fn() -> bool) -> Result<Vec<Defect>> {
    let matrix = options.supercell_of(bulk, stop)?;
    let deviation = deviation(bulk)?;
    let mut made = Vec::new();
    for site in sites(bulk) {
        if options.remove.as_ref().is_some_and(|wanted| !wanted.contains(&bulk.numbers()[site.index])) {
            continue;
        }
        let host = Host::new(bulk, site.index, &matrix)?;
        let geometries = match options.distortions {
            true => distortions(&host, options.charge, deviation, stop)?,
            false => vec![Distortion::none(&host)],
        };
        for one in geometries {
            made.push(finished(bulk, &site, &host, one, options)?);
        }
    }
    Ok(made)
}

fn finished(bulk: &Atoms, site: &Site, host: &Host, one: Distortion, options: &DefectOptions) -> Result<Defect> {
    let symbol = format!("v_{}", elements::symbol(bulk.numbers()[site.index]));
    let about = json!({
        "type": "Vacancy",
        "site": site.index,
        "wyckoff": site.wyckoff,
        "equivalent_sites": site.equivalent,
        "multiplicity": site.equivalent.len(),
        "sc_mat": host.matrix,
        "sc_defect_frac_coords": host.hole,
        "distorted_atoms": one.moved,
    });
    let stats = json!({
        "defect_symbol": symbol,
        "defect_charge": options.charge,
        "distortions": one.name,
        "bulk": to_mson(bulk),
        "defect": about,
    });
    let info = Map::<String, Value>::from_iter([("defect_stats".to_owned(), stats)]);
    let atoms = Atoms::new(host.numbers.clone(), one.positions)?.with_cell(host.cell, [true; 3])?.with_info(info);
    Ok(Defect { atoms, symbol, distortion: one.name, site: site.index, multiplicity: site.equivalent.len() })
}
