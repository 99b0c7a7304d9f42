//! `CONFIG SET`: several directives, or none of them.

use super::directive::{Effect, When};
use super::error::SetError;
use super::table::{self, DIRECTIVES};
use super::{Config, Directive, Value};

/// What a successful `CONFIG SET` changed: what there is to put into effect, and to undo if that
/// fails.
#[derive(Clone, Debug)]
pub struct Change {
    /// The directives that have another value now.
    pub changed: Vec<Changed>,
    /// Directives that were set and have no effect, to be logged.
    pub notices: Vec<String>,
}

/// A directive with another value than before.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The directive.
    pub directive: &'static Directive,
    index: usize,
    before: Value,
}

impl Change {
    /// True if the directive of this name has another value now.
    pub fn includes(&self, name: &str) -> bool {
        self.changed.iter().any(|changed| changed.directive.name == name)
    }
}

impl Config {
    /// Sets directives: all of them, or with an error none. `is_local` tells whether the client is
    /// on this machine, which may allow it more.
    ///
    /// # Errors
    /// [`SetError`], which prints as Redis's reply.
    pub fn set(&mut self, pairs: &[(&[u8], &[u8])], is_local: bool) -> Result<Change, SetError> {
        let indexes = self.settable(pairs, is_local)?;
        let mut change = Change { changed: Vec::new(), notices: Vec::new() };
        for (&index, (name, value)) in indexes.iter().zip(pairs) {
            match self.parse_setting(index, value) {
                Ok(value) => self.exchange(index, value, &mut change),
                Err(reason) => {
                    self.undo(change);
                    return Err(SetError::failed(&name_as_kept(index, name), reason));
                }
            }
        }
        Ok(change)
    }

    /// Takes a change back that could not be put into effect.
    pub fn undo(&mut self, change: Change) {
        for changed in change.changed {
            self.values[changed.index] = changed.before;
        }
    }

    /// The places of the directives, if all of them exist and may be set.
    fn settable(&self, pairs: &[(&[u8], &[u8])], is_local: bool) -> Result<Vec<usize>, SetError> {
        let mut indexes = Vec::with_capacity(pairs.len());
        for (name, _) in pairs {
            let name = String::from_utf8_lossy(name).into_owned();
            let Some(index) = table::find(&name) else { return Err(SetError::Unknown(name)) };
            let reason = match DIRECTIVES[index].when {
                When::Starting => "can't set immutable config",
                When::Protected if !self.enable_protected_configs().allows(is_local) => {
                    "can't set protected config"
                }
                _ if indexes.contains(&index) => "duplicate parameter",
                _ => {
                    indexes.push(index);
                    continue;
                }
            };
            return Err(SetError::failed(&name, reason));
        }
        Ok(indexes)
    }

    fn parse_setting(&self, index: usize, value: &[u8]) -> Result<Value, String> {
        let text = str::from_utf8(value).map_err(|_| "argument must be UTF-8 text")?;
        DIRECTIVES[index].parse(&[text], &self.values[index])
    }

    fn exchange(&mut self, index: usize, value: Value, change: &mut Change) {
        let directive = &DIRECTIVES[index];
        if self.values[index] == value {
            return;
        }
        if let Effect::Ignored(why) = directive.effect {
            change.notices.push(format!("{} has no effect: {why}", directive.name));
        }
        let before = std::mem::replace(&mut self.values[index], value);
        change.changed.push(Changed { directive, index, before });
    }
}

/// The directive's own spelling of the name that a client used for it.
fn name_as_kept(index: usize, name: &[u8]) -> String {
    let known = |kept: &&str| kept.as_bytes().eq_ignore_ascii_case(name);
    DIRECTIVES[index].names().find(known).unwrap_or(DIRECTIVES[index].name).into()
}
