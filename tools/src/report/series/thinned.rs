//! Points of which there may be any number: as many as there is room for, evenly thinned out.

/// Keeps every `stride`-th of what comes. When the room is full, every second one goes and the stride doubles.
#[derive(Clone, Debug)]
pub struct Thinned<T> {
    kept: Vec<T>,
    room: usize,
    stride: u64,
    count: u64,
}

impl<T> Thinned<T> {
    /// Nothing yet, and room for so many; at least two.
    #[must_use]
    pub const fn new(room: usize) -> Self {
        Self { kept: Vec::new(), room: if room < 2 { 2 } else { room }, stride: 1, count: 0 }
    }

    /// One more.
    pub fn push(&mut self, one: T) {
        if self.count.is_multiple_of(self.stride) {
            if self.kept.len() == self.room {
                let mut at = 0_usize;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
            if self.count.is_multiple_of(self.stride) {
                self.kept.push(one);
            }
        }
        self.count += 1;
    }

    /// Those that were kept, in order.
    #[must_use]
    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// How many came.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_evenly_spread_and_bounded() {
        for count in [0_u64, 1, 7, 8, 9, 16, 17, 1_000, 1_025] {
            let mut thinned = Thinned::new(8);
            (0..count).for_each(|n| thinned.push(n));
            assert_eq!(thinned.count(), count);
            let kept = thinned.kept();
            assert!(kept.len() <= 8 && (count < 8 || kept.len() > 4), "{count}: {kept:?}");
            let stride = kept.get(1).copied().unwrap_or(1);
            let even = kept.iter().zip(0..).all(|(n, at): (&u64, u64)| *n == at * stride);
            assert!(even, "{count}: {kept:?}");
        }
    }
}
