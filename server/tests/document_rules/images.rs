//! F12: images as links to files beside the JSON.

use std::fs;
use std::path::PathBuf;

use plainsync_core::blob::from_data_url;
use serde_json::json;

use crate::support::{Bench, add, change};

const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

/// A bench whose file shows one record with an image, as a link.
async fn linked() -> (Bench, String) {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let edit = change("one", "preview", json!(GIF));
    document.edit(edit).await.expect("an edit that is allowed");
    assert!(document.link_images(true).await.expect("it is kept"));
    assert!(
        !document.link_images(true).await.expect("nothing to do"),
        "it is so already"
    );
    let json = bench
        .until_file("images are linked", |json| {
            json["jobs"][0]["preview"] != GIF && json["images"] == "files"
        })
        .await;
    let link = json["jobs"][0]["preview"].as_str().expect("a text");
    documents.shutdown().await;
    (bench, link.to_owned())
}

fn image_at(bench: &Bench, link: &str) -> PathBuf {
    bench.folder().join(link)
}

#[tokio::test]
async fn f12_images_become_files_and_come_back_as_they_were() {
    let (bench, link) = linked().await;
    let image = from_data_url(GIF).expect("an image");
    let digits = image.hash.name().replace("sha256-", "");
    assert_eq!(link, format!("job_history.images/{digits}.gif"));
    let on_disk = fs::read(image_at(&bench, &link)).expect("it lies there");
    assert_eq!(on_disk, image.bytes);

    let documents = bench.open().await;
    let document = documents.default();
    assert_eq!(
        bench.json()["jobs"][0]["preview"],
        link,
        "a start changes nothing"
    );
    let exported = document.export_json().await.expect("it can be read");
    let exported: serde_json::Value = serde_json::from_slice(&exported).expect("JSON");
    assert_eq!(
        exported["jobs"][0]["preview"], GIF,
        "who asks over HTTP gets it inside"
    );

    assert!(document.link_images(false).await.expect("it is kept"));
    bench
        .until_file("images are inside again", |json| {
            json["jobs"][0]["preview"] == GIF && json["images"] == "inline"
        })
        .await;
    documents.shutdown().await;
    drop(documents);
    // The backup still links to it; one version later nothing does.
    let documents = bench.open().await;
    assert!(image_at(&bench, &link).exists());
    add(documents.default(), &["two"]).await;
    bench.until_written(documents.default()).await;
    documents.shutdown().await;
    drop(documents);
    let documents = bench.open().await;
    assert!(!image_at(&bench, &link).exists());
    let exported = documents.default().export_json().await.expect("readable");
    assert!(
        String::from_utf8_lossy(&exported).contains(GIF),
        "nothing is lost"
    );
}

#[tokio::test]
async fn f12_the_file_and_its_images_are_enough() {
    let (bench, link) = linked().await;
    let copy = Bench::new();
    fs::create_dir_all(copy.folder().join("job_history.images")).expect("writable");
    fs::copy(image_at(&bench, &link), image_at(&copy, &link)).expect("copied");
    let mut json = bench.json();
    json.as_object_mut().expect("an object").remove("sync");
    copy.save(json.to_string());
    let documents = copy.open().await;
    let exported = documents.default().export_json().await.expect("readable");
    let exported: serde_json::Value = serde_json::from_slice(&exported).expect("JSON");
    assert_eq!(exported["jobs"][0]["preview"], GIF);
    let json = copy.until_written(documents.default()).await;
    assert_eq!(
        json["jobs"][0]["preview"], link,
        "and the file goes on to link"
    );
}

#[tokio::test]
async fn f12_a_linked_image_that_is_not_what_its_name_says_is_made_again() {
    let (bench, link) = linked().await;
    fs::write(image_at(&bench, &link), b"").expect("writable");
    let documents = bench.open().await;
    add(documents.default(), &["two"]).await;
    bench.until_written(documents.default()).await;
    let image = from_data_url(GIF).expect("an image");
    let on_disk = fs::read(image_at(&bench, &link)).expect("it lies there");
    assert_eq!(on_disk, image.bytes);

    let copy = Bench::new();
    fs::create_dir_all(copy.folder().join("job_history.images")).expect("writable");
    fs::write(image_at(&copy, &link), b"GIF89a, but another one").expect("writable");
    copy.save(bench.text());
    let documents = copy.open().await;
    let exported = documents.default().export_json().await.expect("readable");
    let exported = String::from_utf8_lossy(&exported);
    assert!(exported.contains(&image.hash.to_string()), "{exported}");
}
