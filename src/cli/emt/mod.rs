//! `volley emt`: a recipe right here, without a launchpad.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::cli::output::{self, Format, SummaryColumns, Table};
use crate::cli::settings::{self, Setting};
use crate::cli::structures::{self, Given};
use crate::recipes::{
    self, BulkToDefectsFlow, BulkToSlabsFlow, Context, ElasticTensorFlow, MdJob, PhononFlow, Progress, Recipe,
    RelaxJob, StaticJob, Summary, parameters,
};

mod out;

use out::Out;

/// Energies, forces, dynamics, phonons, elastic constants, slabs and vacancies by EMT, right here
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    recipe: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Move the atoms until the forces are small (quacc's relax_job)
    #[command(after_help = parameters::RELAX.help())]
    Relax(JobArgs),
    /// Energy, forces and stress (quacc's static_job)
    #[command(after_help = parameters::STATIC.help())]
    Static(JobArgs),
    /// Move the atoms as time goes by (quacc's md_job)
    #[command(after_help = parameters::MD.help())]
    Md(JobArgs),
    /// Every slab of a bulk crystal, relaxed (quacc's bulk_to_slabs_flow)
    #[command(after_help = parameters::SLABS.help())]
    Slabs(JobArgs),
    /// The vacancies of a bulk crystal, relaxed (quacc's bulk_to_defects_flow)
    #[command(after_help = parameters::DEFECTS.help())]
    Defects(JobArgs),
    /// Elastic constants of a crystal (quacc's elastic_tensor_flow)
    #[command(after_help = parameters::ELASTIC.help())]
    Elastic(JobArgs),
    /// Phonons and thermal properties of a relaxed structure (quacc's phonon_flow)
    #[command(after_help = parameters::PHONONS.help())]
    Phonons(JobArgs),
}

#[derive(Debug, clap::Args)]
struct JobArgs {
    /// A file (POSCAR*, *.xyz, *.cif, *.json; every frame, or one: FILE@-1), bulk:Cu, bulk:Cu:a=3.6,cubic, molecule:N2 or
    /// surface:fcc111:symbol=Cu,size=2x2x3,vacuum=10
    #[arg(required = true, value_name = "STRUCTURE")]
    structures: Vec<String>,

    /// A parameter of the recipe (below), as in a workflow file
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,

    /// Where to write what came out: all of it (*.json), or the last structures (*.xyz, *.vasp, *.cif)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How results are printed [default: table on a terminal, json otherwise]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// Runs the recipe on every structure. What fails is said, and the others go on.
pub fn run(args: Args) -> Result<ExitCode> {
    let (recipe, args) = recipe(args.recipe)?;
    let given = structures::read_all(&args.structures)?;
    for one in &given {
        recipe.check(&one.atoms).with_context(|| one.label.clone())?;
        for notice in recipe.notices(&one.atoms) {
            output::note(&format!("{}: {notice}", one.label));
        }
    }
    let out = args.out.as_deref().map(Out::at).transpose()?;
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let results = Bar::new(given.len()).run(&*recipe, &given, &here.to_string_lossy());
    let done: Vec<(&Given, &Value)> =
        given.iter().zip(&results).filter_map(|(given, result)| Some((given, result.document.as_ref()?))).collect();
    for (given, document) in &done {
        for warning in recipes::warnings(document) {
            output::note(&format!("{}: {warning}", given.label));
        }
    }
    // Before it is printed: whoever reads that may have had enough, as `head` has.
    let written = match &out {
        Some(out) if !done.is_empty() => out.write(&done.iter().map(|(_, document)| *document).collect::<Vec<_>>()),
        _ => Ok(()),
    };
    let printed = print(Format::resolve(args.output), &done);
    let failures = given.iter().zip(&results).filter_map(|(given, result)| Some((given, result.failure.as_ref()?)));
    let failed =
        failures.inspect(|(given, failure)| output::note(&format!("error: {}: {failure}", given.label))).count();
    written.and(printed)?;
    Ok(match failed {
        0 => Exit::Done,
        all if all == given.len() => Exit::Error,
        _ => Exit::SomeFailed,
    }
    .into())
}

fn recipe(which: Which) -> Result<(Box<dyn Recipe>, JobArgs)> {
    type Make = fn(&Value) -> recipes::Result<Box<dyn Recipe>>;
    let (make, args): (Make, _) = match which {
        Which::Relax(args) => (|values| Ok(Box::new(RelaxJob::from_value(values)?)), args),
        Which::Static(args) => (|values| Ok(Box::new(StaticJob::from_value(values)?)), args),
        Which::Md(args) => (|values| Ok(Box::new(MdJob::from_value(values)?)), args),
        Which::Defects(args) => (|values| Ok(Box::new(BulkToDefectsFlow::from_value(values)?)), args),
        Which::Elastic(args) => (|values| Ok(Box::new(ElasticTensorFlow::from_value(values)?)), args),
        Which::Phonons(args) => (|values| Ok(Box::new(PhononFlow::from_value(values)?)), args),
        Which::Slabs(args) => (|values| Ok(Box::new(BulkToSlabsFlow::from_value(values)?)), args),
    };
    Ok((settings::made(&args.settings, make)?, args))
}

/// What became of one structure: a document, an error, or both (a relaxation that did not converge).
struct Outcome {
    document: Option<Value>,
    failure: Option<recipes::Error>,
}

/// The line on standard error that says how far it is; nothing where that is no terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(count: usize) -> Self {
        Self(ProgressBar::new(count as u64))
    }

    fn run(&self, recipe: &dyn Recipe, given: &[Given], dir_name: &str) -> Vec<Outcome> {
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {wide_msg} [{elapsed}]") {
            self.0.set_style(style);
        }
        let each = given.iter().map(|one| {
            self.0.set_message(one.label.clone());
            let observe = |progress: &Progress| self.0.set_message(format!("{}: {progress}", one.label));
            let context = Context { observe: &observe, ..Context::new(dir_name) };
            let outcome = match recipe.run(&one.atoms, &context) {
                Ok(document) => Outcome { document: Some(document), failure: None },
                Err(failure) => Outcome { document: failure.document().cloned(), failure: Some(failure) },
            };
            self.0.inc(1);
            outcome
        });
        let outcomes = each.collect();
        self.0.finish_and_clear();
        outcomes
    }
}

fn print(format: Format, done: &[(&Given, &Value)]) -> Result<()> {
    match format {
        Format::Table => table(done),
        _ => output::list(format, done.iter().map(|(_, document)| (*document).clone()).collect()),
    }
}

/// A row for each structure that was computed.
fn table(done: &[(&Given, &Value)]) -> Result<()> {
    let rows: Vec<(&Given, Summary)> = done
        .iter()
        .flat_map(|(given, document)| Summary::all_of(document).into_iter().map(move |row| (*given, row)))
        .collect();
    let columns = SummaryColumns::of(rows.iter().map(|(_, row)| row));
    let mut table = Table::new(&[&["structure"], columns.head().as_slice()].concat());
    for (given, row) in &rows {
        table.row([given.label.as_str().into()].into_iter().chain(columns.cells(Some(row))));
    }
    table.print("no results")
}
