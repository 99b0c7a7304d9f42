//! Where log lines go: text or JSON, to a file or to the standard output.
//!
//! The subscriber is the process's, so only the binary starts it; nodes merely log.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
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
        let (subscriber, logging) = build(config)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::Twice)?;
        Ok(logging)
    }

    /// Puts another `loglevel` into effect.
    pub fn set_level(&self, level: LogLevel) {
        // It fails only if the subscriber is gone, and then there is nothing to filter.
        let _ = self.filter.reload(targets(level));
    }
}

fn build(config: &Config) -> Result<(impl Subscriber + Send + Sync, Logging), LoggingError> {
    let (filter, handle) = reload::Layer::new(targets(config.loglevel()));
    let lines = fmt::layer().with_writer(writer(config)?).with_ansi(false);
    let lines = match config.log_format() {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    Ok((subscriber, Logging { filter: handle }))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tracing::subscriber::with_default;
    use tracing::{debug, info, warn};

    use super::{LogLevel, build};
    use crate::config::Config;

    /// Lines of a log to a file, as JSON.
    fn lines(flags: &[&str], write: impl FnOnce(&super::Logging)) -> Vec<serde_json::Value> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let file = ["--log-format", "json", "--logfile", path.to_str().expect("UTF-8")];
        let config = Config::from_flags(&[&file[..], flags].concat()).expect("valid flags");
        let (subscriber, logging) = build(&config).expect("the file can be opened");
        with_default(subscriber, || write(&logging));
        let text = fs::read_to_string(&path).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn lines_go_to_the_file_at_the_level_asked_for() {
        let lines = lines(&["--loglevel", "notice"], |logging| {
            info!(target: "quoris_server", slot = 7, "kept");
            debug!(target: "quoris_server", "too much");
            info!(target: "openraft", "a library");
            warn!(target: "openraft", "a grave library");
            logging.set_level(LogLevel::Warning);
            info!(target: "quoris_server", "not any more");
            warn!(target: "quoris_server", "kept still");
        });
        let messages: Vec<&str> =
            lines.iter().filter_map(|line| line["message"].as_str()).collect();
        assert_eq!(messages, ["kept", "a grave library", "kept still"]);
        assert_eq!(
            (lines[0]["slot"].as_i64(), lines[0]["level"].as_str()),
            (Some(7), Some("INFO"))
        );
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let config = Config::from_flags(&["--logfile", "/nonexistent/log"]).expect("valid flags");
        let error = build(&config).err().expect("no such directory").to_string();
        assert!(error.starts_with("logfile: cannot open '/nonexistent/log': "), "{error}");
    }
}
