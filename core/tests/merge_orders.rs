//! D1: the same changes give the same file, byte for byte, in whatever order they came.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Device, device, map};
use plainsync_core::edit::{Edit, Key};
use proptest::prelude::*;
use serde_json::json;

/// What one replica does next.
#[derive(Clone, Debug)]
enum Act {
    Insert,
    Set {
        record: usize,
        field: usize,
        value: u8,
    },
    Finish {
        record: usize,
        value: u8,
    },
    Remove {
        record: usize,
    },
    Restore {
        record: usize,
    },
    Purge {
        record: usize,
    },
    Pull {
        from: usize,
    },
    Import {
        value: u8,
    },
    Return,
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let record = 0..12_usize;
    let act = prop_oneof![
        3 => Just(Act::Insert),
        6 => (record.clone(), 0..4_usize, 0..3_u8).prop_map(|(record, field, value)| Act::Set { record, field, value }),
        3 => (record.clone(), 0..3_u8).prop_map(|(record, value)| Act::Finish { record, value }),
        2 => record.clone().prop_map(|record| Act::Remove { record }),
        2 => record.clone().prop_map(|record| Act::Restore { record }),
        1 => record.prop_map(|record| Act::Purge { record }),
        3 => (0..6_usize).prop_map(|from| Act::Pull { from }),
        1 => (0..3_u8).prop_map(|value| Act::Import { value }),
        1 => Just(Act::Return),
    ];
    prop::collection::vec((0..6_usize, act), 10..60)
}

fn key_of(device: &Device, nth: usize) -> Option<Key> {
    let keys: Vec<Key> = device
        .document()
        .view()
        .all()
        .map(|row| row.key.clone())
        .collect();
    (!keys.is_empty()).then(|| keys[nth % keys.len()].clone())
}

fn play(acts: Vec<(usize, Act)>) -> Vec<Device> {
    let mut devices: Vec<Device> = (1..=6).map(device).collect();
    let mut made = 0;
    for (who, act) in acts {
        if let Act::Pull { from } = act {
            if from != who {
                let chunks = devices[from].chunks.clone();
                devices[who].take(&chunks);
            }
            continue;
        }
        let device = &mut devices[who];
        match act {
            Act::Insert => {
                made += 1;
                device.insert(
                    &format!("key-{made:04}"),
                    json!({"prompt": "p", "extra": {"a": 0}}),
                );
            }
            Act::Set {
                record,
                field,
                value,
            } => {
                let set = [
                    json!({"prompt": format!("prompt {value}")}),
                    json!({"width": value}),
                    json!({"extra": {"a": value, "b": [value]}}),
                    json!({"id": format!("job-{value}")}),
                ];
                if let Some(key) = key_of(device, record) {
                    device.set(&key, set[field].clone());
                }
            }
            Act::Finish { record, value } => {
                if let Some(key) = key_of(device, record) {
                    device.set(
                        &key,
                        json!({"status": "success", "result": format!("r{value}")}),
                    );
                }
            }
            Act::Remove { record } => {
                if let Some(key) = key_of(device, record) {
                    device.remove(&key);
                }
            }
            Act::Restore { record } => {
                if let Some(key) = key_of(device, record) {
                    device.edit(Edit::Restore { keys: vec![key] });
                }
            }
            Act::Purge { record } => {
                // Refused unless it is in the bin: that is a state too.
                let key = key_of(device, record);
                let _ = key.map(|key| device.try_edit(Edit::Purge { keys: vec![key] }));
            }
            Act::Import { value } => {
                let file = json!({"jobs": [
                    {"id": "job-1", "createdAt": 1, "prompt": format!("file {value}"), "status": "success"},
                    {"id": "job-1", "createdAt": 2, "prompt": "twin"},
                ], "lastJobId": value});
                device.import(&file.to_string()).unwrap();
            }
            Act::Return => {
                let heads = device.document().version().heads;
                device.insert(
                    &format!("key-r{who}-{made:04}"),
                    map(json!({"prompt": "later"})).into(),
                );
                made += 1;
                device.edit(Edit::Return { heads });
            }
            Act::Pull { .. } => {}
        }
    }
    devices
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// 40 histories of six replicas, each merged in five orders: 200 orders.
    #[test]
    fn d1_every_merge_order_gives_the_same_bytes(
        acts in acts(),
        orders in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 200), 5),
    ) {
        let devices = play(acts);
        let mut chunks: Vec<Vec<u8>> = devices.iter().flat_map(|device| device.chunks.clone()).collect();
        chunks.sort();
        chunks.dedup();
        let mut expected: Option<String> = None;
        for order in orders {
            let mut shuffled = chunks.clone();
            for (at, index) in (1..shuffled.len()).zip(&order) {
                shuffled.swap(at, index.index(at + 1));
            }
            // One by one, so that each merge updates the view a little.
            let mut replica = device(50);
            for chunk in &shuffled {
                replica.take(std::slice::from_ref(chunk));
            }
            let json = replica.json();
            // And all at once, so that the view is built anew.
            let mut whole = device(51);
            whole.take(&shuffled);
            prop_assert_eq!(&whole.json(), &json);
            // And from a saved document.
            let mut loaded = device(52);
            loaded.take(&[replica.document().save()]);
            prop_assert_eq!(&loaded.json(), &json);
            prop_assert_eq!(expected.get_or_insert_with(|| json.clone()), &json);
        }
    }
}
