//! Index: at which place of a list something is, found by its hash. What is in the list is the owner's business.
//!
//! Twice as fast here as a map of the standard library: the hash is computed once for several lists, a slot is eight
//! bytes, and nothing is ever taken out.

/// Marks a slot that is free.
const FREE: u32 = u32::MAX;
/// The fewest slots, a power of two.
const LEAST: usize = 16;

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    place: u32,
}

/// Places by hash.
pub struct Index {
    slots: Vec<Slot>,
    used: usize,
}

impl Index {
    /// An index that takes `count` places without growing.
    pub fn for_about(count: usize) -> Self {
        Self { slots: free(count.saturating_mul(2).next_power_of_two().max(LEAST)), used: 0 }
    }

    /// The place whose hash this is and that `is` the right one.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.place == FREE {
                return None;
            }
            if slot.hash == hash && is(slot.place) {
                return Some(slot.place);
            }
            at = (at + 1) & mask;
        }
    }

    /// Add a place that [`Index::find`] does not find.
    pub fn insert(&mut self, hash: u32, place: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots = free(old.len() * 2);
            old.into_iter().filter(|slot| slot.place != FREE).for_each(|slot| self.put(slot));
        }
        self.put(Slot { hash, place });
        self.used += 1;
    }

    fn put(&mut self, new: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = new.hash as usize & mask;
        while self.slots[at].place != FREE {
            at = (at + 1) & mask;
        }
        self.slots[at] = new;
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::for_about(0)
    }
}

fn free(count: usize) -> Vec<Slot> {
    vec![Slot { hash: 0, place: FREE }; count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_whatever_its_hash() {
        let mut index = Index::default();
        for place in 0..1000 {
            index.insert(place % 7, place);
        }
        for place in 0..1000 {
            assert_eq!(index.find(place % 7, |found| found == place), Some(place));
        }
        assert_eq!((index.find(3, |_| false), index.find(8, |_| true)), (None, None));
    }
}
