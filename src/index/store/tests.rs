//! A store beside a plain map: whatever is written, merged, cleared and opened again, both hold the same.

use std::collections::BTreeMap;

use super::*;

/// Small enough that every few batches are merged and files are cleared again and again.
const SMALL: Sizes = Sizes { fresh: 20_000, file: 60_000, waste: 100_000 };
const KEYS: u64 = 400;

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn row(&mut self) -> Option<Bytes> {
        let bytes = match self.roll(20) {
            0..5 => return None,
            5 => 70_000,
            _ => self.roll(900),
        };
        // Nothing that packs well.
        Some((0..bytes).map(|_| self.roll(256) as u8).collect())
    }
}

fn key(number: u64) -> Bytes {
    format!("{}/{number}", number % 3).into_bytes()
}

fn check(store: &Store, model: &BTreeMap<Bytes, Bytes>) {
    for number in 0..KEYS {
        assert_eq!(store.get(&key(number)).unwrap(), model.get(&key(number)).cloned());
    }
    for prefix in [b"0/".as_slice(), b"1/3", b"2/", b"none"] {
        for limit in [3, 1000] {
            let after = key(201);
            assert_eq!(store.scan(prefix, None, limit).unwrap(), model.scan(prefix, None, limit).unwrap());
            assert_eq!(store.scan(prefix, Some(&after), limit).unwrap(), model.scan(prefix, Some(&after), limit).unwrap());
            assert_eq!(store.scan_back(prefix, None, limit).unwrap(), model.scan_back(prefix, None, limit).unwrap());
        }
    }
}

#[test]
fn whatever_is_merged_cleared_and_opened_again_it_holds_what_a_map_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut store = Store::create_with(&path, SMALL).unwrap();
    let (mut model, mut dice) = (BTreeMap::<Bytes, Bytes>::new(), Dice(7));
    for round in 0..300 {
        let mut changes = Changes::new();
        for _ in 0..dice.roll(40) {
            let (key, row) = (key(dice.roll(KEYS)), dice.row());
            match &row {
                Some(row) => model.insert(key.clone(), row.clone()),
                None => model.remove(&key),
            };
            store.note(&key);
            changes.insert(key.as_slice().into(), row.map(Into::into));
        }
        store.apply(changes).unwrap();
        if round % 20 == 0 {
            check(&store, &model);
        }
        if round % 75 == 74 {
            store.close().unwrap();
            drop(store);
            store = Store::open_with(&path, SMALL).unwrap();
            store.learn_keys(|| false).unwrap();
        }
    }
    check(&store, &model);
    let all: Vec<_> = store.all().unwrap().map(Result::unwrap).collect();
    assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
    let stored: u64 = std::fs::read_dir(path.join(PAGES_FOLDER)).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let used: usize = model.iter().map(|(key, row)| key.len() + row.len() + 64).sum();
    assert!(stored < used as u64 * 3 + SMALL.waste + 2 * u64::from(SMALL.file), "{stored} bytes of files for {used} bytes of rows");
}

#[test]
fn an_index_that_was_not_closed_counts_on_the_same_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    drop(Store::create(&path).unwrap());
    let store = Store::open(&path).unwrap();
    let other = Origin { boot_id: "another start".to_owned(), fold_version: VERSION, clean: false };
    store.0.db.insert(ORIGIN, postcard::to_stdvec(&other).unwrap()).unwrap();
    store.0.db.flush().unwrap();
    drop(store);
    assert!(matches!(Store::open(&path), Err(StoreError::NotClean)));
}
