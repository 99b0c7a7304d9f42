//! What a snapshot says about functions.
//!
//! ```text
//! 0xF5 source                    each library, as Redis writes it; in the order of their names
//! quoris-functions-version       the number of the cluster's record, in decimal digits
//! quoris-functions-unasked       a name
//! quoris-functions-departed      a name
//! ```

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Functions, library::Header};
use crate::rdb::{FUNCTION, RdbError, save_string};
use crate::scripting::ScriptHost;

const VERSION: &str = "quoris-functions-version";
const UNASKED: &str = "quoris-functions-unasked";
const DEPARTED: &str = "quoris-functions-departed";

impl Functions {
    /// Appends a record for each library.
    pub(crate) fn save(&self, out: &mut Vec<u8>) {
        for source in self.sources() {
            out.push(FUNCTION);
            save_string(source, out);
        }
    }

    /// Hands over what else there is to know.
    pub(crate) fn save_fields(&self, field: &mut dyn FnMut(&str, &[u8])) {
        if self.version > 0 {
            field(VERSION, self.version.to_string().as_bytes());
        }
        self.unasked.iter().for_each(|name| field(UNASKED, name.as_bytes()));
        self.departed.iter().for_each(|name| field(DEPARTED, name.as_bytes()));
    }

    /// Takes a field back; false if it is about something else.
    ///
    /// # Errors
    /// That it is not what [`Functions::save_fields`] writes.
    pub(crate) fn load_field(&mut self, name: &str, value: &[u8]) -> Result<bool, RdbError> {
        const BAD: RdbError = RdbError::Corrupt("field about functions");
        if !matches!(name, VERSION | UNASKED | DEPARTED) {
            return Ok(false);
        }
        let value = core::str::from_utf8(value).map_err(|_| BAD)?;
        match name {
            VERSION => self.version = value.parse().map_err(|_| BAD)?,
            UNASKED => _ = self.unasked.insert(String::from(value)),
            _ => _ = self.departed.insert(String::from(value)),
        }
        Ok(true)
    }

    /// Takes a library back. It can be called once [`Functions::wake`] has been.
    pub(crate) fn restore(&mut self, source: &[u8]) {
        self.asleep.push(source.to_vec());
    }

    /// Loads what [`Functions::restore`] has brought.
    ///
    /// # Panics
    /// If a library does not load that did when its entry was applied: without it this replica would
    /// differ from the others.
    pub(crate) fn wake(&mut self, host: &mut dyn ScriptHost) {
        let unasked = core::mem::take(&mut self.unasked);
        for source in core::mem::take(&mut self.asleep) {
            let loaded = Header::parse(&source).and_then(|header| header.load(host));
            let linked = loaded.and_then(|library| self.link(library));
            linked.expect("a library that was loaded once loads again");
        }
        self.unasked = unasked;
    }
}
