//! Amounts by holder. A holder without anything has no entry.

use std::collections::hash_map::Entry;

use crate::amount::Amount;
use crate::spread::Map;

#[derive(Debug, Default)]
pub(crate) struct Table {
    held: Map<Amount>,
}

impl Table {
    pub(crate) fn get(&self, holder: u64) -> Amount {
        self.held.get(&holder).copied().unwrap_or_default()
    }

    /// The amount afterwards.
    pub(crate) fn add(&mut self, holder: u64, more: Amount) -> Amount {
        let held = self.held.entry(holder).or_default();
        *held += more;
        *held
    }

    /// The amount afterwards.
    pub(crate) fn give_back(&mut self, holder: u64, amount: Amount) -> Amount {
        let Entry::Occupied(mut entry) = self.held.entry(holder) else {
            debug_assert!(amount.is_zero(), "{amount:?} given back of nothing");
            return Amount::default();
        };
        let left = entry.get().less(amount);
        if left.is_zero() {
            entry.remove();
        } else {
            *entry.get_mut() = left;
        }
        left
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Amount)> {
        self.held.iter().map(|(holder, held)| (*holder, *held))
    }
}
