//! Bytes changed anywhere: what is read back is what was written, and what is lost is said to be lost.

use proptest::prelude::*;

use super::*;
use crate::journal::OpenError;

/// Records of a journal of several segments, the same for every case.
fn texts(ballast: &[usize]) -> Vec<String> {
    ballast.iter().enumerate().map(|(at, ballast)| format!("{at} {}", "y".repeat(*ballast))).collect()
}

fn write(store: &Path, texts: &[String], group: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (journal, _) = open(store);
        for group in texts.chunks(group) {
            let group: Vec<_> = group.iter().map(|text| entry(text.as_str())).collect();
            journal.append(&group, Room::Normal).await.unwrap();
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_are_never_read_as_records_and_losses_are_named(
        ballast in prop::collection::vec(0usize..4_000, 1..60),
        group in 1usize..6,
        place in 0.0f64..1.0,
        noise in prop::collection::vec(any::<u8>(), 1..56),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let texts = texts(&ballast);
        write(folder.path(), &texts, group);
        let files = segment_files(folder.path());
        let used: Vec<_> = files.iter().filter(|path| frame_offsets(path).len() > 1).collect();
        let file = used[(place * used.len() as f64) as usize];
        let end = *frame_offsets(file).last().unwrap();
        let at = (place * 7_919.0).fract() * end as f64;
        overwrite(file, at as u64, &noise[..noise.len().min((end - at as u64) as usize)]);

        let strict = Journal::open(folder.path(), options()).map(|(journal, opened)| (all(&journal), opened));
        if let Ok((records, opened)) = &strict {
            // What nothing sound follows goes without being called damage. The noise is shorter than a frame, so it hits two at most.
            prop_assert!(opened.gaps.is_empty());
            prop_assert!(records.len() + 2 * group >= texts.len());
        }
        let refused = strict.err();
        prop_assert!(refused.iter().all(|error| matches!(error, OpenError::Damaged { .. })), "{:?}", refused);
        let (journal, opened) = Journal::open(folder.path(), Options { survive_damage: true, ..options() }).unwrap();
        let records = all(&journal);
        let back: Vec<_> = journal.read_back(None).map(|record| record.unwrap()).map(|(seq, bytes)| (seq.0, bytes)).collect();
        prop_assert!(back.iter().rev().eq(&records));
        for (seq, bytes) in &records {
            prop_assert_eq!(&bytes[..], texts[*seq as usize - 1].as_bytes());
            let single = journal.read_one(Seq(*seq)).unwrap();
            prop_assert_eq!(single.as_ref(), Some(bytes));
        }
        let lost: u64 = opened.gaps.iter().map(|gap| gap.last.0 + 1 - gap.first.0).sum();
        prop_assert_eq!(records.len() as u64 + lost, opened.last.0);
        prop_assert!(opened.last.0 as usize + 2 * group >= texts.len());
    }
}
