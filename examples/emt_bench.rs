//! Milliseconds per EMT energy, forces and stress: `emt_bench FILE.json [repeats]`, FILE holding a
//! plain structure. Cold: a new calculator, neighbour list included. Warm: positions moved by
//! 1e-4 Angstrom, list reused. Medians, one line of JSON.
#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::time::Instant;

use serde_json::{Value, json};
use volley::science::emt::Emt;
use volley::science::{Atoms, Calculator, Result, structure};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: emt_bench FILE.json [repeats]")?;
    let repeats = arguments.next().map_or(Ok(20), |word| word.parse())?;
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let mut atoms = structure::build(&value)?;

    let energy = Emt::default().calculate(&atoms)?.energy;
    let cold = median(repeats, || time(&mut Emt::default(), &atoms))?;
    let mut calculator = Emt::default();
    calculator.calculate(&atoms)?;
    let mut sign = 1.0;
    let warm = median(repeats, || {
        sign = -sign;
        let moved = atoms.positions().iter().map(|p| p.map(|x| x + sign * 1e-4)).collect();
        atoms.set_positions(moved)?;
        time(&mut calculator, &atoms)
    })?;
    println!("{}", json!({"atoms": atoms.len(), "energy": energy, "warm_ms": warm, "cold_ms": cold}));
    Ok(())
}

/// The time of one evaluation in milliseconds.
fn time(calculator: &mut Emt, atoms: &Atoms) -> Result<f64> {
    let start = Instant::now();
    std::hint::black_box(calculator.calculate(atoms)?);
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn median(repeats: usize, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut times = (0..repeats.max(1)).map(|_| run()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
