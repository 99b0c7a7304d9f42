//! Pauses in a script that only reads.
//!
//! Such a script has no budget, since nothing but this node depends on where it ends. So that it
//! does not keep the node from everything else, it runs on a stack of its own, a *fiber*: at counted
//! instructions the interpreter asks whether a pause is due, and then whoever resumed the fiber goes
//! on. Nothing moves between threads. What the script has read must not change while it pauses; to
//! see to that is the business of whoever resumes it.
//!
//! ```text
//! Fiber::resume ──► script … hook: is a pause due? ──► resume returns None
//! Fiber::resume ──► … the script ends             ──► resume returns its outcome
//! ```
//!
//! A fiber that is dropped ends its script first: what lies on its stack is Lua's, which nothing but
//! Lua can take down.

#![expect(
    unsafe_code,
    reason = "the hook of the interpreter gets no reference to the fiber it is on"
)]

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// Room for nested calls of the interpreter in a build without optimisation. Only pages that are
/// touched take memory.
const STACK_BYTES: usize = 8 << 20;

type Back = Yielder<(), ()>;

/// What the fibers of a node and the host of its scripts share. One fiber at a time is inside.
pub struct Pauses {
    /// Whether a pause is due, so many instructions after the last one.
    is_due: Box<dyn Fn(u64) -> bool>,
    /// Instructions since the last pause.
    steps: Cell<u64>,
    /// The way back from the fiber that runs a script.
    back: Cell<Option<NonNull<Back>>>,
    is_killed: Cell<bool>,
    stack: RefCell<Option<DefaultStack>>,
}

impl Pauses {
    /// `is_due` says whether a pause is due, so many instructions after the last one.
    pub fn new(is_due: impl Fn(u64) -> bool + 'static) -> Rc<Self> {
        Rc::new(Pauses {
            is_due: Box::new(is_due),
            steps: Cell::new(0),
            back: Cell::new(None),
            is_killed: Cell::new(false),
            stack: RefCell::default(),
        })
    }

    /// Ends the script that runs, at one of its next instructions.
    pub fn kill(&self) {
        self.is_killed.set(true);
    }

    /// Whether what runs is inside a fiber.
    pub(crate) fn is_inside(&self) -> bool {
        self.back.get().is_some()
    }

    /// The script that runs has executed instructions: pauses if that is due. True if the script is
    /// to end.
    pub(crate) fn tick(&self, steps: u64) -> bool {
        self.steps.set(self.steps.get() + steps);
        if let Some(back) = self.back.get()
            && !self.is_killed.get()
            && (self.is_due)(self.steps.get())
        {
            // SAFETY: the pointer is there only while the function that `Fiber::start` was given
            // runs, whose yielder lives that long; and whoever is here was called by that function,
            // on its stack, because it alone lets a script run meanwhile.
            unsafe { back.as_ref() }.suspend(());
            self.steps.set(0);
        }
        self.is_killed.get()
    }
}

/// Takes the way back away, however the function ends.
struct Inside<'p>(&'p Pauses);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.back.set(None);
    }
}

/// Something that runs on a stack of its own.
pub struct Fiber<T: 'static> {
    coroutine: Option<Coroutine<(), (), T, DefaultStack>>,
    pauses: Rc<Pauses>,
}

impl<T> Fiber<T> {
    /// Prepares to run `work`, which may have a script run.
    ///
    /// # Errors
    /// The operating system has no memory for a stack.
    pub fn start(pauses: &Rc<Pauses>, work: impl FnOnce() -> T + 'static) -> std::io::Result<Self> {
        let kept = pauses.stack.borrow_mut().take();
        let stack = kept.map_or_else(|| DefaultStack::new(STACK_BYTES), Ok)?;
        let shared = Rc::clone(pauses);
        let coroutine = Coroutine::with_stack(stack, move |back: &Back, ()| {
            shared.is_killed.set(false);
            shared.steps.set(0);
            shared.back.set(Some(NonNull::from(back)));
            let _inside = Inside(&shared);
            work()
        });
        Ok(Fiber { coroutine: Some(coroutine), pauses: Rc::clone(pauses) })
    }

    /// Goes on until a pause is due; its outcome once it has ended.
    ///
    /// # Panics
    /// If it has ended before; and with the panic of what it runs.
    pub fn resume(&mut self) -> Option<T> {
        let coroutine = self.coroutine.as_mut().expect("a fiber ends once");
        match coroutine.resume(()) {
            CoroutineResult::Yield(()) => None,
            CoroutineResult::Return(outcome) => {
                let ended = self.coroutine.take().expect("it was there");
                *self.pauses.stack.borrow_mut() = Some(ended.into_stack());
                Some(outcome)
            }
        }
    }
}

impl<T> Drop for Fiber<T> {
    fn drop(&mut self) {
        while self
            .coroutine
            .as_ref()
            .is_some_and(|coroutine| coroutine.started() && !coroutine.done())
        {
            self.pauses.kill();
            self.resume();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::{Fiber, Pauses};

    /// Counts to `end` in the fiber, a thousand instructions each, unless it is killed.
    fn count(pauses: &Rc<Pauses>, end: u32) -> Fiber<u32> {
        let inside = Rc::clone(pauses);
        let work = move || (0..end).find(|_| inside.tick(1000)).unwrap_or(end);
        Fiber::start(pauses, work).expect("there is memory")
    }

    #[test]
    fn a_fiber_pauses_when_that_is_due_and_goes_on_where_it_was() {
        let pauses = Pauses::new(|steps| steps >= 3000);
        let mut fiber = count(&pauses, 8);
        assert_eq!((fiber.resume(), fiber.resume(), fiber.resume()), (None, None, Some(8)));
        assert!(!pauses.is_inside());
        assert_eq!(count(&pauses, 2).resume(), Some(2), "the stack serves again");
    }

    #[test]
    fn what_is_outside_never_pauses() {
        let pauses = Pauses::new(|_| panic!("nobody is to be asked"));
        assert!(!pauses.tick(1_000_000));
    }

    #[test]
    fn a_killed_fiber_ends_and_the_next_one_is_not_affected() {
        let pauses = Pauses::new(|_| true);
        let mut fiber = count(&pauses, u32::MAX);
        assert_eq!((fiber.resume(), fiber.resume()), (None, None));
        pauses.kill();
        assert_eq!(fiber.resume(), Some(1));
        assert_eq!(count(&pauses, 1).resume(), None);
    }

    #[test]
    fn a_fiber_that_is_dropped_ends_first() {
        struct Told(Rc<Cell<bool>>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let (pauses, gone) = (Pauses::new(|_| true), Rc::new(Cell::new(false)));
        let (inside, told) = (Rc::clone(&pauses), Told(Rc::clone(&gone)));
        let work = move || {
            while !inside.tick(1) {}
            drop(told);
        };
        let mut fiber = Fiber::start(&pauses, work).expect("there is memory");
        assert!(fiber.resume().is_none() && !gone.get());
        drop(fiber);
        assert!(gone.get() && !pauses.is_inside());
        drop(count(&pauses, 1));
    }
}
