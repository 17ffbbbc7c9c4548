//! Starts, stops and failing disks.

use super::super::super::board::BoardError;
use super::super::sentences;
use super::support::{ELSEWHERE, HERE, Scene, a_while, first_run, key, knight, object};
use plainsync_core::edit::Edit;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_ran_when_the_server_ended_is_marked_and_what_waited_is_started() {
    let scene = Scene::new(1_000);
    for (number, server) in [(1, HERE), (2, ELSEWHERE)] {
        scene.desk.adds(number, knight(), server);
        let set = object(json!({"status": "running", "startTime": 5}));
        scene.desk.does(Edit::Progress {
            key: key(number),
            run_id: first_run(number),
            set,
        });
    }
    scene.desk.adds(3, knight(), HERE);
    let _queue = scene.queue(3);
    scene.desk.until(1, "error").await;
    assert_eq!(scene.desk.error(1), sentences::INTERRUPTED);
    assert!(scene.desk.job(1)["endTime"].is_u64());
    scene.desk.until(3, "success").await;
    a_while().await;
    assert_eq!(scene.asked(), ["knight"]);
    assert_eq!(
        scene.desk.status(2),
        "running",
        "another server's run is none of ours"
    );
}

#[tokio::test]
async fn what_was_removed_while_the_server_was_away_is_marked() {
    let scene = Scene::new(1_000);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.removes(1);
    let _queue = scene.queue(3);
    scene.desk.until(1, "error").await;
    assert_eq!(scene.desk.error(1), sentences::REMOVED);
    assert!(scene.asked().is_empty());
}

#[tokio::test]
async fn a_crash_after_the_start_never_starts_twice() {
    let scene = Scene::new(0);
    let first = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    drop(first);
    a_while().await;
    let _second = scene.queue(1);
    scene.desk.until(1, "error").await;
    assert_eq!(scene.desk.error(1), sentences::INTERRUPTED);
    assert_eq!(scene.asked().len(), 1);
}

#[tokio::test]
async fn a_run_brought_back_as_running_is_not_stuck() {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.until(1, "success").await;
    a_while().await;
    let set = object(json!({"status": "running"}));
    scene.desk.does(Edit::Progress {
        key: key(1),
        run_id: first_run(1),
        set,
    });
    scene.desk.until(1, "error").await;
    assert_eq!(scene.desk.error(1), sentences::NOT_RUNNING);
}

#[tokio::test]
async fn a_stop_waits_for_what_runs_and_leaves_what_waits() {
    let scene = Scene::new(0);
    let queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.adds(2, knight(), HERE);
    scene.until_asked(1).await;
    let stop = queue.stop(Duration::from_secs(60));
    let allow = async {
        a_while().await;
        scene.studio.places.add_permits(1_000);
    };
    tokio::join!(stop, allow);
    assert_eq!(
        (scene.desk.status(1), scene.desk.status(2)),
        ("success".into(), "queued".into())
    );
    let _next = scene.queue(1);
    scene.desk.until(2, "success").await;
}

#[tokio::test]
async fn a_stop_marks_what_takes_too_long() {
    let scene = Scene::new(0);
    let queue = scene.queue(2);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    queue.stop(Duration::ZERO).await;
    assert_eq!(
        (scene.desk.status(1), scene.desk.error(1)),
        ("error".into(), sentences::STOPPED.into())
    );
    queue.stop(Duration::ZERO).await; // A second stop has nothing left to do.
}

#[tokio::test]
async fn a_start_that_is_not_on_disk_starts_nothing() {
    let scene = Scene::new(1_000);
    scene
        .desk
        .failing
        .lock()
        .unwrap()
        .push_back(BoardError::NotNow("disk full".into()));
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    a_while().await;
    assert!(scene.asked().is_empty());
    assert_eq!(scene.desk.status(1), "queued");
    // It is tried again when something moves.
    scene.desk.adds(2, knight(), ELSEWHERE);
    scene.desk.until(1, "success").await;
}

#[tokio::test]
async fn a_result_that_is_not_on_disk_is_written_again() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    scene
        .desk
        .failing
        .lock()
        .unwrap()
        .push_back(BoardError::NotNow("disk full".into()));
    scene.studio.places.add_permits(1);
    scene.desk.until(1, "success").await;
    assert_eq!(scene.asked().len(), 1);
}

#[tokio::test]
async fn a_result_that_is_refused_ends_the_run_with_the_reason() {
    let scene = Scene::new(0);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.until_asked(1).await;
    scene
        .desk
        .failing
        .lock()
        .unwrap()
        .push_back(BoardError::Refused("the image is too large".into()));
    scene.studio.places.add_permits(1);
    scene.desk.until(1, "error").await;
    assert_eq!(
        scene.desk.error(1),
        "the result could not be saved: the image is too large"
    );
}
