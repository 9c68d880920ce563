//! The marks of recent records, by which an event that arrives twice is recognised before the index knows it.
//!
//! A ring of fixed size: the oldest mark goes when a new one comes. Both look-ups are chains through the ring, newest
//! first, so that a mark costs some 50 bytes and nothing is allocated after the start.

use super::{Mark, Seq};

/// How many marks are kept. Older ones are the index's business.
pub(super) const MARKS_MAX: usize = 65_536;

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Slot {
    digest: [u8; 16],
    subject: [u8; 16],
    seq: u64,
    older_digest: u32,
    older_subject: u32,
}

/// The ring.
#[derive(Debug)]
pub(super) struct Marks {
    capacity: usize,
    slots: Vec<Slot>,
    /// The slot that is taken next.
    oldest: usize,
    by_digest: Vec<u32>,
    by_subject: Vec<u32>,
}

/// Which of the two chains through a slot.
#[derive(Clone, Copy)]
enum Chain {
    Digest,
    Subject,
}

impl Marks {
    /// A ring of `capacity` marks, which is rounded up to a power of two.
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.next_power_of_two();
        Self { capacity, slots: Vec::new(), oldest: 0, by_digest: vec![NONE; capacity], by_subject: vec![NONE; capacity] }
    }

    /// The record that `mark` repeats, if it is a recent one.
    pub(super) fn repeated(&self, mark: &Mark) -> Option<Seq> {
        let mut of_subject = self.chain(Chain::Subject, &mark.subject).filter(|slot| slot.subject == mark.subject);
        if mark.only_newest {
            return of_subject.next().filter(|slot| slot.digest == mark.digest).map(|slot| Seq(slot.seq));
        }
        self.chain(Chain::Digest, &mark.digest).find(|slot| slot.digest == mark.digest).map(|slot| Seq(slot.seq))
    }

    /// Keeps `mark` as the newest. `seq` is above all that came before.
    pub(super) fn insert(&mut self, mark: &Mark, seq: Seq) {
        let slot = Slot {
            digest: mark.digest,
            subject: mark.subject,
            seq: seq.0,
            older_digest: self.head(Chain::Digest, &mark.digest),
            older_subject: self.head(Chain::Subject, &mark.subject),
        };
        let place = self.oldest;
        match self.slots.get_mut(place) {
            Some(oldest) => *oldest = slot,
            None => self.slots.push(slot),
        }
        self.oldest = (place + 1) % self.capacity;
        self.set_head(Chain::Digest, &mark.digest, index(place));
        self.set_head(Chain::Subject, &mark.subject, index(place));
    }

    /// From the newest to the oldest. What points at a slot that was taken again stays as it is: the slot tells, by its bucket or its number,
    /// and there the chain ends, because everything older was replaced before.
    fn chain(&self, chain: Chain, key: &[u8; 16]) -> impl Iterator<Item = &Slot> {
        let (bucket, mut next, mut newer) = (self.bucket(key), self.head(chain, key), u64::MAX);
        std::iter::from_fn(move || {
            let slot = self.slots.get(next as usize).filter(|slot| slot.seq < newer && self.bucket(slot.key(chain)) == bucket)?;
            (next, newer) = (slot.older(chain), slot.seq);
            Some(slot)
        })
    }

    fn head(&self, chain: Chain, key: &[u8; 16]) -> u32 {
        self.heads(chain).get(self.bucket(key)).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, chain: Chain, key: &[u8; 16], to: u32) {
        let bucket = self.bucket(key);
        let heads = match chain {
            Chain::Digest => &mut self.by_digest,
            Chain::Subject => &mut self.by_subject,
        };
        if let Some(head) = heads.get_mut(bucket) {
            *head = to;
        }
    }

    fn heads(&self, chain: Chain) -> &[u32] {
        match chain {
            Chain::Digest => &self.by_digest,
            Chain::Subject => &self.by_subject,
        }
    }

    /// The keys end in a hash, whose bytes are as good as any other hash of it; a digest begins with a time.
    fn bucket(&self, key: &[u8; 16]) -> usize {
        let [.., a, b, c, d] = *key;
        u32::from_le_bytes([a, b, c, d]) as usize & (self.capacity - 1)
    }
}

impl Slot {
    fn key(&self, chain: Chain) -> &[u8; 16] {
        match chain {
            Chain::Digest => &self.digest,
            Chain::Subject => &self.subject,
        }
    }

    fn older(&self, chain: Chain) -> u32 {
        match chain {
            Chain::Digest => self.older_digest,
            Chain::Subject => self.older_subject,
        }
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn mark(digest: u8, subject: u8, only_newest: bool) -> Mark {
        Mark { digest: [digest; 16], subject: [subject; 16], only_newest }
    }

    #[test]
    fn a_mark_without_a_timestamp_repeats_only_the_newest_of_its_subject() {
        let mut marks = Marks::new(8);
        marks.insert(&mark(1, 9, true), Seq(1));
        assert_eq!(marks.repeated(&mark(1, 9, true)), Some(Seq(1)));
        marks.insert(&mark(2, 9, true), Seq(2));
        assert_eq!(marks.repeated(&mark(1, 9, true)), None);
        assert_eq!(marks.repeated(&mark(1, 9, false)), Some(Seq(1)));
    }

    #[test]
    fn nobody_walks_through_the_many_marks_of_another_subject() {
        let mut marks = Marks::new(8);
        for seq in 0..8 {
            marks.insert(&mark(seq, seq, false), Seq(seq.into()));
        }
        for seq in 8..16 {
            marks.insert(&mark(seq, 8, false), Seq(seq.into()));
        }
        let length = |subject: u8| marks.chain(Chain::Subject, &[subject; 16]).count();
        assert_eq!((length(8), (1..8).map(length).sum()), (8, 0));
    }

    #[test]
    fn the_ring_agrees_with_a_plain_list_however_keys_collide() {
        let mut marks = Marks::new(16);
        let mut list: VecDeque<(Mark, u64)> = VecDeque::new();
        let mut state = 1u32;
        for seq in 1..5_000u64 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let probe = mark((state >> 24) as u8 % 40, (state >> 16) as u8 % 5, state & 0x100 == 0);
            let expected = if probe.only_newest {
                let newest = list.iter().rev().find(|(kept, _)| kept.subject == probe.subject);
                newest.filter(|(kept, _)| kept.digest == probe.digest)
            } else {
                list.iter().rev().find(|(kept, _)| kept.digest == probe.digest)
            };
            assert_eq!(marks.repeated(&probe), expected.map(|(_, seq)| Seq(*seq)), "at {seq}");
            marks.insert(&probe, Seq(seq));
            list.push_back((probe, seq));
            if list.len() > 16 {
                list.pop_front();
            }
        }
    }
}
