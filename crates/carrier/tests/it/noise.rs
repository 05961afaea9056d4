//! The seeds of the fuzz target for PDUs, and random changes of them.

use std::fs;

use proptest::prelude::*;

#[path = "../../../../fuzz/checks/pdu.rs"]
mod pdu;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/pdu");

fn seeds() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(SEEDS).unwrap();
    let seeds: Vec<_> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() > 5, "the seeds are missing");
    seeds
}

#[test]
fn the_seeds_of_the_fuzz_target_hold() {
    for seed in seeds() {
        pdu::check(&seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_seeds_hold(
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..10),
        end in any::<prop::sample::Index>(),
    ) {
        let seeds = seeds();
        let mut bytes: Vec<u8> = order.iter().flat_map(|index| index.get(&seeds).clone()).collect();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(end.index(bytes.len() * 4) + 1);
        pdu::check(&bytes);
    }
}
