//! Reads the configuration file and the flags.
//!
//! A file has one directive a line, a name and words, quoted as in `redis-cli`; lines that begin
//! with `#` are comments. `include` reads another file in its place, or several by a pattern in the
//! last part of its path. What comes later wins, and flags win over files; only `save` lines add up,
//! and `client-output-buffer-limit` lines change the classes that they name.

use std::fs;
use std::path::{Path, PathBuf};

use quoris_resp::split_words;

use super::directive::{Effect, Kind};
use super::error::{ConfigError, Place};
use super::table::{self, DIRECTIVES};
use super::{Config, get, suggest};

/// How deep files may include each other.
const INCLUDE_DEPTH_MAX: usize = 16;

/// A directive on the command line: `--name word …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name, without the dashes.
    pub name: String,
    /// What follows it.
    pub words: Vec<String>,
}

impl Config {
    /// Reads `file`, if there is one, and applies `flags` on top.
    ///
    /// # Errors
    /// [`ConfigError`], one line that names the place, the directive and what to do.
    pub fn load(file: Option<&Path>, flags: &[Flag]) -> Result<Config, ConfigError> {
        let mut loader = Loader::new();
        if let Some(file) = file {
            loader.read_file(file, 0)?;
            loader.config.file = Some(absolute(file)?);
        }
        loader.begun.fill(false);
        for flag in flags {
            let words: Vec<&str> = flag.words.iter().map(String::as_str).collect();
            loader.directive(&flag.name, &words, &Place::Flags)?;
        }
        loader.finish()
    }

    /// A configuration from flags alone, as on a command line: `["--port", "7000"]`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_flags(arguments: &[&str]) -> Result<Config, ConfigError> {
        Config::load(None, &crate::cli::flags(arguments.iter().copied())?)
    }
}

struct Loader {
    config: Config,
    /// Directives that were given in this source, for those whose lines add up.
    begun: Vec<bool>,
    /// Where each directive was last given.
    places: Vec<Option<Place>>,
}

impl Loader {
    fn new() -> Self {
        Loader {
            config: Config::default(),
            begun: vec![false; DIRECTIVES.len()],
            places: vec![None; DIRECTIVES.len()],
        }
    }

    fn read_file(&mut self, path: &Path, depth: usize) -> Result<(), ConfigError> {
        let at = |line| Place::File(path.to_path_buf(), line);
        if depth > INCLUDE_DEPTH_MAX {
            return fail(at(0), "files include each other too deeply");
        }
        let text = fs::read_to_string(path)
            .or_else(|error| fail(at(0), format!("cannot read the configuration: {error}")))?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_matches([' ', '\t', '\r', '\n']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = at(index + 1);
            let Some(words) = words(line) else {
                return fail(place, "unbalanced quotes");
            };
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let Some((name, words)) = words.split_first() else { continue };
            if name.eq_ignore_ascii_case("include") {
                self.include(words, &place, depth)?;
            } else {
                let index = self.directive(name, words, &place)?;
                self.config.included[index] = depth > 0;
            }
        }
        Ok(())
    }

    fn include(&mut self, words: &[&str], place: &Place, depth: usize) -> Result<(), ConfigError> {
        let [pattern] = words else {
            return fail(place.clone(), "include: wrong number of arguments");
        };
        if !pattern.contains(['*', '?', '[']) {
            return self.read_file(Path::new(pattern), depth + 1);
        }
        // No match is no error, so that a directory of fragments may be empty.
        matching_files(Path::new(pattern))
            .iter()
            .try_for_each(|path| self.read_file(path, depth + 1))
    }

    /// Sets one directive; returns its place in the table.
    fn directive(
        &mut self,
        name: &str,
        words: &[&str],
        place: &Place,
    ) -> Result<usize, ConfigError> {
        let Some(index) = table::find(name) else {
            return fail(place.clone(), unknown(name));
        };
        let directive = &DIRECTIVES[index];
        let current = &self.config.values[index];
        let accumulates = matches!(directive.kind, Kind::Words { accumulates: true, .. });
        let value = match (current, accumulates && self.begun[index] && words != [""]) {
            (super::Value::Words(earlier), true) => {
                let words: Vec<&str> =
                    earlier.iter().map(String::as_str).chain(words.iter().copied()).collect();
                directive.parse(&words, current)
            }
            _ => directive.parse(words, current),
        };
        let value = value.or_else(|problem| {
            let comment = words.iter().skip(1).any(|word| word.starts_with('#'));
            let hint = if comment { "; a comment needs a line of its own" } else { "" };
            fail(place.clone(), format!("{}: {problem}{hint}", directive.name))
        })?;
        self.config.values[index] = value;
        self.begun[index] = true;
        self.config.given[index] = true;
        self.places[index] = Some(place.clone());
        Ok(index)
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        for (index, place) in self.places.iter().enumerate() {
            let directive = &DIRECTIVES[index];
            let is_default = self.config.values[index] == directive.default_value();
            if let (Some(place), Effect::Ignored(why), false) =
                (place, directive.effect, is_default)
            {
                let notice = format!("{place}: {} has no effect: {why}", directive.name);
                self.config.notices.push(notice);
            }
        }
        let directory = self.config.dir().to_path_buf();
        self.config.set_directory(&absolute(&directory)?);
        Ok(self.config)
    }
}

/// Splits a line of a file into words; `None` if a quote is not closed or a word is not UTF-8.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let (mut spans, mut bytes) = (Vec::new(), Vec::new());
    split_words(line.as_bytes(), &mut spans, &mut bytes).ok()?;
    spans.iter().map(|span| String::from_utf8(span.of(&bytes).to_vec()).ok()).collect()
}

fn unknown(name: &str) -> String {
    let why = match name.to_ascii_lowercase().as_str() {
        "user" => "users are not read from a file yet: use requirepass",
        "loadmodule" => "there are no modules",
        "rename-command" => "commands keep their names",
        "sentinel" => "leaders are elected without sentinels",
        _ => match suggest::nearest(name) {
            Some(known) => return format!("unknown directive '{name}', did you mean '{known}'?"),
            None => return format!("unknown directive '{name}', see --help for those there are"),
        },
    };
    format!("{name} is not supported: {why}")
}

/// The files whose names match the last part of `pattern`, in order.
fn matching_files(pattern: &Path) -> Vec<PathBuf> {
    let directory = match pattern.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| get::matches(&name, &entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path)
        .or_else(|error| fail(Place::File(path.into(), 0), format!("no absolute path: {error}")))
}

pub(super) fn fail<T>(place: Place, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { place, problem: problem.into() })
}
