//! What is started, what is not, and in which order.

use super::super::{PARALLEL_MAX, sentences};
use super::support::{ELSEWHERE, HERE, Scene, a_while, first_run, key, knight, object};
use plainsync_core::blob::BlobRef;
use plainsync_core::edit::Edit;
use serde_json::json;
use std::num::NonZeroUsize;

const PLENTY: usize = 1_000;

fn named(prompt: &str) -> serde_json::Value {
    json!({"prompt": prompt, "width": 16, "height": 16})
}

/// Those that start together are asked in no particular order.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines[..3].sort();
    lines
}

#[tokio::test]
async fn an_order_is_on_disk_before_it_starts_and_runs_once() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.until(1, "success").await;
    a_while().await;
    assert_eq!(
        scene.said(),
        ["disk job-1 running", "asked knight", "disk job-1 success"]
    );
}

#[tokio::test]
async fn a_result_has_the_historic_shape_and_its_image_is_a_blob() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.until(1, "success").await;
    let job = scene.desk.job(1);
    let result = &job["result"];
    let image: BlobRef = result["image_data_url"].as_str().unwrap().parse().unwrap();
    assert!(scene.desk.blobs.lock().unwrap()[&image].starts_with(b"\x89PNG"));
    assert_eq!(result["status"], "success");
    assert_eq!(
        (&result["prompt"], &result["width"], &result["seed"]),
        (&json!("knight"), &json!(16), &json!("1"))
    );
    assert!(
        result["image_path"].is_null()
            && result["error_message"].is_null()
            && result["timestamp"].is_u64()
    );
    assert!(
        job["startTime"].as_u64() <= job["endTime"].as_u64()
            && job["duration"].is_number()
            && job["error"].is_null()
    );
}

#[tokio::test]
async fn without_a_seed_each_run_draws_one_and_says_it() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    for number in [1, 2] {
        scene.desk.adds(number, named("knight"), HERE);
        scene.desk.until(number, "success").await;
    }
    let seed = |number| {
        scene.desk.job(number)["result"]["seed"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(seed(1).parse::<u32>().is_ok());
    assert_ne!(seed(1), seed(2));
    assert!(
        scene
            .desk
            .job(1)
            .get("seed")
            .is_none_or(serde_json::Value::is_null)
    );
}

#[tokio::test]
async fn at_most_so_many_run_together_first_come_first_served() {
    let scene = Scene::new(0);
    let queue = scene.queue(3);
    for number in 1..=7 {
        scene
            .desk
            .adds(number, named(&format!("job {number}")), HERE);
    }
    scene.until_asked(3).await;
    a_while().await;
    assert_eq!(sorted(scene.asked()), ["job 1", "job 2", "job 3"]);
    assert_eq!(
        (
            queue.status().borrow().running,
            queue.status().borrow().waiting
        ),
        (3, 4)
    );
    for done in 4..=7 {
        scene.studio.places.add_permits(1);
        scene.until_asked(done).await;
    }
    assert_eq!(
        sorted(scene.asked()),
        [
            "job 1", "job 2", "job 3", "job 4", "job 5", "job 6", "job 7"
        ]
    );
}

#[tokio::test]
async fn the_number_of_parallel_jobs_can_be_changed() {
    let scene = Scene::new(0);
    let queue = scene.queue(1);
    for number in 1..=4 {
        scene.desk.adds(number, named("x"), HERE);
    }
    scene.until_asked(1).await;
    assert_eq!(queue.set_parallel_max(NonZeroUsize::new(3).unwrap()), 3);
    scene.until_asked(3).await;
    assert_eq!(queue.set_parallel_max(NonZeroUsize::MAX), PARALLEL_MAX);
    scene.until_asked(4).await;
    assert_eq!(queue.parallel_max(), PARALLEL_MAX);
}

#[tokio::test]
async fn only_an_order_to_this_server_starts_anything() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    scene.desk.adds(1, knight(), ELSEWHERE);
    // As an import or an old client's list would bring it.
    let queued = json!({"prompt": "x", "width": 16, "height": 16, "status": "queued"});
    scene.desk.does(Edit::Insert {
        key: key(2),
        record: object(queued),
        order: None,
    });
    scene.desk.does(Edit::Insert {
        key: key(3),
        record: object(named("idle")),
        order: None,
    });
    scene.desk.does(Edit::Change {
        key: key(3),
        set: object(json!({"status": "running"})),
        unset: Vec::new(),
    });
    scene.desk.adds(4, knight(), HERE);
    scene.desk.until(4, "success").await;
    a_while().await;
    assert_eq!(scene.asked(), ["knight"]);
    assert_eq!(
        (
            scene.desk.status(1),
            scene.desk.status(2),
            scene.desk.status(3)
        ),
        ("queued".into(), "queued".into(), "running".into())
    );
}

#[tokio::test]
async fn a_finished_job_runs_again_when_it_is_ordered_again() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.until(1, "success").await;
    scene.desk.orders(1, "r-second", HERE);
    scene.until_asked(2).await;
    scene.desk.until(1, "success").await;
    a_while().await;
    assert_eq!(scene.asked().len(), 2);
}

#[tokio::test]
async fn removed_before_its_turn_is_not_started_and_restoring_starts_nothing() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    scene.desk.adds(2, named("second"), HERE);
    a_while().await;
    scene.desk.removes(2);
    scene.desk.until(2, "error").await;
    assert_eq!(scene.desk.error(2), sentences::REMOVED);
    scene.studio.places.add_permits(PLENTY);
    scene.desk.until(1, "success").await;
    scene.desk.does(Edit::Restore { keys: vec![key(2)] });
    a_while().await;
    assert_eq!(scene.asked(), ["knight"]);
    assert_eq!(scene.desk.status(2), "error");
}

#[tokio::test]
async fn a_result_lands_in_the_bin_when_its_job_was_removed_meanwhile() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    scene.desk.removes(1);
    scene.studio.places.add_permits(1);
    scene.desk.until(1, "success").await;
    let document = scene.desk.document.lock().unwrap();
    let row = document.view().get(&key(1)).unwrap();
    assert!(row.in_bin && !row.kept_by_edit);
    assert!(row.job["result"]["image_data_url"].is_string());
}

#[tokio::test]
async fn a_result_of_a_purged_job_disturbs_nobody() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    scene.desk.removes(1);
    scene.desk.does(Edit::Purge { keys: vec![key(1)] });
    scene.studio.places.add_permits(PLENTY);
    scene.desk.adds(2, named("next"), HERE);
    scene.desk.until(2, "success").await;
}

#[tokio::test]
async fn a_newer_order_takes_the_place_of_one_that_waits() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, named("first"), HERE);
    scene.until_asked(1).await;
    scene.desk.adds(2, named("second"), HERE);
    a_while().await;
    scene.desk.orders(2, "r-newer", HERE);
    scene.studio.places.add_permits(PLENTY);
    scene.desk.until(2, "success").await;
    a_while().await;
    assert_eq!(scene.asked(), ["first", "second"]);
    assert_eq!(
        scene
            .said()
            .iter()
            .filter(|line| *line == "disk job-2 error")
            .count(),
        1,
        "the older order was marked"
    );
}

/// An older version, in which the order still waited, comes back.
#[tokio::test]
async fn what_was_started_once_is_never_started_again() {
    let scene = Scene::new(PLENTY);
    let _queue = scene.queue(3);
    scene.desk.adds(1, knight(), HERE);
    let queued: Vec<String> = scene
        .desk
        .document
        .lock()
        .unwrap()
        .heads()
        .iter()
        .map(ToString::to_string)
        .collect();
    scene.desk.until(1, "success").await;
    // D11's way back.
    scene.desk.does(Edit::Return { heads: queued });
    a_while().await;
    // A program that writes into the run itself.
    let set = object(json!({"status": "queued", "startTime": null}));
    scene.desk.orders(1, &first_run(1), HERE);
    scene.desk.does(Edit::Progress {
        key: key(1),
        run_id: first_run(1),
        set,
    });
    scene.desk.until(1, "error").await;
    assert_eq!(scene.desk.error(1), sentences::STARTED_BEFORE);
    assert_eq!(scene.asked(), ["knight"]);
}

#[tokio::test]
async fn two_documents_share_the_places() {
    let (one, two) = (Scene::new(0), Scene::new(0));
    let boards: Vec<std::sync::Arc<dyn super::super::super::board::Board>> =
        vec![one.desk.clone(), two.desk.clone()];
    let _queue = super::super::Queue::start(
        boards,
        HERE,
        one.studio.clone(),
        NonZeroUsize::new(1).unwrap(),
    );
    one.desk.adds(1, named("of one"), HERE);
    two.desk.adds(1, named("of two"), HERE);
    one.until_asked(1).await;
    a_while().await;
    assert_eq!(one.asked().len(), 1);
    one.studio.places.add_permits(2);
    one.desk.until(1, "success").await;
    two.desk.until(1, "success").await;
}
