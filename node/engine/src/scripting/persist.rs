//! What a snapshot says about scripts: an auxiliary field for each, in the order of the cache.
//!
//! ```text
//! quoris-script-loaded      source
//! quoris-script-evaluated   number of its last use in 8 bytes, source
//! ```
//!
//! Libraries of functions have records of their own: see [`crate::functions`].

use alloc::rc::Rc;

use super::{Script, Scripting};
use crate::rdb::RdbError;

const LOADED: &str = "quoris-script-loaded";
const EVALUATED: &str = "quoris-script-evaluated";

impl Scripting {
    /// Hands over all fields.
    pub(crate) fn save(&self, field: &mut dyn FnMut(&str, &[u8])) {
        for cached in self.cache.iter() {
            let source = &cached.script.source;
            match cached.used {
                0 => field(LOADED, source),
                used => field(EVALUATED, &[&used.to_le_bytes(), &source[..]].concat()),
            }
        }
        self.functions.save_fields(field);
    }

    /// Takes a field back; false if it is about something else.
    ///
    /// # Errors
    /// That it is not what [`Scripting::save`] writes.
    pub(crate) fn load(&mut self, name: &str, value: &[u8]) -> Result<bool, RdbError> {
        const BAD: RdbError = RdbError::Corrupt("script");
        let (used, source) = match name {
            LOADED => (0, value),
            EVALUATED => {
                let (used, source) = value.split_first_chunk::<8>().ok_or(BAD)?;
                (u64::from_le_bytes(*used), source)
            }
            _ => return self.functions.load_field(name, value),
        };
        let script = Script::new(source).map_err(|_| BAD)?;
        self.cache.restore(Rc::new(script), used);
        Ok(true)
    }
}
