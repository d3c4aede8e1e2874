//! `FW_config.yaml`: FireWorks' settings, as far as Volley heeds them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::read::SettingsFile;
use super::{ConfigError, FwConfig, Origin};
use crate::store::Order;

/// All of FireWorks' keys: those that Volley has no use for are no mistake.
const KEYS: [&str; 46] = [
    "USER_PACKAGES",
    "ADD_USER_PACKAGES",
    "FW_NAME_UPDATES",
    "YAML_STYLE",
    "FW_BLOCK_FORMAT",
    "FW_LOGGING_FORMAT",
    "QUEUE_RETRY_ATTEMPTS",
    "QUEUE_UPDATE_INTERVAL",
    "QUEUE_JOBNAME_MAXLEN",
    "SUBMIT_SCRIPT_NAME",
    "PRINT_FW_JSON",
    "PRINT_FW_YAML",
    "JSON_SCHEMA_VALIDATE",
    "JSON_SCHEMA_VALIDATE_LIST",
    "PING_TIME_SECS",
    "RUN_EXPIRATION_SECS",
    "MAINTAIN_INTERVAL",
    "RESERVATION_EXPIRATION_SECS",
    "WFLOCK_EXPIRATION_SECS",
    "WFLOCK_EXPIRATION_KILL",
    "RAPIDFIRE_SLEEP_SECS",
    "LAUNCHPAD_LOC",
    "FWORKER_LOC",
    "QUEUEADAPTER_LOC",
    "CONFIG_FILE_DIR",
    "STREAM_LOGLEVEL",
    "ROCKET_STREAM_LOGLEVEL",
    "QSTAT_FREQUENCY",
    "ALWAYS_CREATE_NEW_BLOCK",
    "TEMPLATE_DIR",
    "REMOVE_USELESS_DIRS",
    "DS_PASSWORD",
    "STORE_PACKING_INFO",
    "PW_CHECK_NUM",
    "TRACKER_LINES",
    "SORT_FWS",
    "ENCODE_MONTY",
    "DECODE_MONTY",
    "EXCEPT_DETAILS_ON_RERUN",
    "WEBSERVER_HOST",
    "WEBSERVER_PORT",
    "WEBSERVER_PERFWARNINGS",
    "MONGO_SOCKET_TIMEOUT_MS",
    "GRIDFS_FALLBACK_COLLECTION",
    "MONGOMOCK_SERVERSTORE_FILE",
    "ECHO_TEST",
];

/// Those among them that have a value here, in the order of [`FwConfig`].
pub(super) const HEEDED: [&str; 8] = [
    "SORT_FWS",
    "RAPIDFIRE_SLEEP_SECS",
    "SUBMIT_SCRIPT_NAME",
    "ALWAYS_CREATE_NEW_BLOCK",
    "PRINT_FW_JSON",
    "EXCEPT_DETAILS_ON_RERUN",
    "TEMPLATE_DIR",
    "PW_CHECK_NUM",
];

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct FwConfigFile {
    pub config: FwConfig,
    pub launchpad: Option<PathBuf>,
    pub fworker: Option<PathBuf>,
    pub queueadapter: Option<PathBuf>,
    pub config_dir: Option<PathBuf>,
    pub origins: Vec<(&'static str, Origin)>,
}

/// Reads the file; relative paths in it are relative to `cwd`, as in FireWorks.
pub(super) fn read(path: &Path, cwd: &Path, warnings: &mut Vec<String>) -> Result<FwConfigFile, ConfigError> {
    let file = SettingsFile::read(path)?;
    file.warn_of_unknown(&KEYS, warnings);
    let mut config = FwConfig::default();
    if let Some(shown) = file.flag("EXCEPT_DETAILS_ON_RERUN")? {
        config.except_details_on_rerun = shown;
    }
    if let Some(order) = file.text("SORT_FWS")? {
        config.order = match order.to_ascii_uppercase().as_str() {
            "" | "FIFO" => Order::Fifo,
            "FILO" => Order::Filo,
            _ => return Err(file.wrong("SORT_FWS", "FIFO, FILO or empty")),
        };
    }
    if let Some(sleep) = file.duration("RAPIDFIRE_SLEEP_SECS")? {
        config.rapidfire_sleep = sleep;
    }
    if let Some(name) = file.text("SUBMIT_SCRIPT_NAME")? {
        if Path::new(&name).file_name() != Some(OsStr::new(&name)) {
            return Err(file.wrong("SUBMIT_SCRIPT_NAME", "the name of a file, without folders"));
        }
        config.submit_script_name = name;
    }
    if let Some(always) = file.flag("ALWAYS_CREATE_NEW_BLOCK")? {
        config.always_create_new_block = always;
    }
    if let Some(print) = file.flag("PRINT_FW_JSON")? {
        config.print_fw_json = print;
    }
    config.template_dir = file.text("TEMPLATE_DIR")?.map(|folder| cwd.join(folder));
    if let Some(number) = count(&file, "PW_CHECK_NUM")? {
        config.pw_check_num = number;
    }
    let place = |key| Ok::<_, ConfigError>(file.text(key)?.map(|path| cwd.join(path)));
    Ok(FwConfigFile {
        config,
        launchpad: place("LAUNCHPAD_LOC")?,
        fworker: place("FWORKER_LOC")?,
        queueadapter: place("QUEUEADAPTER_LOC")?,
        config_dir: place("CONFIG_FILE_DIR")?,
        origins: file.origins(&HEEDED.map(|key| (key, key))),
    })
}

fn count(file: &SettingsFile<'_>, key: &str) -> Result<Option<usize>, ConfigError> {
    file.count(key)?.map(|n| usize::try_from(n).map_err(|_| file.wrong(key, "a smaller number"))).transpose()
}
