//! The log: on stderr, in FireWorks' form (`2026-11-22 15:04:08,655 INFO message`, local time).
//! `RUST_LOG` overrules everything else.

use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Zoned;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogLevel;

/// FireWorks' form of a line.
struct PythonLine;

impl<S, N> FormatEvent<S, N> for PythonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARNING",
            Level::INFO => "INFO",
            Level::DEBUG | Level::TRACE => "DEBUG",
        };
        write!(writer, "{} {level} ", Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f"))?;
        // Which firework it is about, where several run side by side.
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                write!(writer, "[{fields}] ")?;
            }
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Who has the lines of the log while they must not be written over a screen.
static DIVERTED: Mutex<Option<Sender<String>>> = Mutex::new(None);

fn diverted() -> MutexGuard<'static, Option<Sender<String>>> {
    DIVERTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands the lines to somebody else from now on.
pub fn divert() -> Receiver<String> {
    let (sender, lines) = channel();
    *diverted() = Some(sender);
    lines
}

/// Writes them to standard error again.
pub fn restore() {
    *diverted() = None;
}

/// Standard error, whether or not it can be written: a log on a full disk must not end a worker.
struct Unheard;

impl Write for Unheard {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*diverted() {
            Some(screen) => drop(screen.send(String::from_utf8_lossy(line).trim_end().to_owned())),
            None => drop(io::stderr().write_all(line)),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        .with_writer(|| Unheard)
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_ansi(false)
        .event_format(PythonLine)
        .try_init();
    drop(ended);
}
