//! Where log lines go: text or JSON, to a file or to the standard output.
//!
//! The subscriber is the process's, so only the binary starts it; nodes merely log.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt, reload};

use crate::config::{Config, LogFormat, LogLevel};

/// The prefix of our own crates' targets.
const OURS: &str = "quoris";

/// Why logging could not start; one line.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The log file cannot be opened.
    #[error("logfile: cannot open '{}': {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody started logging before.
    #[error("logging was started twice")]
    Twice,
}

/// Changes the level of a log that is running.
#[derive(Clone, Debug)]
pub struct Logging {
    filter: reload::Handle<Targets, Registry>,
}

impl Logging {
    /// Starts the process's log as `logfile`, `log-format` and `loglevel` say.
    ///
    /// # Errors
    /// [`LoggingError`], if the file cannot be opened or the process logs already.
    pub fn start(config: &Config) -> Result<Logging, LoggingError> {
        let (filter, handle) = reload::Layer::new(targets(config.loglevel()));
        let writer = writer(config)?;
        let lines = fmt::layer().with_writer(writer).with_ansi(false);
        let lines = match config.log_format() {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .try_init()
            .map_err(|_| LoggingError::Twice)?;
        Ok(Logging { filter: handle })
    }

    /// Puts another `loglevel` into effect.
    pub fn set_level(&self, level: LogLevel) {
        // It fails only if the subscriber is gone, and then there is nothing to filter.
        let _ = self.filter.reload(targets(level));
    }
}

/// Our own lines at the level asked for; those of libraries only where they are as grave as a
/// warning, or if everything is asked for.
fn targets(level: LogLevel) -> Targets {
    let (ours, theirs) = match level {
        LogLevel::Debug => (LevelFilter::TRACE, LevelFilter::DEBUG),
        LogLevel::Verbose => (LevelFilter::DEBUG, LevelFilter::INFO),
        LogLevel::Notice => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Warning => (LevelFilter::WARN, LevelFilter::ERROR),
    };
    Targets::new().with_target(OURS, ours).with_default(theirs)
}

fn writer(config: &Config) -> Result<BoxMakeWriter, LoggingError> {
    let Some(path) = config.logfile() else { return Ok(BoxMakeWriter::new(io::stdout)) };
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| LoggingError::Open { path: path.into(), source })?;
    Ok(BoxMakeWriter::new(Mutex::new(file)))
}
