//! Made-up histories: the same ones at each run.

use plainsync_core::document::{Authorship, Document};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::ImportOptions;
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fixed::Failed;

/// Size of a made-up image, in bytes.
pub const IMAGE_BYTES: usize = 4 * 1024;

/// When all of it is said to have happened, in milliseconds since the Unix epoch.
const AT_MS: u64 = 1_800_000_000_000;

/// What a prompt says besides its number.
const LOOKS: [&str; 7] = [
    "heroic knight",
    "cyberpunk mage",
    "pixel dragon",
    "warrior with a broken shield",
    "wizard in a blue robe",
    "small house by the river",
    "treasure chest",
];

/// Whether the jobs of a list carry images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// Their results are texts.
    None,
    /// Each has an image of its own, inlined, of [`IMAGE_BYTES`].
    Inlined,
}

/// The prompt of the job with this number.
#[must_use]
pub fn prompt(number: usize) -> String {
    format!("a {} number {number}", LOOKS[number % LOOKS.len()])
}

/// A list as old clients save it: finished jobs with numbers from 1.
#[must_use]
pub fn list(jobs: usize, images: Images) -> Vec<u8> {
    let all: Vec<Value> = (1..=jobs).map(|number| job(number, images)).collect();
    let file = json!({"jobs": all, "lastJobId": jobs + 1});
    file.to_string().into_bytes()
}

fn job(number: usize, images: Images) -> Value {
    let start = AT_MS - 1_000_000_000 + number as u64 * 1_000;
    let result = match images {
        Images::None => json!("done"),
        Images::Inlined => Value::from(image(number)),
    };
    json!({
        "id": format!("job-{number}"), "prompt": prompt(number), "width": 64, "height": 64,
        "seed": (number * 7_919).to_string(), "status": "success", "result": result, "error": null,
        "startTime": start, "endTime": start + 1_500, "duration": 1.5, "createdAt": start,
    })
}

/// An image by its first bytes, followed by noise: what is kept of it does not compress, as a
/// real one's would not.
fn image(number: usize) -> String {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut noise: [u8; 32] = Sha256::digest(number.to_le_bytes()).into();
    while bytes.len() < IMAGE_BYTES {
        bytes.extend(noise);
        noise = Sha256::digest(noise).into();
    }
    bytes.truncate(IMAGE_BYTES);
    plainsync_core::blob::to_data_url(plainsync_core::blob::Mime::Png, &bytes)
}

/// An empty document whose edits are those of the device `name`.
///
/// # Errors
///
/// Never: the device's id is well-formed.
pub fn empty(name: u8) -> Result<Document, Failed> {
    let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
    act_as(&mut document, [name; 16])?;
    Ok(document)
}

/// From now on `document` is edited by `actor`.
///
/// # Errors
///
/// Never: the device's id is well-formed.
pub fn act_as(document: &mut Document, actor: [u8; 16]) -> Result<(), Failed> {
    let author = Authorship {
        device: "0000000000000001".parse()?,
        name: None,
    };
    document.set_actor(actor, &author);
    Ok(())
}

/// A document of so many jobs.
///
/// # Errors
///
/// Never: the list is well-formed.
pub fn document(jobs: usize) -> Result<Document, Failed> {
    let mut document = empty(1)?;
    document.import(&list(jobs, Images::None), &ImportOptions::default())?;
    Ok(document)
}

/// The keys of all jobs, in the list's order.
#[must_use]
pub fn keys(document: &Document) -> Vec<Key> {
    document.view().rows().map(|row| row.key.clone()).collect()
}

/// The edit called `name` that gives a job this height, and nothing else.
#[must_use]
pub fn set_height(name: &str, key: &Key, height: usize) -> StampedEdit {
    let set = [("height".to_owned(), Value::from(height))];
    StampedEdit {
        id: EditId(name.to_owned()),
        at: Millis(AT_MS),
        edit: Edit::Change {
            key: key.clone(),
            set: set.into_iter().collect(),
            unset: Vec::new(),
        },
    }
}

/// `file` with other words in the prompt of one job, as somebody types them.
///
/// # Errors
///
/// The file has no such job.
pub fn edited_by_hand(file: &[u8], number: usize, words: &str) -> Result<Vec<u8>, Failed> {
    let text = std::str::from_utf8(file)?;
    let label = format!("\"id\": \"job-{number}\",");
    let begin = text.find(&label).ok_or("no such job in the file")?;
    let field = "\"prompt\": \"";
    let at = text[begin..].find(field).ok_or("a job without a prompt")? + begin + field.len();
    Ok(format!("{}{words} {}", &text[..at], &text[at..]).into_bytes())
}
