//! What a script may use up, and what it draws from.
//!
//! A script has a budget of *steps*: an executed instruction is one, a call of a command is worth
//! [`CALL_STEPS`] and one per [`BYTES_PER_STEP`] bytes of its reply, functions that work on long
//! strings count these. Lua counts instructions exactly, so a script ends at the same one on every
//! replica. Redis's limit is a time after which other clients may kill the script; a time would end
//! a script in another place on each replica.

use std::cell::{Cell, RefCell};

use quoris_resp::Protocol;

use crate::libraries::JsonSettings;
use crate::machine::MEMORY_BYTES_MAX;

/// Steps of one script: a second or two.
pub(crate) const STEPS_MAX: i64 = 100_000_000;
/// After how many instructions the budget is looked at.
pub(crate) const PERIOD: u32 = 1000;
/// Steps of a command.
pub(crate) const CALL_STEPS: i64 = 100;
/// Bytes that are worth a step.
pub(crate) const BYTES_PER_STEP: usize = 64;

/// Why a script was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its steps are used up.
    Steps,
    /// Its memory is used up.
    Memory,
    /// Somebody wanted it to end.
    Killed,
}

/// The state of the running script.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Cell<i64>,
    left: Cell<i64>,
    ending: Cell<Option<Ending>>,
    /// Source and line at which it was killed.
    killed_at: RefCell<Option<(String, usize)>>,
    /// The generator of `math.random`, 48 bits.
    random: Cell<u64>,
    /// What `redis.setresp` chose.
    pub protocol: Cell<Protocol>,
    /// Whether the script has had objects numbered, which the prelude is to forget.
    pub numbers_objects: Cell<bool>,
    /// Whether the interpreter was made for this script, so that its memory may decide something.
    pub is_exact: bool,
    /// What the script set in `cjson`.
    pub json: JsonSettings,
}

impl Meter {
    pub(crate) fn new(is_exact: bool) -> Self {
        Meter {
            budget: Cell::new(STEPS_MAX),
            left: Cell::new(STEPS_MAX),
            ending: Cell::new(None),
            killed_at: RefCell::default(),
            random: Cell::new(0),
            protocol: Cell::new(Protocol::Resp2),
            numbers_objects: Cell::new(false),
            is_exact,
            json: JsonSettings::default(),
        }
    }

    /// A script begins, and may use up so many steps.
    pub(crate) fn begin(&self, seed: u64, budget: i64) {
        self.budget.set(budget);
        self.left.set(budget);
        self.ending.set(None);
        self.random.set(seed & RANDOM_MASK);
        self.protocol.set(Protocol::Resp2);
        self.json.reset();
    }

    /// Takes steps off the budget; true if none are left.
    pub(crate) fn charge(&self, steps: i64) -> bool {
        let left = self.left.get().saturating_sub(steps);
        self.left.set(left);
        if left < 0 {
            self.end(Ending::Steps);
        }
        self.ending.get().is_some()
    }

    /// The same for work on so many bytes.
    pub(crate) fn charge_bytes(&self, bytes: usize) -> bool {
        self.charge((bytes / BYTES_PER_STEP) as i64)
    }

    /// A step of making something that is so many bytes long already.
    ///
    /// # Errors
    /// That it is too much.
    pub(crate) fn afford(&self, bytes: usize) -> Result<(), &'static str> {
        if self.charge(1) {
            Err("budget")
        } else if bytes > MEMORY_BYTES_MAX {
            Err("not enough memory")
        } else {
            Ok(())
        }
    }

    /// How many steps were used.
    pub(crate) fn used(&self) -> i64 {
        self.budget.get() - self.left.get()
    }

    /// Ends the script because somebody wants that, wherever it is.
    pub(crate) fn kill(&self, place: Option<(String, usize)>) {
        if self.ending().is_none() {
            self.killed_at.replace(place);
            self.end(Ending::Killed);
        }
    }

    /// How many steps it could use up.
    pub(crate) fn budget(&self) -> i64 {
        self.budget.get()
    }

    /// Where it was killed.
    pub(crate) fn killed_at(&self) -> Option<(String, usize)> {
        self.killed_at.borrow().clone()
    }

    /// Ends the script for good; the first reason counts.
    pub(crate) fn end(&self, why: Ending) {
        self.ending.set(self.ending.get().or(Some(why)));
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    /// `math.randomseed`, as Redis's generator takes it.
    pub(crate) fn seed_random(&self, seed: i32) {
        self.random.set(u64::from(seed as u32) << 16 | 0x330e);
    }

    /// The next 31 random bits of `lrand48`.
    pub(crate) fn random(&self) -> u32 {
        let next = self.random.get().wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & RANDOM_MASK;
        self.random.set(next);
        (next >> 17) as u32
    }
}

const RANDOM_MASK: u64 = (1 << 48) - 1;
