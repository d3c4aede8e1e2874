//! Settings: FireWorks' files, Volley's own, the environment and the flags.
//!
//! Read once, at the start, into one [`Settings`]; nothing below looks at a file or a variable
//! again.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::{Location, Order};
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{FWorker, RetryPolicy};

pub use crate::workflow::duration;

mod error;
mod fw_config;
mod fworker_file;
mod launchpad_file;
mod load;
mod log_level;
pub mod nearest;
pub mod qadapter;
pub mod read;
pub mod shown;
mod volley_file;
mod wrap;

pub use error::ConfigError;
pub use launchpad_file::uri_database;
pub use load::{Flags, Loaded, Surroundings, launchpad_named, load, read_launchpad_file};
pub use log_level::{LogLevel, UnknownLevel};
pub use wrap::Wrap;

/// Everything that can be set, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The launchpad.
    pub location: Location,
    /// Where `location` was read.
    pub location_origin: Origin,
    /// The file that describes the launchpad, absolute, when there is one.
    pub launchpad_file: Option<PathBuf>,
    /// The worker.
    pub fworker: FWorker,
    /// The file of the worker, absolute, when there is one.
    pub fworker_file: Option<PathBuf>,
    /// The words of the command that starts the worker's Python.
    pub python: Vec<String>,
    /// What is put before every command that a task runs.
    pub wrap: Wrap,
    /// The queue adapter file (`my_qadapter.yaml`), absolute, when there is one.
    pub queueadapter_file: Option<PathBuf>,
    /// What FW_config.yaml sets, or FireWorks' defaults.
    pub fw_config: FwConfig,
    /// What volley.yaml sets, or our defaults.
    pub volley: VolleyConfig,
    /// From which importance on something is logged, where somebody says so.
    pub log_level: Option<LogLevel>,
    /// What was set, and where; of two entries for one setting the last counts.
    pub origins: Vec<(&'static str, Origin)>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An option on the command line.
    Flag,
    /// An environment variable.
    Environment(&'static str),
    /// A file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("the command line"),
            Origin::Environment(name) => write!(f, "${name}"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// The settings of FW_config.yaml that Volley heeds.
#[derive(Debug, Clone, PartialEq)]
pub struct FwConfig {
    /// `SORT_FWS`.
    pub order: Order,
    /// `RAPIDFIRE_SLEEP_SECS`: how long an idle `rapidfire` waits before it looks again.
    pub rapidfire_sleep: Duration,
    /// `SUBMIT_SCRIPT_NAME`.
    pub submit_script_name: String,
    /// `ALWAYS_CREATE_NEW_BLOCK`.
    pub always_create_new_block: bool,
    /// `PRINT_FW_JSON`: write FW.json into the launch directory.
    pub print_fw_json: bool,
    /// `EXCEPT_DETAILS_ON_RERUN`: what had FIZZLED finds the details of its exception in its spec.
    pub except_details_on_rerun: bool,
    /// `TEMPLATE_DIR`, absolute: where a TemplateWriterTask finds its templates.
    pub template_dir: Option<PathBuf>,
    /// `PW_CHECK_NUM`: above so many changes a confirmation is wanted.
    pub pw_check_num: usize,
}

impl Default for FwConfig {
    fn default() -> Self {
        FwConfig {
            order: Order::Fifo,
            rapidfire_sleep: Duration::from_secs(60),
            submit_script_name: "FW_submit.script".into(),
            always_create_new_block: false,
            print_fw_json: true,
            except_details_on_rerun: false,
            template_dir: None,
            pw_check_num: 10,
        }
    }
}

/// Volley's own settings (`volley.yaml`).
#[derive(Debug, Clone, PartialEq)]
pub struct VolleyConfig {
    /// How long a lease lasts unless it is renewed.
    pub lease: Duration,
    /// How often a lease is renewed.
    pub renew: Duration,
    /// After so many losses in a row for which it may be to blame a firework is FIZZLED.
    pub max_lost: u64,
    /// What is tried again where a spec does not say.
    pub retry: Option<RetryPolicy>,
}

impl Default for VolleyConfig {
    fn default() -> Self {
        VolleyConfig {
            lease: Duration::from_secs(120),
            renew: Duration::from_secs(30),
            max_lost: MAX_LOST,
            retry: None,
        }
    }
}
