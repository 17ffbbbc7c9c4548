//! What holds for any history, whatever was done in it.

use plainsync_core::document::Document;
use plainsync_core::edit::{Edit, Key};
use plainsync_core::history::Happened;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{Device, device, merge};
use crate::{jobs, return_to};

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Insert,
    Set(usize, u8, u8),
    Remove(usize),
    Restore(usize),
    Switch,
    Merge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Insert),
        6 => (0..8_usize, 0..5_u8, 0..4_u8).prop_map(|(n, field, value)| Step::Set(n, field, value)),
        2 => (0..8_usize).prop_map(Step::Remove),
        1 => (0..8_usize).prop_map(Step::Restore),
        2 => Just(Step::Switch),
        2 => Just(Step::Merge),
    ];
    prop::collection::vec(step, 1..30)
}

fn play(steps: &[Step]) -> Device {
    let mut devices = [device(1), device(2)];
    let mut at = 0;
    let mut made = 0;
    for step in steps {
        let one = &mut devices[at];
        let keys: Vec<Key> = one
            .document()
            .view()
            .all()
            .map(|row| row.key.clone())
            .collect();
        let key = |n: &usize| (!keys.is_empty()).then(|| keys[n % keys.len()].clone());
        match step {
            Step::Insert => {
                made += 1;
                // A label of its own: where two records claim one, the second shows another (D7)
                // as long as the first exists, be it in the bin.
                let record = json!({"id": format!("job-{made}"), "prompt": "knight"});
                one.insert(&format!("key-{made:04}"), record);
            }
            Step::Set(n, field, value) => {
                if let Some(key) = key(n) {
                    let name = ["prompt", "note", "status", "result", "id"][usize::from(*field)];
                    let own = if name == "id" { key.as_str() } else { "" };
                    one.set(&key, json!({ name: format!("value-{value}{own}") }));
                }
            }
            Step::Remove(n) => drop(key(n).map(|key| one.remove(&key))),
            Step::Restore(n) => {
                if let Some(key) = key(n) {
                    one.edit(Edit::Restore { keys: vec![key] });
                }
            }
            Step::Switch => at = 1 - at,
            Step::Merge => {
                let [a, b] = &mut devices;
                merge(a, b);
            }
        }
    }
    let [mut a, mut b] = devices;
    merge(&mut a, &mut b);
    a
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// D11: back to any earlier version and forward again is where one was.
    #[test]
    fn d11_to_any_version_and_back(steps in steps(), pick in any::<prop::sample::Index>()) {
        let mut a = play(&steps);
        let log = a.document().log(None, 500).unwrap().entries;
        prop_assume!(!log.is_empty());
        let version = &pick.get(&log).version;
        let heads = a.document().find_version(version).unwrap();
        let then = jobs(&a.document().at_version(&heads).unwrap());
        let (before, now) = (jobs(a.document()), a.document().heads());
        return_to(&mut a, version);
        prop_assert_eq!(jobs(a.document()), then, "as it was at {}", version);
        let name = a.document().name_of(&now);
        return_to(&mut a, &name);
        prop_assert_eq!(jobs(a.document()), before, "as it was before");
    }

    /// D11: the difference of two versions is exactly what their files differ in.
    #[test]
    fn d11_a_difference_is_all_that_differs(
        steps in steps(),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let a = play(&steps);
        let document = a.document();
        let log = document.log(None, 500).unwrap().entries;
        prop_assume!(!log.is_empty());
        let version = |pick: &prop::sample::Index| document.find_version(&pick.get(&log).version).unwrap();
        let (from, to) = (version(&one), version(&other));
        let [before, after] = [&from, &to].map(|heads| document.at_version(heads).unwrap());
        let diff = document.diff(&from, &to);
        prop_assert_eq!(diff.records.is_empty(), jobs(&before) == jobs(&after));
        // Applied to the first, it gives the second.
        let listed = |document: &Document| -> Vec<(String, Value)> {
            let rows = document.view().rows();
            rows.map(|row| (row.key.0.clone(), Value::Object(document.plain_row(row, &|_| None)))).collect()
        };
        let mut patched: std::collections::BTreeMap<_, _> = listed(&before).into_iter().collect();
        for record in diff.records {
            if record.happened == Happened::Removed {
                prop_assert!(patched.remove(&record.key.0).is_some());
                continue;
            }
            if record.happened == Happened::Restored {
                let binned = before.view().get(&record.key).unwrap();
                let fields = before.plain_row(binned, &|_| None);
                patched.insert(record.key.0.clone(), Value::Object(fields));
            }
            let job = patched.entry(record.key.0).or_insert_with(|| json!({}));
            for field in record.fields {
                prop_assert_eq!(job.get(&field.field), field.before.as_ref());
                let job = job.as_object_mut().unwrap();
                match field.after {
                    Some(value) => job.insert(field.field, value),
                    None => job.remove(&field.field),
                };
            }
        }
        prop_assert_eq!(patched, listed(&after).into_iter().collect());
    }
}
