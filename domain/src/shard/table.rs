//! A hash table whose inner order never shows.
//!
//! Rows lie side by side; a table of small slots finds them. So a look-up costs the same however
//! much is remembered, and a row costs little more than its own size. The hasher is fixed and
//! what is iterated, compared or stored is in the order of keys: two tables with the same rows
//! are the same, whatever their histories. Keys that a stranger picks are few enough (a million
//! trace numbers in each open batch) that no flood of collisions can be made of them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use hashbrown::HashTable;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Where a row lies, and enough of its key's hash to move the slot without looking at the row.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    row: u32,
}

impl Slot {
    /// Returns the hash that places a slot: its lower bits choose where, its upper bits tag.
    const fn place(hash: u32) -> u64 {
        (hash as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    const fn row(self) -> usize {
        self.row as usize
    }
}

/// Rows by key.
#[derive(Clone)]
pub(super) struct Table<K, V> {
    slots: HashTable<Slot>,
    rows: Vec<(K, V)>,
}

impl<K: Hash + Ord, V> Table<K, V> {
    pub(super) const fn new() -> Self {
        Self { slots: HashTable::new(), rows: Vec::new() }
    }

    /// Returns an empty table with room for `rows`.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { slots: HashTable::with_capacity(rows), rows: Vec::with_capacity(rows) }
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(self.find(key)?).map(|(_key, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.find(key)?;
        self.rows.get_mut(row).map(|(_key, value)| value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(known) = self.get_mut(&key) {
            *known = value;
            return;
        }
        let row = u32::try_from(self.rows.len()).expect("a shard has fewer than 2^32 rows");
        let slot = Slot { hash: hash_of(&key), row };
        self.slots.insert_unique(Slot::place(slot.hash), slot, |slot| Slot::place(slot.hash));
        self.rows.push((key, value));
    }

    pub(super) fn remove(&mut self, key: &K) {
        let hash = hash_of(key);
        let rows = &self.rows;
        let is_it = |slot: &Slot| slot.hash == hash && holds(rows, *slot, key);
        let Ok(found) = self.slots.find_entry(Slot::place(hash), is_it) else { return };
        let (slot, _vacant) = found.remove();
        self.rows.swap_remove(slot.row());
        // The row that was last now lies where the removed one did.
        if let Some((moved, _value)) = self.rows.get(slot.row()) {
            let (hash, was) = (hash_of(moved), self.rows.len());
            let is_it = |slot: &Slot| slot.row() == was;
            let slot_of_moved = self.slots.find_mut(Slot::place(hash), is_it);
            slot_of_moved.expect("every row has its slot").row = slot.row;
        }
    }

    /// Returns the rows by key.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, value)| (key, value)).collect();
        rows.sort_unstable_by_key(|&(key, _value)| key);
        rows.into_iter()
    }

    /// Returns the rows in no order. Nothing that shows may depend on it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().map(|(key, value)| (key, value))
    }

    fn find(&self, key: &K) -> Option<usize> {
        let hash = hash_of(key);
        let is_it = |slot: &Slot| slot.hash == hash && holds(&self.rows, *slot, key);
        self.slots.find(Slot::place(hash), is_it).map(|slot| slot.row())
    }
}

fn holds<K: Eq, V>(rows: &[(K, V)], slot: Slot, key: &K) -> bool {
    rows.get(slot.row()).is_some_and(|(known, _value)| known == key)
}

impl<K: Hash + Ord, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows.len() == other.rows.len()
            && self.rows.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Hash + Ord, V: Eq> Eq for Table<K, V> {}

impl<K: Hash + Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Hash + Ord + Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Hash + Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Rows(PhantomData))
    }
}

struct Rows<K, V>(PhantomData<(K, V)>);

impl<'de, K: Hash + Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Rows<K, V> {
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut table = Table::new();
        while let Some((key, value)) = map.next_entry()? {
            table.insert(key, value);
        }
        Ok(table)
    }
}

fn hash_of(key: &impl Hash) -> u32 {
    let mut hasher = Fixed(0x243F_6A88_85A3_08D3);
    key.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// Folds each word into the state by a multiplication of 128 bits. The same in every run.
struct Fixed(u64);

impl Fixed {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(0xA076_1D64_78BD_642F);
        self.0 = ((product ^ (product >> 64)) & 0xFFFF_FFFF_FFFF_FFFF) as u64;
    }
}

impl Hasher for Fixed {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, &from)| *to = from);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_usize(&mut self, _length: usize) {
        // Keys have fixed lengths.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn table_of(rows: impl IntoIterator<Item = (u64, u32)>) -> Table<u64, u32> {
        let mut table = Table::new();
        rows.into_iter().for_each(|(key, value)| table.insert(key, value));
        table
    }

    #[test]
    fn history_does_not_show() {
        let (up, down) =
            (table_of((0..100).map(|n| (n, 1))), table_of((0..200).rev().map(|n| (n, 1))));
        assert_ne!(up, down);
        let mut down = down;
        (100..200).for_each(|key| down.remove(&key));
        assert_eq!(up, down);
        assert_eq!(postcard::to_stdvec(&up).unwrap(), postcard::to_stdvec(&down).unwrap());
        assert_eq!(format!("{up:?}"), format!("{down:?}"));
    }

    #[test]
    fn keys_that_differ_little_spread_well() {
        let mut seen = [0_u32; 1 << 10];
        (0..10_240_u64).for_each(|key| seen[hash_of(&key) as usize % seen.len()] += 1);
        assert!(seen.iter().all(|&keys| keys <= 30), "{:?}", seen.iter().max());
    }

    proptest! {
        #[test]
        fn a_table_does_as_a_tree_does(
            steps in prop::collection::vec((any::<bool>(), 0..40_u64, any::<u32>()), 0..200)
        ) {
            let (mut table, mut tree) = (Table::new(), BTreeMap::new());
            for (is_insert, key, value) in steps {
                if is_insert {
                    table.insert(key, value);
                    tree.insert(key, value);
                } else {
                    table.remove(&key);
                    tree.remove(&key);
                }
                for key in 0..40 {
                    prop_assert_eq!(table.get(&key), tree.get(&key));
                }
            }
            prop_assert!(table.iter().eq(tree.iter()));
            let bytes = postcard::to_stdvec(&table).unwrap();
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&tree).unwrap());
            prop_assert_eq!(postcard::from_bytes::<Table<u64, u32>>(&bytes).unwrap(), table);
        }
    }
}
