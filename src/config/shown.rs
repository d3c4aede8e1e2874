//! Every setting with its value and who said so, for `lpad config`. Passwords are only said to be set.

use std::time::Duration;

use serde_json::{Map, Value};

use super::read::SettingsFile;
use super::{ConfigError, LogLevel, Origin, Settings};
use crate::store::{Location, MongoSettings, Order};
use crate::workflow::json::from_document;

/// A setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its name: the key of its file, behind the name of the file where other files have such a key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Who said so.
    pub origin: Origin,
}

/// What stands for a password.
const SECRET: &str = "(set; not shown)";

/// All settings, file by file.
///
/// # Errors
/// The queue adapter's file cannot be read.
pub fn shown(settings: &Settings) -> Result<Vec<Shown>, ConfigError> {
    let mut all = launchpad(settings);
    all.extend(worker(settings));
    all.extend(fw_config(settings));
    all.extend(volley(settings));
    let origin_of = |key: &str| settings.origins.iter().rfind(|(name, _)| *name == key).map(|(_, origin)| origin);
    let mut shown: Vec<Shown> = all
        .into_iter()
        .map(|(key, value)| Shown {
            key: key.to_owned(),
            value,
            origin: origin_of(key).cloned().unwrap_or(Origin::Default),
        })
        .collect();
    shown.extend(queue_adapter(settings)?);
    Ok(shown)
}

type Entry = (&'static str, Value);

fn launchpad(settings: &Settings) -> Vec<Entry> {
    let level = settings.log_level.unwrap_or(LogLevel::Info);
    let mut all = vec![("launchpad", Value::Null)];
    match &settings.location {
        Location::Sqlite(path) => all[0].1 = path.display().to_string().into(),
        Location::Mongo(mongo) => {
            all[0].1 = format!("mongodb://{}", mongo.place()).into();
            all.extend(server(mongo));
        }
    }
    all.push(("loglvl", level.as_str().into()));
    all
}

fn server(mongo: &MongoSettings) -> Vec<Entry> {
    let options: Map<String, Value> =
        mongo.options.iter().map(|(key, value)| (key.clone(), masked(key, value))).collect();
    vec![
        ("launchpad.username", mongo.username.clone().into()),
        ("launchpad.password", mongo.password.as_ref().map(|_| SECRET).into()),
        ("launchpad.authsource", mongo.authsource.clone().into()),
        ("launchpad.mongoclient_kwargs", options.into()),
        ("launchpad.user_indices", mongo.user_indices.clone().into()),
        ("launchpad.wf_user_indices", mongo.wf_user_indices.clone().into()),
    ]
}

/// An option of the driver; some are passwords, too.
fn masked(key: &str, value: &Value) -> Value {
    if key.to_ascii_lowercase().contains("password") { SECRET.into() } else { value.clone() }
}

fn worker(settings: &Settings) -> Vec<Entry> {
    let worker = from_document(&settings.fworker.to_document());
    let of = |key: &str| worker.get(key).cloned().unwrap_or_default();
    vec![
        ("fworker", settings.fworker_file.as_ref().map(|path| path.display().to_string()).into()),
        ("fworker.name", of("name")),
        ("fworker.category", of("category")),
        ("fworker.query", of("query")),
        ("fworker.env", of("env")),
        ("fworker.python", words(&settings.python)),
        ("fworker.wrap", words(settings.wrap.as_words())),
    ]
}

/// A command line as it is written in a file.
fn words(words: &[String]) -> Value {
    shlex::try_join(words.iter().map(String::as_str)).map_or(Value::Null, Value::from)
}

fn fw_config(settings: &Settings) -> Vec<Entry> {
    let config = &settings.fw_config;
    let order = match config.order {
        Order::Fifo => "FIFO",
        Order::Filo => "FILO",
    };
    vec![
        ("SORT_FWS", order.into()),
        ("RAPIDFIRE_SLEEP_SECS", seconds(config.rapidfire_sleep)),
        ("SUBMIT_SCRIPT_NAME", config.submit_script_name.clone().into()),
        ("ALWAYS_CREATE_NEW_BLOCK", config.always_create_new_block.into()),
        ("PRINT_FW_JSON", config.print_fw_json.into()),
        ("EXCEPT_DETAILS_ON_RERUN", config.except_details_on_rerun.into()),
        ("TEMPLATE_DIR", config.template_dir.as_ref().map(|path| path.display().to_string()).into()),
        ("PW_CHECK_NUM", config.pw_check_num.into()),
    ]
}

fn volley(settings: &Settings) -> Vec<Entry> {
    let volley = &settings.volley;
    let retry = volley.retry.as_ref().map(|policy| Value::Object(from_document(&policy.to_document())));
    vec![
        ("lease", seconds(volley.lease)),
        ("renew", seconds(volley.renew)),
        ("max_lost", volley.max_lost.into()),
        ("retry", retry.into()),
    ]
}

/// Whole seconds as a whole number.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}

/// What my_qadapter.yaml says; what it may say depends on its template.
fn queue_adapter(settings: &Settings) -> Result<Vec<Shown>, ConfigError> {
    let path = settings.queueadapter_file.as_ref();
    let found = settings.origins.iter().rfind(|(name, _)| *name == "queueadapter");
    let mut all = vec![Shown {
        key: "queueadapter".to_owned(),
        value: path.map(|path| path.display().to_string()).into(),
        origin: found.map_or(Origin::Default, |(_, origin)| origin.clone()),
    }];
    if let Some(path) = path {
        let keys = SettingsFile::read(path)?.into_map();
        all.extend(keys.into_iter().map(|(key, value)| Shown {
            key: format!("queueadapter.{key}"),
            value,
            origin: Origin::File(path.clone()),
        }));
    }
    Ok(all)
}
