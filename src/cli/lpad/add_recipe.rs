//! `lpad add_recipe RECIPE STRUCTURE...`: a workflow for each structure, without writing a file.

use anyhow::{Result, bail};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Context, add};
use crate::cli::exit::Exit;
use crate::cli::settings::{self, Setting};
use crate::cli::structures::{self, Given};
use crate::firetask::{self, RecipeWorkflow};
use crate::workflow::Draft;

/// Arguments of `lpad add_recipe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to compute
    recipe: RecipeWorkflow,

    /// A file (POSCAR*, *.xyz, *.cif, *.json; every frame, or one: FILE@-1), bulk:Cu, bulk:Cu:a=3.6,cubic, molecule:N2 or
    /// surface:fcc111:symbol=Cu,size=2x2x3,vacuum=10
    #[arg(required = true, value_name = "STRUCTURE")]
    structures: Vec<String>,

    /// A parameter of the recipe, as in a workflow file: opt_params.fmax=0.05, min_lengths=[20,20,20].
    /// `volley emt relax --help`, `volley emt elastic --help` and so on list them; those of emt.slabs,
    /// emt.defects and emt.elastic have in_one_firework=true beside
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

impl ValueEnum for RecipeWorkflow {
    fn value_variants<'a>() -> &'a [Self] {
        Self::all()
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.help()))
    }
}

/// All structures are read and checked before the first workflow is stored.
pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let settings = settings::object(&args.settings)?;
    let given = structures::read_all(&args.structures)?;
    let (mut drafts, mut mistakes) = (Vec::new(), Vec::new());
    for one in &given {
        match draft(args.recipe, one, &settings) {
            Ok(draft) => drafts.push(draft),
            Err(error) => mistakes.push(format!("{}: {error}", one.label)),
        }
    }
    if !mistakes.is_empty() {
        bail!("{}\nnothing was added", mistakes.join("\n"));
    }
    let ids = context.open()?.insert(&drafts, Timestamp::now())?;
    add::print(context.format, &drafts, &ids)?;
    Ok(Exit::Done)
}

fn draft(recipe: RecipeWorkflow, given: &Given, settings: &Map<String, Value>) -> Result<Draft> {
    let mut draft = recipe.draft(&given.label, &given.spec, settings)?;
    // The structure is no file any more.
    firetask::prepare(&mut draft, "".as_ref())?;
    Ok(draft)
}
