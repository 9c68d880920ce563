//! What a fake service has made, with the lag that real services have between making something and listing it.

use std::sync::Mutex;

use super::locked;

/// Objects in order of their making. A new one may be hidden from the next listings, as behind a search index that lags.
#[derive(Debug)]
pub struct Shelf<T> {
    places: Mutex<Vec<Place<T>>>,
    hide_next: Mutex<usize>,
}

#[derive(Debug)]
struct Place<T> {
    object: Option<T>,
    hidden_listings: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { places: Mutex::default(), hide_next: Mutex::default() }
    }
}

impl<T: Clone> Shelf<T> {
    /// What is put here from now on is left out of this many listings each.
    pub fn hide_new(&self, listings: usize) {
        *locked(&self.hide_next) = listings;
    }

    /// Puts `object` here and says its id, counted from 1.
    pub fn put(&self, object: T) -> u64 {
        let hidden_listings = *locked(&self.hide_next);
        let mut places = locked(&self.places);
        places.push(Place { object: Some(object), hidden_listings });
        places.len() as u64
    }

    /// The object of this id, hidden or not.
    pub fn get(&self, id: u64) -> Option<T> {
        locked(&self.places).get(place(id)?)?.object.clone()
    }

    /// Changes the object of this id; `None` where there is none (any more).
    pub fn change<R>(&self, id: u64, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        locked(&self.places).get_mut(place(id)?)?.object.as_mut().map(change)
    }

    /// Takes the object of this id away. Its id is never used again.
    pub fn remove(&self, id: u64) -> Option<T> {
        locked(&self.places).get_mut(place(id)?)?.object.take()
    }

    /// What a listing shows: everything with its id, but for what is still hidden. Each call counts as one listing.
    pub fn list(&self) -> Vec<(u64, T)> {
        let mut shown = Vec::new();
        for (id, place) in (1..).zip(locked(&self.places).iter_mut()) {
            if place.hidden_listings > 0 {
                place.hidden_listings -= 1;
                continue;
            }
            shown.extend(place.object.clone().map(|object| (id, object)));
        }
        shown
    }

    /// Everything there is, hidden or not: for the test to count.
    pub fn all(&self) -> Vec<T> {
        locked(&self.places).iter().filter_map(|place| place.object.clone()).collect()
    }
}

fn place(id: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(1)?).ok()
}
