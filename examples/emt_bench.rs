//! Milliseconds per EMT energy, forces and stress: `emt_bench FILE.json [KEY=NUMBER]...`, FILE
//! holding a plain structure. Keys: `repeat` the cell so often in each direction (1), `asap` cutoff
//! (0), `threads` (1), and how many calls to time: `cold` (10), a new calculator each, neighbour list
//! included; `warm` (20), positions moved by 1e-4 Angstrom, list reused. The best of each and
//! the peak of memory, one line of JSON.
#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::time::Instant;

use serde_json::{Value, json};
use volley::science::emt::Emt;
use volley::science::linear::{add, row_times};
use volley::science::{Atoms, Calculator, Result, structure};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: emt_bench FILE.json [KEY=NUMBER]...")?;
    let mut settings = [("repeat", 1), ("asap", 0), ("threads", 1), ("cold", 10), ("warm", 20)];
    for word in arguments {
        let (key, number) = word.split_once('=').ok_or("an option is KEY=NUMBER")?;
        let setting = settings.iter_mut().find(|(name, _)| *name == key).ok_or("there is no such key")?;
        setting.1 = number.parse()?;
    }
    let [repeat, asap, threads, cold, warm] = settings.map(|(_, number)| number);
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let mut atoms = repeated(&structure::build(&value)?, repeat)?;

    let new = || Emt::new(asap != 0).with_threads(threads);
    let cold = best(cold, || time(&mut new(), &atoms))?;
    let mut calculator = new();
    let energy = calculator.calculate(&atoms)?.energy;
    let mut sign = 1.0;
    let warm = best(warm, || {
        sign = -sign;
        let moved = atoms.positions().iter().map(|p| p.map(|x| x + sign * 1e-4)).collect();
        atoms.set_positions(moved)?;
        time(&mut calculator, &atoms)
    })?;
    let (atoms, peak_kb) = (atoms.len(), peak_kb());
    println!("{}", json!({"atoms": atoms, "energy": energy, "warm_ms": warm, "cold_ms": cold, "peak_kb": peak_kb}));
    Ok(())
}

/// The most memory this process has had, in kB, where Linux says so.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// `times`^3 copies of the cell.
fn repeated(atoms: &Atoms, times: usize) -> Result<Atoms> {
    let corners = (0..times.pow(3)).map(|k| [k / times.pow(2), k / times % times, k % times]);
    let corners = corners.map(|corner| row_times(corner.map(|step| step as f64), atoms.cell()));
    let positions = corners.flat_map(|corner| atoms.positions().iter().map(move |p| add(*p, corner)));
    let cell = atoms.cell().map(|row| row.map(|x| x * times as f64));
    Atoms::new(atoms.numbers().repeat(times.pow(3)), positions.collect())?.with_cell(cell, atoms.pbc())
}

/// The time of one evaluation in milliseconds.
fn time(calculator: &mut Emt, atoms: &Atoms) -> Result<f64> {
    let start = Instant::now();
    std::hint::black_box(calculator.calculate(atoms)?);
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// The shortest of `count` times, null without any: whoever else uses the machine only adds to them.
fn best(count: usize, mut run: impl FnMut() -> Result<f64>) -> Result<Option<f64>> {
    let times = (0..count).map(|_| run()).collect::<Result<Vec<_>>>()?;
    Ok(times.into_iter().min_by(f64::total_cmp))
}
