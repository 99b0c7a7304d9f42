//! The asynchronous runtime that openraft sees: tokio, with three differences.
//!
//! Randomness comes from a seed that belongs to the node, so that a simulated
//! run can be repeated; whatever calls into Raft therefore has to run inside
//! [`Scope::run`], or openraft panics for want of a seed. And a sleep too short
//! for tokio's timer, whose unit is a millisecond, only gives way to the other
//! tasks: openraft waits one microsecond for more completed writes to report,
//! which must not delay an acknowledgement by a thousand. Third, watch channels
//! are [our own](crate::watch).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend};
use openraft_rt::Instant as _;
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::{TokioInstant, TokioRuntime};

use crate::watch::Watch;

/// openraft's runtime, in production and under simulation.
pub type Runtime = DeterministicRng<Brisk>;

/// Sleeps shorter than this only yield.
const SHORTEST_SLEEP: Duration = Duration::from_micros(50);

/// tokio without its habit of turning a microsecond into a millisecond.
#[derive(Debug)]
pub struct Brisk(TokioRuntime);

/// A sleep of [`Brisk`].
#[derive(Debug)]
pub enum Sleep {
    /// Done at the second poll.
    Yield {
        /// The first poll has happened.
        polled: bool,
    },
    /// An ordinary timer.
    Timer(Pin<Box<tokio::time::Sleep>>),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Self::Yield { polled: true } => Poll::Ready(()),
            Self::Yield { polled } => {
                *polled = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Timer(timer) => timer.as_mut().poll(cx),
        }
    }
}

impl AsyncRuntime for Brisk {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = Sleep;
    type Instant = TokioInstant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> =
        <TokioRuntime as AsyncRuntime>::Timeout<R, T>;
    type ThreadLocalRng = <TokioRuntime as AsyncRuntime>::ThreadLocalRng;
    type Mpsc = <TokioRuntime as AsyncRuntime>::Mpsc;
    type Watch = Watch;
    type Oneshot = <TokioRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        TokioRuntime::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        if duration < SHORTEST_SLEEP {
            return Sleep::Yield { polled: false };
        }
        Sleep::Timer(Box::pin(TokioRuntime::sleep(duration)))
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        Self::sleep(deadline.saturating_duration_since(TokioInstant::now()))
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(join_error)
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        TokioRuntime::thread_rng()
    }

    fn new(threads: usize) -> Self {
        Self(TokioRuntime::new(threads))
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.0.block_on(future)
    }
}

/// Where a node's Raft tasks get their randomness from.
#[derive(Clone, Debug)]
pub struct Scope {
    next: Arc<AtomicU64>,
}

impl Scope {
    /// A source that yields the same sequence for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { next: Arc::new(AtomicU64::new(seed)) }
    }

    /// A number for whatever else needs one.
    pub(crate) fn draw(&self) -> u64 {
        // The odd constant walks through all 2^64 states; the mixing makes
        // neighbours unlike.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let z = self.next.fetch_add(STEP, Ordering::Relaxed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Runs a future that may call into Raft.
    pub(crate) fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Runtime::scope(self.draw(), future)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_shorter_than_the_timer_only_yields() {
        let before = tokio::time::Instant::now();
        Brisk::sleep(Duration::from_micros(1)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        Brisk::sleep(Duration::from_millis(2)).await;
        assert!(before.elapsed() >= Duration::from_millis(2));
    }

    #[test]
    fn openraft_finds_what_it_expects() {
        openraft_rt::testing::Suite::<Brisk>::test_all();
    }

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let draw = |seed| {
            let scope = Scope::new(seed);
            [scope.draw(), scope.draw(), scope.draw()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
