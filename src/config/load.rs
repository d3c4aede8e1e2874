//! Which file is read: flags first, then the folders in FireWorks' order.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::fw_config::{self, FwConfigFile};
use super::fworker_file::WorkerFile;
use super::volley_file::{self, VolleyFile};
use super::{ConfigError, LogLevel, Origin, Settings, fworker_file, launchpad_file};
use crate::store::Location;

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `-l`: a my_launchpad.yaml, a MongoDB URI or an SQLite file.
    pub launchpad: Option<String>,
    /// `-c`: the folder to look in first.
    pub config_dir: Option<PathBuf>,
    /// `-w`: the worker's file.
    pub fworker_file: Option<PathBuf>,
    /// `-q`: the queue adapter's file.
    pub queueadapter_file: Option<PathBuf>,
}

/// What the process finds around it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The current folder.
    pub cwd: PathBuf,
    /// The user's home.
    pub home: PathBuf,
    /// Where data belongs (`$XDG_DATA_HOME`).
    pub data: PathBuf,
    /// Where settings belong (`$XDG_CONFIG_HOME`).
    pub config: PathBuf,
    /// `$VOLLEY_LAUNCHPAD`.
    pub launchpad: Option<String>,
    /// `$FW_CONFIG_FILE`.
    pub fw_config_file: Option<OsString>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Result<Self, ConfigError> {
        let unknown = |what, reason: String| ConfigError::Surroundings { what, reason };
        let base = etcetera::choose_base_strategy().map_err(|error| unknown("home folder", error.to_string()))?;
        let launchpad = match std::env::var_os("VOLLEY_LAUNCHPAD").filter(|value| !value.is_empty()) {
            None => None,
            Some(value) => Some(
                value.into_string().map_err(|_| unknown("launchpad", "VOLLEY_LAUNCHPAD is not UTF-8".to_owned()))?,
            ),
        };
        Ok(Surroundings {
            cwd: std::env::current_dir().map_err(|error| unknown("current folder", error.to_string()))?,
            home: base.home_dir().to_owned(),
            data: base.data_dir(),
            config: base.config_dir(),
            launchpad,
            fw_config_file: std::env::var_os("FW_CONFIG_FILE").filter(|value| !value.is_empty()),
        })
    }
}

/// The settings, and what is to be said about them.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What is strange in the files, but no error.
    pub warnings: Vec<String>,
}

/// Finds and reads everything.
pub fn load(flags: &Flags, around: &Surroundings) -> Result<Loaded, ConfigError> {
    let mut warnings = Vec::new();
    let mut origins = Vec::new();
    let fw_config = match find_fw_config(around)? {
        Some(path) => fw_config::read(&path, &around.cwd, &mut warnings)?,
        None => FwConfigFile::default(),
    };
    origins.extend(fw_config.origins.iter().cloned());
    let volley = match first_file([around.cwd.join("volley.yaml"), around.config.join("volley/volley.yaml")]) {
        Some(path) => volley_file::read(&path)?,
        None => VolleyFile::default(),
    };
    origins.extend(volley.origins);
    let search = Search { flags, around, config_dir: config_dir(flags, around)?, fw_config: &fw_config };

    let Found { location, origin: location_origin, file: launchpad_file, log_level, origins: said } =
        location(&search, &mut warnings)?;
    origins.push(("launchpad", location_origin.clone()));
    origins.extend(said);
    let fworker_file = search.find("worker file", "my_fworker.yaml", &flags.fworker_file, &fw_config.fworker)?;
    let worker = match &fworker_file {
        None => WorkerFile::default(),
        Some((path, origin)) => {
            origins.push(("fworker", origin.clone()));
            let worker = fworker_file::read(path, &mut warnings)?;
            origins.extend(worker.origins.iter().cloned());
            worker
        }
    };
    let queue =
        search.find("queue adapter file", "my_qadapter.yaml", &flags.queueadapter_file, &fw_config.queueadapter)?;
    if let Some((_, origin)) = &queue {
        origins.push(("queueadapter", origin.clone()));
    }
    let settings = Settings {
        location,
        location_origin,
        launchpad_file,
        fworker: worker.fworker,
        fworker_file: fworker_file.map(|(path, _)| path),
        python: worker.python,
        wrap: worker.wrap,
        queueadapter_file: queue.map(|(path, _)| path),
        fw_config: fw_config.config,
        volley: volley.config,
        log_level,
        origins,
    };
    Ok(Loaded { settings, warnings })
}

/// The folder of `-c`, which must exist when it was given.
fn config_dir(flags: &Flags, around: &Surroundings) -> Result<PathBuf, ConfigError> {
    let Some(dir) = &flags.config_dir else { return Ok(around.cwd.clone()) };
    let path = around.cwd.join(dir);
    if !path.is_dir() {
        return Err(ConfigError::Missing { what: "folder", path, origin: Origin::Flag });
    }
    Ok(path)
}

/// FireWorks asks the variable last.
fn find_fw_config(around: &Surroundings) -> Result<Option<PathBuf>, ConfigError> {
    let found = first_file([
        around.cwd.join("FW_config.yaml"),
        around.home.join(".fireworks/FW_config.yaml"),
        around.config.join("volley/FW_config.yaml"),
    ]);
    match (&found, &around.fw_config_file) {
        (None, Some(path)) => {
            let path = around.cwd.join(path);
            if !path.is_file() {
                let origin = Origin::Environment("FW_CONFIG_FILE");
                return Err(ConfigError::Missing { what: "file", path, origin });
            }
            Ok(Some(path))
        }
        _ => Ok(found),
    }
}

fn first_file(paths: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    paths.into_iter().find(|path| path.is_file())
}

struct Search<'a> {
    flags: &'a Flags,
    around: &'a Surroundings,
    config_dir: PathBuf,
    fw_config: &'a FwConfigFile,
}

impl Search<'_> {
    /// Flag, `-c` folder, `*_LOC` of FW_config.yaml, CONFIG_FILE_DIR, `~/.fireworks`, and the folder
    /// where other programs have their settings. What a flag or a `*_LOC` names must exist.
    fn find(
        &self,
        what: &'static str,
        name: &str,
        flag: &Option<PathBuf>,
        loc: &Option<PathBuf>,
    ) -> Result<Option<(PathBuf, Origin)>, ConfigError> {
        let named = |path: &Path, origin: Origin| {
            let path = self.around.cwd.join(path);
            if path.is_file() { Ok(Some((path, origin))) } else { Err(ConfigError::Missing { what, path, origin }) }
        };
        if let Some(path) = flag {
            return named(path, Origin::Flag);
        }
        let found = |path: PathBuf| path.is_file().then(|| (path.clone(), Origin::File(path)));
        if let Some(first) = found(self.config_dir.join(name)) {
            return Ok(Some(first));
        }
        if let Some(path) = loc {
            return named(path, Origin::File(PathBuf::from("FW_config.yaml")));
        }
        let around = self.around;
        let usual = [around.home.join(".fireworks"), around.config.join("volley")];
        let folders = [self.fw_config.config_dir.clone()].into_iter().chain(usual.map(Some));
        Ok(folders.flatten().find_map(|folder| found(folder.join(name))))
    }
}

/// The launchpad, and who said so.
struct Found {
    location: Location,
    origin: Origin,
    file: Option<PathBuf>,
    log_level: Option<LogLevel>,
    origins: Vec<(&'static str, Origin)>,
}

impl Found {
    /// Without a file.
    fn at(location: Location, origin: Origin) -> Self {
        Found { location, origin, file: None, log_level: None, origins: Vec::new() }
    }
}

fn location(search: &Search<'_>, warnings: &mut Vec<String>) -> Result<Found, ConfigError> {
    let around = search.around;
    let named = match (&search.flags.launchpad, &around.launchpad) {
        (Some(flag), _) => Some((flag, Origin::Flag)),
        (None, Some(variable)) => Some((variable, Origin::Environment("VOLLEY_LAUNCHPAD"))),
        (None, None) => None,
    };
    let file = match named {
        Some((text, origin)) => match place(text, &around.cwd, origin.clone())? {
            Named::Location(location) => return Ok(Found::at(location, origin)),
            Named::File(path) => Some((path, origin)),
        },
        None => search.find("launchpad file", "my_launchpad.yaml", &None, &search.fw_config.launchpad)?,
    };
    let Some((path, origin)) = file else {
        return Ok(Found::at(Location::Sqlite(around.data.join("volley/launchpad.db")), Origin::Default));
    };
    let read = launchpad_file::read(&path, warnings)?;
    let (location, log_level, origins) = (read.location, read.log_level, read.origins);
    Ok(Found { location, origin, file: Some(path), log_level, origins })
}

/// What the name of a launchpad stands for.
enum Named {
    Location(Location),
    /// A file that describes it.
    File(PathBuf),
}

fn place(text: &str, cwd: &Path, origin: Origin) -> Result<Named, ConfigError> {
    if launchpad_file::is_uri(text) {
        return Ok(Named::Location(Location::Mongo(Box::new(launchpad_file::mongo_uri(text)))));
    }
    let path = cwd.join(text);
    if !is_settings_file(text) {
        return Ok(Named::Location(Location::Sqlite(path)));
    }
    if path.is_file() {
        Ok(Named::File(path))
    } else {
        Err(ConfigError::Missing { what: "launchpad file", path, origin })
    }
}

/// The launchpad that a user names: a my_launchpad.yaml, a MongoDB URI or an SQLite file.
pub fn launchpad_named(text: &str, cwd: &Path) -> Result<Location, ConfigError> {
    match place(text, cwd, Origin::Flag)? {
        Named::Location(location) => Ok(location),
        Named::File(path) => read_launchpad_file(&path),
    }
}

fn is_settings_file(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

/// The launchpad that a my_launchpad.yaml names.
pub fn read_launchpad_file(path: &Path) -> Result<Location, ConfigError> {
    Ok(launchpad_file::read(path, &mut Vec::new())?.location)
}
