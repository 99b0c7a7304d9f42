//! Watches a script at counted instructions: takes steps off its budget, lets it pause, and collects
//! garbage where that happens while it runs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{Error, HookTriggers, Lua, Result, VmState};

use crate::machine::script_place;
use crate::meter::{Meter, PERIOD};
use crate::pauses::Pauses;

/// From how many bytes on an interpreter of a script's own collects garbage while it runs.
const COLLECT_BYTES: usize = 128 << 20;
/// How much a script may allocate in all before that counts as work. One that comes this far has an
/// interpreter of its own on every replica, whatever the shared one held already.
const FREE_BYTES: usize = 256 << 20;

/// What watches the scripts of one interpreter.
pub(crate) struct Watch {
    meter: Rc<Meter>,
    pauses: RefCell<Option<Rc<Pauses>>>,
    collect_at: Cell<usize>,
    held: Cell<usize>,
    allocated: Cell<usize>,
}

impl Watch {
    pub(crate) fn new(meter: &Rc<Meter>) -> Self {
        Watch {
            meter: Rc::clone(meter),
            pauses: RefCell::default(),
            collect_at: Cell::new(COLLECT_BYTES),
            held: Cell::new(0),
            allocated: Cell::new(0),
        }
    }

    /// Has the interpreter call it. Each script begins its count of instructions anew, with
    /// [`Entrance::restart_count`](crate::entrance::Entrance::restart_count).
    pub(crate) fn start(self: &Rc<Self>, lua: &Lua) -> Result<()> {
        let watch = Rc::clone(self);
        let every = HookTriggers::new().every_nth_instruction(PERIOD);
        lua.set_global_hook(every, move |lua, _| watch.look(lua))
    }

    /// A script begins, in an interpreter that holds so many bytes.
    pub(crate) fn begin(&self, pauses: Option<Rc<Pauses>>, held: usize) {
        self.pauses.replace(pauses);
        self.collect_at.set(COLLECT_BYTES);
        self.held.set(held);
        self.allocated.set(0);
    }

    fn look(&self, lua: &Lua) -> Result<VmState> {
        // A pause may last, so nothing is borrowed meanwhile.
        let pauses = self.pauses.borrow().clone();
        if pauses.is_some_and(|pauses| pauses.tick(PERIOD.into())) {
            self.meter.kill(script_place(lua, 0));
        }
        if self.meter.charge(PERIOD.into()) {
            return Err(Error::runtime("budget"));
        }
        if self.meter.is_exact {
            self.weigh(lua)?;
        }
        Ok(VmState::Continue)
    }

    /// Takes account of memory, where that is a function of the script.
    fn weigh(&self, lua: &Lua) -> Result<()> {
        let grown = lua.used_memory().saturating_sub(self.held.get());
        self.allocated.set(self.allocated.get() + grown);
        if self.allocated.get() > FREE_BYTES {
            self.meter.charge_bytes(grown);
        }
        if lua.used_memory() > self.collect_at.get() {
            lua.gc_collect()?;
            lua.gc_stop();
            self.collect_at.set(COLLECT_BYTES.max(lua.used_memory() * 2));
        }
        self.held.set(lua.used_memory());
        Ok(())
    }
}
