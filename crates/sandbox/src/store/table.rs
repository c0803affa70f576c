//! Where are the objects of one kind? In the order of their creation, and found by their ids.

use std::collections::BTreeMap;

use crate::failure::SandboxFailure;

/// An object of Stripe's.
pub trait Stored {
    /// The kind's name in an error about a missing object, such as `customer`.
    const KIND: &'static str;
    /// The object's `object` field, if it differs from `KIND`.
    const OBJECT: &'static str = Self::KIND;

    fn id(&self) -> &str;

    fn created(&self) -> i64;

    /// Whether lists include it.
    fn listed(&self) -> bool {
        true
    }
}

#[derive(Debug)]
pub struct ObjectTable<T> {
    rows: Vec<T>,
    places: BTreeMap<String, usize>,
}

impl<T> Default for ObjectTable<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Stored> ObjectTable<T> {
    /// Adds an object, or replaces the one with the same id.
    pub fn put(&mut self, object: T) {
        let id = object.id().to_owned();
        let place = self.places.get(&id).copied();
        match place.and_then(|place| self.rows.get_mut(place)) {
            Some(row) => *row = object,
            None => {
                self.places.insert(id, self.rows.len());
                self.rows.push(object);
            }
        }
    }

    pub fn find(&self, id: &str) -> Option<&T> {
        self.places.get(id).and_then(|place| self.rows.get(*place))
    }

    pub fn get(&self, id: &str) -> Result<&T, SandboxFailure> {
        self.find(id).ok_or_else(|| SandboxFailure::no_such(T::KIND, id))
    }

    pub fn get_mut(&mut self, id: &str) -> Result<&mut T, SandboxFailure> {
        let row = self.places.get(id).and_then(|place| self.rows.get_mut(*place));
        row.ok_or_else(|| SandboxFailure::no_such(T::KIND, id))
    }

    /// From the oldest to the newest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }
}
