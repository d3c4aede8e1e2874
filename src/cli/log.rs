//! The log: on stderr, in FireWorks' form. `RUST_LOG` overrules everything else.

use std::fmt;

use jiff::Zoned;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::config::LogLevel;

/// `2026-11-22 15:04:08,655`, local time.
struct PythonTime;

impl FormatTime for PythonTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{}", Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f"))
    }
}

/// Starts the log. A second call changes nothing.
pub fn start(level: LogLevel) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        let ours = level.filter();
        // What the libraries have to say matters only to those who look for trouble.
        let theirs = if level == LogLevel::Debug { "info" } else { "error" };
        EnvFilter::new(format!("{theirs},volley={ours}"))
    });
    let ended = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .with_timer(PythonTime)
        .with_target(false)
        .with_ansi(false)
        .try_init();
    drop(ended);
}
