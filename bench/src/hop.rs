//! What it takes to hand something to another core: two pinned threads that play ping-pong.
//!
//! The two cores of a virtual machine lie nearer or farther apart from one run to the next, so that a hop
//! only means something beside the bare one of the same run: a number in a cache line, there and back.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use core_affinity::CoreId;
use crossbeam_queue::{ArrayQueue, SegQueue};
use crossbeam_utils::CachePadded;
use fusewire_core::ring::{Consumer, Producer, RingBuffer};

/// Trips there and back in one game.
const TRIPS: u64 = 20_000;
/// Trips before them that are not measured.
const WARM_UP: u64 = 2_000;
/// Slots of the bounded queues.
const SLOTS: usize = 1_024;

/// What carries the ball.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A number in a cache line of its own: what the hardware takes.
    Bare,
    /// The ring that joins our stages (rtrb), with a message of a number.
    Ring,
    /// The same ring with a message as large as an event.
    RingOfEvents,
    /// `crossbeam_queue::ArrayQueue`, bounded, any number of threads.
    ArrayQueue,
    /// `crossbeam_queue::SegQueue`, unbounded, any number of threads.
    SegQueue,
}

impl Carrier {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Bare, Self::Ring, Self::RingOfEvents, Self::ArrayQueue, Self::SegQueue];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare cache line",
            Self::Ring => "ring",
            Self::RingOfEvents => "ring of 128 B",
            Self::ArrayQueue => "crossbeam ArrayQueue",
            Self::SegQueue => "crossbeam SegQueue",
        }
    }
}

/// Where a ball goes in.
trait In: Send {
    fn send(&mut self, ball: u64);
}

/// Where it comes out.
trait Out: Send {
    fn receive(&mut self) -> u64;
}

/// The two cores to play on.
///
/// # Errors
/// Fewer than two cores, or the system does not let a thread choose.
pub fn cores() -> Result<[CoreId; 2], String> {
    // The mask of this thread, which nothing here pins.
    let all = core_affinity::get_core_ids().unwrap_or_default();
    let [one, other, ..] = all.as_slice() else {
        return Err(format!("{} core to run on, and a hop takes two", all.len()));
    };
    let both = [*one, *other];
    let pinned = thread::spawn(move || both.into_iter().all(core_affinity::set_for_current));
    match pinned.join() {
        Ok(true) => Ok(both),
        Ok(false) | Err(_) => Err("the system does not pin threads".to_owned()),
    }
}

/// ns of one hop: the mean over a game.
#[must_use]
pub fn hop_ns(carrier: Carrier, cores: [CoreId; 2]) -> f64 {
    match carrier {
        Carrier::Bare => {
            let balls = [(); 2].map(|()| CachePadded::new(AtomicU64::new(0)));
            let [there, back] = balls.each_ref().map(|ball| (&**ball, Bare { ball, last: 0 }));
            play(there, back, cores)
        }
        Carrier::Ring => play(RingBuffer::<u64>::new(SLOTS), RingBuffer::new(SLOTS), cores),
        Carrier::RingOfEvents => {
            play(RingBuffer::<Wide>::new(SLOTS), RingBuffer::new(SLOTS), cores)
        }
        Carrier::ArrayQueue => {
            let queues = [(); 2].map(|()| ArrayQueue::new(SLOTS));
            let [there, back] = queues.each_ref().map(|queue| (queue, queue));
            play(there, back, cores)
        }
        Carrier::SegQueue => {
            let queues = [(); 2].map(|()| SegQueue::new());
            let [there, back] = queues.each_ref().map(|queue| (queue, queue));
            play(there, back, cores)
        }
    }
}

/// Plays one game on two cores. Each thread is started unpinned and pins itself, because one that a pinned
/// thread starts would inherit its core.
fn play<I: In, O: Out>(
    (mut there_in, mut there_out): (I, O),
    (mut back_in, mut back_out): (I, O),
    [home, away]: [CoreId; 2],
) -> f64 {
    thread::scope(|scope| {
        scope.spawn(move || {
            core_affinity::set_for_current(away);
            for _ in 0..WARM_UP + TRIPS {
                back_in.send(there_out.receive());
            }
        });
        let server = scope.spawn(move || {
            core_affinity::set_for_current(home);
            let mut rally = |trips: u64, first: u64| {
                for ball in first..first + trips {
                    there_in.send(ball);
                    assert_eq!(back_out.receive(), ball, "the same ball comes back");
                }
            };
            // The other thread is awake and the queues have their memory after some trips.
            rally(WARM_UP, 1);
            let start = Instant::now();
            rally(TRIPS, 1 + WARM_UP);
            start.elapsed().as_secs_f64() * 1e9 / (2 * TRIPS) as f64
        });
        server.join().expect("a game has no way to fail but a wrong ball")
    })
}

/// A message as large as an event.
#[derive(Clone, Copy)]
struct Wide([u64; 16]);

/// The receiving side of a bare cache line: a ball is there when the number is another one.
struct Bare<'a> {
    ball: &'a AtomicU64,
    last: u64,
}

impl In for &AtomicU64 {
    fn send(&mut self, ball: u64) {
        // Pairs with the load in `receive`.
        self.store(ball, Ordering::Release);
    }
}

impl Out for Bare<'_> {
    fn receive(&mut self) -> u64 {
        let before = self.last;
        while self.last == before {
            spin_loop();
            self.last = self.ball.load(Ordering::Acquire);
        }
        self.last
    }
}

impl In for Producer<u64> {
    fn send(&mut self, ball: u64) {
        assert!(self.push(ball).is_ok(), "one ball fits");
    }
}

impl Out for Consumer<u64> {
    fn receive(&mut self) -> u64 {
        until(|| self.pop().ok())
    }
}

impl In for Producer<Wide> {
    fn send(&mut self, ball: u64) {
        assert!(self.push(Wide([ball; 16])).is_ok(), "one ball fits");
    }
}

impl Out for Consumer<Wide> {
    fn receive(&mut self) -> u64 {
        until(|| self.pop().ok()).0[15]
    }
}

impl In for &ArrayQueue<u64> {
    fn send(&mut self, ball: u64) {
        assert!(self.push(ball).is_ok(), "one ball fits");
    }
}

impl Out for &ArrayQueue<u64> {
    fn receive(&mut self) -> u64 {
        until(|| self.pop())
    }
}

impl In for &SegQueue<u64> {
    fn send(&mut self, ball: u64) {
        self.push(ball);
    }
}

impl Out for &SegQueue<u64> {
    fn receive(&mut self) -> u64 {
        until(|| self.pop())
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            return found;
        }
        spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carrier_brings_the_ball_back() {
        // Without two cores there is no game, as in the gates.
        let Ok(cores) = cores() else { return };
        for carrier in Carrier::ALL {
            assert!(hop_ns(carrier, cores) > 0.0, "{}", carrier.name());
        }
    }
}
