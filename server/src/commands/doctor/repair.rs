//! Making again what is damaged: first copies aside, then what each finding allows, then the
//! document is opened and closed, which puts the rest right.
//!
//! **Invariant:** nothing is changed or moved that was not copied, durably, before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plainsync_core::blob::{self, BlobRef};
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::reach::{Purpose, Reach};
use crate::cli::{Target, complain, exit};
use crate::document::blobs::Blobs;
use crate::document::disk::{Disk as _, RealDisk, write_whole};
use crate::document::examine::{Cure, Examined, Severity, restore_identity};
use crate::document::place::Place;

/// Repairs what `examined` found damaged.
pub(super) async fn repair(
    target: &Target,
    place: &Place,
    examined: &Examined,
) -> Result<(), Failure> {
    if examined.is_held {
        let sentence = format!(
            "{} is open in a server or another command; stop it first: a repair needs the folder for itself",
            place.folder.display()
        );
        return Err(Failure::new(exit::BUSY, sentence));
    }
    let damaged = || {
        let findings = examined.findings.iter();
        findings.filter(|finding| finding.severity == Severity::Damage)
    };
    let paths: BTreeSet<&Path> = damaged().map(|finding| finding.path.as_path()).collect();
    copy_aside(place, &paths)?;
    let mut images = None;
    for finding in damaged() {
        match &finding.cure {
            Cure::Remove => remove(&finding.path)?,
            Cure::Identity(document) => {
                restore_identity(place, document).map_err(|error| cannot(&finding.path, &error))?;
            }
            Cure::Image(hash) => {
                let known = images.get_or_insert_with(|| images_in_files(place));
                image(place, &finding.path, hash, known)?;
            }
            Cure::Again(bytes) => write_whole(&RealDisk, &finding.path, bytes, mode(&finding.path))
                .map_err(|error| cannot(&finding.path, &error))?,
            Cure::Opening | Cure::Replace | Cure::None => {}
        }
    }
    let reach = Reach::open(target, Purpose::Make, "doctor").await?;
    let replaced = match damaged().any(|finding| finding.cure == Cure::Replace) {
        true => replace(&reach).await,
        false => Ok(()),
    };
    reach.close().await;
    replaced
}

/// Has the JSON written anew, if it is one that nobody can read.
async fn replace(reach: &Reach) -> Result<(), Failure> {
    let info = reach.info().await?;
    if info["fileState"]["state"] == "unparsable" {
        let answer = json!({"answer": "replace"});
        let _: Value = reach.post(&reach.path("file"), &answer).await?;
    }
    Ok(())
}

fn cannot(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        exit::FILE,
        format!("{} cannot be repaired: {error}", path.display()),
    )
}

/// Copies each file, as it is, into a new folder of the private state.
fn copy_aside(place: &Place, paths: &BTreeSet<&Path>) -> Result<(), Failure> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S.%fZ");
    let aside = place.folder_state.join(format!("aside-{now}"));
    let mut copied = 0;
    for (nth, path) in paths.iter().enumerate() {
        let Ok(bytes) = RealDisk.read(path) else {
            continue; // It is missing, or a folder: there is nothing to keep.
        };
        std::fs::create_dir_all(&aside).map_err(|error| cannot(&aside, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let copy = aside.join(format!("{nth}-{name}"));
        write_whole(&RealDisk, &copy, &bytes, Some(0o600))
            .map_err(|error| cannot(&copy, &error))?;
        copied += 1;
    }
    if copied > 0 {
        complain(&format!(
            "what is damaged was copied into {}",
            aside.display()
        ));
    }
    Ok(())
}

/// Who may read and write `path` now.
fn mode(path: &Path) -> Option<u32> {
    RealDisk.look(path).ok()?.mode
}

fn remove(path: &Path) -> Result<(), Failure> {
    match RealDisk.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot(path, &error)),
        _ => Ok(()),
    }
}

/// Writes an image anew from the JSON or its backup, if it stands in one of them.
fn image(
    place: &Place,
    path: &Path,
    hash: &BlobRef,
    known: &BTreeMap<BlobRef, Vec<u8>>,
) -> Result<(), Failure> {
    let Some(bytes) = known.get(hash) else {
        return Ok(()); // It may come from another device yet; a wrong one is treated as absent.
    };
    remove(path)?;
    let Some(folder) = path.parent().and_then(Path::parent) else {
        return Ok(());
    };
    let blobs = Blobs::new(
        std::sync::Arc::new(RealDisk),
        folder,
        &place.linked_images(),
    );
    let put = blobs.put(hash, bytes);
    put.map(drop).map_err(|error| cannot(&place.folder, &error))
}

/// The images that stand in the JSON and its backup as data URLs.
fn images_in_files(place: &Place) -> BTreeMap<BlobRef, Vec<u8>> {
    let file = place.folder.join(&place.name);
    let backup = PathBuf::from(format!("{}.backup", file.display()));
    let mut found = BTreeMap::new();
    for path in [file, backup] {
        let Ok(bytes) = RealDisk.read(&path) else {
            continue;
        };
        let Ok(root) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        let mut waiting = vec![root];
        while let Some(value) = waiting.pop() {
            match value {
                Value::String(text) => {
                    if let Some(blob) = blob::from_data_url(&text) {
                        found.insert(blob.hash, blob.bytes);
                    }
                }
                Value::Array(items) => waiting.extend(items),
                Value::Object(fields) => waiting.extend(fields.into_iter().map(|(_, value)| value)),
                _ => {}
            }
        }
    }
    found
}
