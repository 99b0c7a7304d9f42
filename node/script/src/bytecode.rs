//! Reads in a compiled script whether it sets a global.
//!
//! The globals that scripts see are a sealed table, empty but for a metatable that finds what is
//! behind it. A script whose code has no instruction that sets a global cannot notice if it has what
//! is behind instead, and saves a look-up with every global.
//!
//! What is read is a dump of Lua 5.1, made on this machine, of which the beginning tells the sizes:
//!
//! ```text
//! header    1b 4c 75 61 51 00 01 04 08 04 08 00
//! function  source  2 × int  4 bytes  code  constants  functions  lines  variables  upvalues
//! source    length in 8 bytes, bytes; lists begin with their length in 4 bytes
//! ```
//!
//! Anything that looks otherwise counts as setting globals.

const HEADER: [u8; 12] = [0x1b, b'L', b'u', b'a', 0x51, 0, 1, 4, 8, 4, 8, 0];
/// The number of the instruction, in the lowest six bits.
const SETS_GLOBAL: u8 = 7;
const INSTRUCTION_MASK: u8 = 0x3f;

/// Whether a dumped function, or one inside it, sets a global.
pub(crate) fn sets_globals(dump: &[u8]) -> bool {
    let Some(code) = dump.strip_prefix(&HEADER) else { return true };
    Reader(code).function().unwrap_or(true)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(i32::from_ne_bytes(*count)).ok()
    }

    fn string(&mut self) -> Option<()> {
        let (len, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        self.take(usize::try_from(u64::from_ne_bytes(*len)).ok()?).map(drop)
    }

    fn function(&mut self) -> Option<bool> {
        self.string()?;
        self.take(2 * 4 + 4)?;
        let count = self.count()?;
        let code = self.take(count.checked_mul(4)?)?;
        let mut sets = code.chunks_exact(4).any(|instruction| {
            let number = u32::from_ne_bytes(instruction.try_into().expect("four bytes"));
            number as u8 & INSTRUCTION_MASK == SETS_GLOBAL
        });
        for _ in 0..self.count()? {
            self.constant()?;
        }
        for _ in 0..self.count()? {
            sets |= self.function()?;
        }
        let lines = self.count()?;
        self.take(lines.checked_mul(4)?)?;
        for _ in 0..self.count()? {
            self.string()?;
            self.take(2 * 4)?;
        }
        for _ in 0..self.count()? {
            self.string()?;
        }
        Some(sets)
    }

    fn constant(&mut self) -> Option<()> {
        match self.take(1)?[0] {
            0 => Some(()),
            1 => self.take(1).map(drop),
            3 => self.take(8).map(drop),
            4 => self.string(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use mlua::Lua;

    use super::sets_globals;

    #[test]
    fn a_function_that_sets_a_global_is_found_wherever_it_is() {
        let lua = Lua::new();
        for (script, expected) in [
            ("", false),
            ("return redis.call('get', KEYS[1]) == 1.5 and true or nil", false),
            ("local a = {b = 1} a.b = 2 local function f() a = nil end return f", false),
            ("KEYS[1] = 'x' for i = 1, 9 do print(i) end", false),
            ("a = 1", true),
            ("function f() end", true),
            ("return function() return function() _G = 1 end end", true),
            ("local function f() local x = function() return 1 end y = x end", true),
        ] {
            let function = lua.load(script).into_function().expect("it compiles");
            assert_eq!(sets_globals(&function.dump(true)), expected, "{script}");
            assert_eq!(sets_globals(&function.dump(false)), expected, "{script}");
        }
    }

    #[test]
    fn what_is_no_such_dump_counts_as_setting_globals() {
        let dump = Lua::new().load("return 1").into_function().expect("it compiles").dump(true);
        assert!(!sets_globals(&dump));
        for len in 0..dump.len() {
            assert!(sets_globals(&dump[..len]), "{len}");
        }
    }
}
