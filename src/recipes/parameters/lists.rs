//! The parameters of each recipe, as they are shown and typed: `KEY=DEFAULT` and what it means.

use super::{Parameter, Parameters};

/// The parameters of `relax_job`.
pub static RELAX: Parameters = Parameters {
    recipe: "relax_job",
    list: &[
        Parameter("relax_cell", "false", "whether a periodic cell relaxes, too"),
        CUTOFF,
        Parameter("opt_params.fmax", "0.01", "largest force wanted, eV/Å"),
        Parameter("opt_params.max_steps", "1000", "steps at most"),
        Parameter(
            "opt_params.optimizer",
            "BFGS",
            "or LBFGS, FIRE, FIRE2, MDMin, BFGSLineSearch, QuasiNewton, LBFGSLineSearch",
        ),
        Parameter("opt_params.optimizer_kwargs.maxstep", "", "longest step, Å"),
        Parameter("opt_params.optimizer_kwargs.alpha", "", "of (L)BFGS: first curvature, eV/Å²"),
        Parameter("opt_params.optimizer_kwargs", "{}", "what else ASE's class takes"),
        Parameter("opt_params.filter", "FrechetCellFilter", "or UnitCellFilter, ExpCellFilter: how a cell relaxes"),
        Parameter("opt_params.filter_kwargs.mask", "", "six of 0 and 1: xx, yy, zz, yz, xz, xy"),
        Parameter("opt_params.filter_kwargs.hydrostatic_strain", "", "true: the shape stays"),
        Parameter("opt_params.filter_kwargs.constant_volume", "", "true: the volume stays"),
        Parameter("opt_params.filter_kwargs.scalar_pressure", "", "eV/Å³"),
        Parameter("opt_params.filter_kwargs", "{}", "what else ASE's filter takes"),
        Parameter("opt_params.write_files", "true", "opt.log and opt.extxyz (in a launchpad)"),
        ADDITIONAL,
    ],
    examples: &[
        "volley emt relax bulk:Cu --set relax_cell=true --set opt_params.fmax=0.001",
        "volley emt relax POSCAR --set opt_params.optimizer=LBFGS --out relaxed.extxyz",
    ],
};

/// The parameters of `static_job`.
pub static STATIC: Parameters = Parameters {
    recipe: "static_job",
    list: &[CUTOFF, ADDITIONAL],
    examples: &["volley emt static bulk:Cu molecule:N2 --set calc_params.asap_cutoff=true"],
};

/// The parameters of `md_job`.
pub static MD: Parameters = Parameters {
    recipe: "md_job",
    list: &[
        Parameter(
            "dynamics",
            "nve",
            "or nvt, nvt_berendsen, nvt_langevin, nvt_andersen, nvt_bussi, npt, npt_berendsen, npt_inhomogeneous, \
             npt_mtk, npt_isotropic_mtk",
        ),
        Parameter("steps", "20000", "steps to make"),
        Parameter("timestep_fs", "0.5", "fs"),
        Parameter("temperature_K", "null", "K; atoms at rest start with it"),
        Parameter("pressure_bar", "null", "bar, for npt"),
        Parameter("seed", "null", "a whole number: the same random numbers again"),
        Parameter("md_params.max_runtime", "null", "s; then the run ends early"),
        Parameter("md_params.stop_reason", "walltime", "what is said of that"),
        Parameter("md_params.set_com_stationary", "false", "the centre of mass starts at rest"),
        Parameter("md_params.set_zero_rotation", "false", "without rotation at the start"),
        Parameter("md_params.maxwell_boltzmann_kwargs.temperature_K", "", "K, at the start"),
        Parameter("md_params.maxwell_boltzmann_kwargs.force_temp", "", "true: exactly that"),
        Parameter("md_params.dynamics_kwargs.loginterval", "", "every so many steps are kept (1)"),
        Parameter("md_params.dynamics_kwargs.friction", "", "of nvt_langevin, ASE's unit (0.001)"),
        Parameter("md_params.dynamics_kwargs.andersen_prob", "", "of nvt_andersen (0.01)"),
        Parameter("md_params.dynamics_kwargs.taut", "", "Å√(u/eV): 1 fs is 0.0982 (100 steps)"),
        Parameter("md_params.dynamics_kwargs.tdamp", "", "the same for nvt and mtk"),
        Parameter("md_params.dynamics_kwargs.taup", "", "the same for pressure (1000 steps)"),
        Parameter("md_params.dynamics_kwargs.pdamp", "", "the same for mtk"),
        Parameter(
            "md_params.dynamics_kwargs.compressibility_au",
            "",
            "Å³/eV; npt_berendsen and npt_inhomogeneous need it",
        ),
        Parameter("md_params.dynamics_kwargs.pressure_au", "", "eV/Å³, for pressure_bar"),
        Parameter("md_params.dynamics_kwargs.ttime", "", "Å√(u/eV), of npt (25 fs)"),
        Parameter("md_params.dynamics_kwargs.pfactor", "", "of npt, ASE's unit"),
        Parameter("md_params.dynamics_kwargs.externalstress", "", "eV/Å³, of npt"),
        Parameter("md_params.dynamics_kwargs.mask", "", "sides that may change, as [1,1,0]"),
        Parameter("md_params.dynamics_kwargs.fixcm", "", "the centre of mass stays (true)"),
        Parameter("md_params.dynamics_kwargs.tchain", "", "(3); also pchain (3), tloop, ploop (1)"),
        CUTOFF,
        ADDITIONAL,
    ],
    examples: &[
        "volley emt md bulk:Cu:cubic --set dynamics=nvt --set temperature_K=300 --set steps=1000",
        "volley emt md last.extxyz --set dynamics=nvt_langevin --set temperature_K=500 \
         --set md_params.dynamics_kwargs.friction=0.01 --out next.extxyz",
    ],
};

/// The parameters of `bulk_to_slabs_flow`.
pub static SLABS: Parameters = Parameters {
    recipe: "bulk_to_slabs_flow",
    list: &[
        Parameter("make_slabs_kwargs.max_index", "1", "largest Miller index"),
        Parameter("make_slabs_kwargs.min_slab_size", "10", "Å"),
        Parameter("make_slabs_kwargs.min_length_width", "8", "Å, along both sides"),
        Parameter("make_slabs_kwargs.min_vacuum_size", "20", "Å"),
        Parameter("make_slabs_kwargs.z_fix", "2", "Å below the top that may move; null: all"),
        Parameter("make_slabs_kwargs.flip_asymmetric", "true", "both faces are at the top once"),
        Parameter("make_slabs_kwargs.allowed_surface_symbols", "null", "as [Al,Ni]: only slabs with these at the top"),
        Parameter("make_slabs_kwargs.ftol", "0.1", "Å, planes this near are one"),
        Parameter("make_slabs_kwargs.tol", "0.1", "Å, slabs this near are one"),
        Parameter("make_slabs_kwargs.symmetrize", "false", "both faces alike"),
        Parameter("make_slabs_kwargs.primitive", "true", "smallest cell"),
        Parameter("make_slabs_kwargs.center_slab", "true", "in the middle of the cell"),
        Parameter("make_slabs_kwargs.in_unit_planes", "false", "sizes count planes, not Å"),
        Parameter("make_slabs_kwargs.lll_reduce", "false", "shorter vectors"),
        Parameter("make_slabs_kwargs.max_normal_search", "null", "steeper third vectors up to this"),
        Parameter("relax_bulk", "false", "cell and positions first"),
        RUN_STATIC,
        RELAX_JOBS,
        STATIC_JOBS,
        ALL_JOBS,
        Parameter("compat", "null", "quacc: also where quacc is wrong"),
    ],
    examples: &["volley emt slabs bulk:Al:cubic --set run_static=false --set make_slabs_kwargs.max_index=2"],
};

/// The parameters of `bulk_to_defects_flow`.
pub static DEFECTS: Parameters = Parameters {
    recipe: "bulk_to_defects_flow",
    list: &[
        Parameter("make_defects_kwargs.sc_mat", "null", "supercell, as [[3,0,0],[0,3,0],[0,0,3]]"),
        Parameter("make_defects_kwargs.min_atoms", "80", "of the supercell"),
        Parameter("make_defects_kwargs.max_atoms", "240", "of the supercell"),
        Parameter("make_defects_kwargs.min_length", "10", "Å, of its vectors"),
        Parameter("make_defects_kwargs.force_diagonal", "false", "a multiple of each vector"),
        Parameter("make_defects_kwargs.rm_species", "null", "as [Al]: only vacancies of these"),
        Parameter("defect_gen", "VacancyGenerator", "there is no other"),
        Parameter("defect_charge", "0", "how many neighbours move"),
        Parameter("distortions", "true", "false: one geometry of each site"),
        RUN_STATIC,
        RELAX_JOBS,
        STATIC_JOBS,
        ALL_JOBS,
    ],
    examples: &["volley emt defects bulk:Cu --set distortions=false --set job_params.relax_job.opt_params.fmax=0.05"],
};

/// The parameters of `elastic_tensor_flow`.
pub static ELASTIC: Parameters = Parameters {
    recipe: "elastic_tensor_flow",
    list: &[
        Parameter("pre_relax", "true", "cell and positions first"),
        Parameter("run_static", "false", "once more after each relaxation"),
        Parameter("deform_kwargs.norm_strains", "[-0.01,-0.005,0.005,0.01]", "along each axis"),
        Parameter("deform_kwargs.shear_strains", "[-0.06,-0.03,0.03,0.06]", "of each angle"),
        Parameter("deform_kwargs.symmetry", "false", "true: only what symmetry does not make"),
        RELAX_JOBS,
        STATIC_JOBS,
        ALL_JOBS,
    ],
    examples: &[
        "volley emt elastic bulk:Cu --set job_params.relax_job.opt_params.fmax=0.001",
        "volley emt elastic bulk:Ni --set deform_kwargs.norm_strains=[-0.01,-0.005,0.005,0.01]",
    ],
};

/// The parameters of `phonon_flow`.
pub static PHONONS: Parameters = Parameters {
    recipe: "phonon_flow",
    list: &[
        Parameter("min_lengths", "20", "Å, of the supercell; or three: [20,20,20]"),
        Parameter("supercell_matrix", "null", "instead, as [[2,0,0],[0,2,0],[0,0,2]]"),
        Parameter("displacement", "0.01", "Å"),
        Parameter("symprec", "0.0001", "Å, atoms this near are equivalent"),
        Parameter("fixed_atom_indices", "[]", "atoms that stay, from 0"),
        Parameter("t_min", "0", "K"),
        Parameter("t_max", "1000", "K"),
        Parameter("t_step", "10", "K"),
        STATIC_JOBS,
        ALL_JOBS,
    ],
    examples: &[
        "volley emt relax bulk:Cu --set relax_cell=true --set opt_params.fmax=0.001 --out relaxed.json",
        "volley emt phonons relaxed.json --set min_lengths=[20,20,20] --set t_max=300",
    ],
};

const CUTOFF: Parameter = Parameter("calc_params.asap_cutoff", "false", "a cutoff fitted to the elements");
const ADDITIONAL: Parameter = Parameter("additional_fields", "{}", "goes into the document, as {note: mine}");
const RUN_STATIC: Parameter = Parameter("run_static", "true", "once more after each relaxation");
const RELAX_JOBS: Parameter = Parameter("job_params.relax_job", "{}", "of relaxations: volley emt relax --help");
const STATIC_JOBS: Parameter = Parameter("job_params.static_job", "{}", "of static calculations");
const ALL_JOBS: Parameter = Parameter("job_params.all", "{}", "of all: .calc_params.asap_cutoff=true");
