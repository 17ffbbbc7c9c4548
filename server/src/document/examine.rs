//! All that lies on disk of one document, looked at and compared: what `plainsync doctor` tells.
//!
//! Every record of every journal is checked against its sum, the history is put together in
//! memory, and images, kept versions, the JSON and its backup are compared with it. Notes and texts
//! that nobody edits carry sums, so of all that lies beside the JSON no byte changes unnoticed.
//!
//! **Invariant:** nothing here writes, takes a lock or trusts what it reads.

mod beside;
mod notes;
mod texts;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plainsync_core::blob::BlobRef;
use plainsync_core::chunk::{self, Reason};
use plainsync_core::document::Document;
use plainsync_core::id::{DeviceId, DocumentId};
use plainsync_core::plain::origin::Origin;

use super::disk::{Disk, RealDisk, ShadowDisk};
use super::identity::{DEVICE, Identity, device_named};
use super::inspect::inspect;
use super::journal::Record;
use super::place::Place;
use super::shared::{Contents, Header, JOURNAL_SUFFIX, device_of, published_for};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing, and nothing is lost.
    Note,
    /// Something is not as it was written.
    Damage,
}

/// What can be done about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// The next start of a server, or opening the document, puts it right.
    Opening,
    /// It is moved away; what it held comes from elsewhere.
    Remove,
    /// The private state forgot which document it is of.
    Identity(DocumentId),
    /// The JSON is put into the archive and written anew from the history.
    Replace,
    /// The bytes of this image may stand in the JSON.
    Image(BlobRef),
    /// These bytes are written in its place: the history gives them, or another copy.
    Again(Vec<u8>),
    /// Nothing can be done here.
    None,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: Option<u64>,
    /// A sentence.
    pub what: String,
    /// What can be done.
    pub cure: Cure,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Damage => "damage",
        };
        write!(out, "{word}: {}", self.path.display())?;
        if let Some(offset) = self.offset {
            write!(out, ", byte {offset}")?;
        }
        write!(out, ": {}", self.what)
    }
}

/// What was looked at.
#[derive(Debug, Default)]
pub struct Examined {
    /// What was found, in the order of looking.
    pub findings: Vec<Finding>,
    /// Records of journals that are whole.
    pub records: usize,
    /// Images that are as they should be.
    pub images: usize,
    /// Older versions that are.
    pub versions: usize,
    /// How many jobs the history gives, if it does.
    pub jobs: Option<usize>,
    /// Somebody has the document open.
    pub is_held: bool,
}

impl Examined {
    /// Whether something is damaged.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity == Severity::Damage)
    }

    fn add(&mut self, severity: Severity, path: &Path, what: impl Into<String>, cure: Cure) {
        self.findings.push(Finding {
            severity,
            path: path.to_owned(),
            offset: None,
            what: what.into(),
            cure,
        });
    }

    fn damage_at(&mut self, path: &Path, offset: Option<u64>, what: impl Into<String>, cure: Cure) {
        self.findings.push(Finding {
            severity: Severity::Damage,
            path: path.to_owned(),
            offset,
            what: what.into(),
            cure,
        });
    }

    fn damage(&mut self, path: &Path, what: impl Into<String>, cure: Cure) {
        self.add(Severity::Damage, path, what, cure);
    }

    fn note(&mut self, path: &Path, what: impl Into<String>) {
        self.add(Severity::Note, path, what, Cure::None);
    }
}

/// Looks at everything of the document at `place`. Blocks, and needs the stack of an actor.
#[must_use]
pub fn examine(place: &Place) -> Examined {
    let mut examined = Examined::default();
    let disk: Arc<dyn Disk> = Arc::new(ShadowDisk::new());
    examined.is_held = [place.own_folder(), place.folder_state.clone()]
        .iter()
        .any(|folder| matches!(disk.lock(&folder.join("lock")), Ok(None)));
    examined.notes(&*disk, place);
    let published = published_for(&*disk, &place.own_folder(), &place.name);
    let device = device(&mut examined, &*disk, place);
    let identity = identity(&mut examined, &*disk, place, &published);
    let Some(identity) = identity else {
        examined.json_alone(&*disk, place);
        return examined;
    };
    let id = identity.document;
    let mut document = Document::new(id, identity.schema());
    let journal = place.state.join("journal");
    let own = examined.private_journal(&*disk, &journal, &mut document);
    examined.published_journals(&*disk, place, &id, device, &mut document, own);
    examined.jobs = Some(document.view().rows().count());
    examined.images(&*disk, place, &id, &document);
    examined.versions(&*disk, place, &id, device, &document);
    examined.json(&*disk, place, &document);
    examined.backup(&disk, place, &document);
    examined.archive(&*disk, place, &id);
    examined.leftovers(&*disk, place);
    examined
}

fn device(examined: &mut Examined, disk: &dyn Disk, place: &Place) -> Option<DeviceId> {
    let path = place.folder_state.join(DEVICE);
    match read(disk, &path) {
        Ok(None) => None,
        Ok(Some(bytes)) => device_named(&bytes)
            .map_err(|reason| examined.damage(&path, reason, Cure::Remove))
            .ok(),
        Err(error) => {
            examined.damage(&path, format!("it cannot be read: {error}"), Cure::None);
            None
        }
    }
}

/// Which document it is. What others published tells, too.
fn identity(
    examined: &mut Examined,
    disk: &dyn Disk,
    place: &Place,
    published: &[Header],
) -> Option<Identity> {
    let path = place.state.join("document");
    let carried = read(disk, &place.folder.join(&place.name)).ok().flatten();
    let carried = carried.and_then(|bytes| inspect(&bytes).ok()?.version?.document);
    let named = published
        .iter()
        .find(|header| Some(header.document) == carried);
    let elsewhere = named.or(published.first()).map(Header::identity);
    let cure = elsewhere
        .as_ref()
        .map_or(Cure::Remove, |known| Cure::Identity(known.document));
    match read(disk, &path) {
        Ok(Some(bytes)) => match serde_json::from_slice::<Identity>(&bytes) {
            Ok(identity) => {
                let same = published
                    .iter()
                    .find(|header| header.document == identity.document);
                if same.is_some_and(|header| header.identity() != identity) {
                    let what =
                        "it does not say what the published journal says of the same document";
                    examined.damage(&path, what, cure);
                    return elsewhere;
                }
                if let Some(text) = identity.text().ok().filter(|text| *text != bytes) {
                    let what = "it says what it said, but is not written as it was";
                    examined.damage(&path, what, Cure::Again(text));
                }
                return Some(identity);
            }
            Err(error) => {
                let what = format!("it does not say which document this is: {error}");
                examined.damage(&path, what, cure);
            }
        },
        Ok(None) if place.state.join("journal").exists() => {
            examined.damage(&path, "it is missing, and a journal is there", cure);
        }
        Ok(None) if elsewhere.is_none() => {
            examined.note(
                &place.state,
                "no server of this user has kept a history here",
            );
        }
        Ok(None) => {
            let what = "no server of this user has kept a history here; others have published one";
            examined.note(&place.state, what);
        }
        Err(error) => examined.damage(&path, format!("it cannot be read: {error}"), Cure::None),
    }
    elsewhere
}

impl Examined {
    /// Checks every record of a journal; the whole ones.
    fn journal(&mut self, path: &Path, bytes: &[u8], cure: &Cure) -> Vec<Record> {
        let mut records = Vec::new();
        let mut chunks = chunk::read(bytes);
        while let Some(next) = chunks.next() {
            match next {
                Ok(found) => match Record::decode(found.bytes) {
                    Some(record) => records.push(record),
                    None => {
                        let what = "a record of a kind that this version does not know; a newer plainsync wrote it";
                        self.damage_at(path, Some(found.at as u64), what, Cure::None);
                    }
                },
                Err(broken) => {
                    let being_written = self.is_held && broken.next.is_none();
                    if !(being_written && matches!(broken.reason, Reason::Torn { .. })) {
                        self.broken(path, &broken, cure);
                    }
                    let Some(at) = broken.next else { break };
                    chunks.go_on(at);
                }
            }
        }
        self.records += records.len();
        records
    }

    fn broken(&mut self, path: &Path, broken: &chunk::Broken, cure: &Cure) {
        let follows = match broken.next {
            Some(next) => format!("; whole records follow from byte {next} on"),
            None if matches!(broken.reason, Reason::Torn { .. }) => {
                ", as a crash in the middle of a write leaves it".to_owned()
            }
            None => "; nothing whole follows".to_owned(),
        };
        let what = format!("a record {}{follows}", broken.reason);
        self.damage_at(path, Some(broken.at as u64), what, cure.clone());
    }

    /// The journal from which edits are acknowledged. `true`: there is one.
    fn private_journal(&mut self, disk: &dyn Disk, path: &Path, document: &mut Document) -> bool {
        let bytes = match read(disk, path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return false,
            Err(error) => {
                self.damage(path, format!("it cannot be read: {error}"), Cure::None);
                return true;
            }
        };
        let records = self.journal(path, &bytes, &Cure::Opening);
        let chunks: Vec<_> = records.into_iter().map(|record| record.bytes).collect();
        if let Err(error) = document.restore(&chunks) {
            let what = format!("its records are whole, but give no history: {error}");
            self.damage(path, what, Cure::Remove);
        }
        true
    }

    /// What this device and others have published beside the JSON.
    fn published_journals(
        &mut self,
        disk: &dyn Disk,
        place: &Place,
        id: &DocumentId,
        device: Option<DeviceId>,
        document: &mut Document,
        has_own: bool,
    ) {
        let folder = place.shared(id);
        let mut names = disk.list(&folder).unwrap_or_default();
        names.sort();
        let mut own_is_there = false;
        for name in names {
            let Some(name) = name.to_str().filter(|name| device_of(name).is_some()) else {
                continue;
            };
            let is_own = device_of(name) == device && device.is_some();
            own_is_there |= is_own;
            let path = folder.join(name);
            let bytes = match read(disk, &path) {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) => {
                    self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                    continue;
                }
            };
            // Only its device writes it.
            let cure = if is_own { Cure::Opening } else { Cure::None };
            self.journal(&path, &bytes, &cure);
            let contents = Contents::read(&bytes, 0);
            match &contents.header {
                Some(header) if header.document == *id => {}
                Some(header) => {
                    let what = format!("it is of another document, {}", header.document);
                    self.damage(&path, what, cure);
                    continue;
                }
                None => self.damage(&path, "it does not say what it is of", cure.clone()),
            }
            let restored = if is_own {
                document.restore(&contents.chunks)
            } else {
                document.restore_of_others(&contents.chunks)
            };
            match restored {
                Ok(news) if news.changes > 0 && has_own => {
                    let changes = news.changes;
                    let what = format!(
                        "{changes} of its changes are not in the journal of this device yet; opening the document takes them in"
                    );
                    self.note(&path, what);
                }
                Ok(_) => {}
                Err(error) => self.damage(&path, error.to_string(), cure),
            }
        }
        if let (Some(device), true, false) = (device, has_own, own_is_there) {
            let path = folder.join(format!("{device}{JOURNAL_SUFFIX}"));
            let what =
                "what this device publishes is missing; others that share the folder wait for it";
            self.damage(&path, what, Cure::Opening);
        }
    }

    /// The JSON where there is no history to compare it with.
    fn json_alone(&mut self, disk: &dyn Disk, place: &Place) {
        let path = place.folder.join(&place.name);
        match read(disk, &path) {
            Ok(None) => self.note(&path, "there is no such file"),
            Ok(Some(bytes)) => {
                if let Err(error) = inspect(&bytes) {
                    self.damage(&path, error.to_string(), Cure::None);
                }
            }
            Err(error) => self.damage(&path, format!("it cannot be read: {error}"), Cure::None),
        }
    }

    /// The JSON against the history.
    fn json(&mut self, disk: &dyn Disk, place: &Place, document: &Document) {
        let path = place.folder.join(&place.name);
        match read(disk, &path) {
            Ok(None) => {
                let what = "the file is missing; opening the document writes it again";
                self.add(Severity::Note, &path, what, Cure::Opening);
            }
            Ok(Some(bytes)) => self.origin(&path, &bytes, document),
            Err(error) => self.damage(&path, format!("it cannot be read: {error}"), Cure::None),
        }
    }

    fn origin(&mut self, path: &Path, bytes: &[u8], document: &Document) {
        let what = match document.origin(bytes) {
            Ok(Origin::Current) => return,
            Ok(Origin::Older { .. }) => {
                "it is an older version; opening the document writes it anew"
            }
            Ok(Origin::Edited { .. }) => {
                "it was edited since it was written; opening the document takes that in (`plainsync check` tells what)"
            }
            Ok(Origin::Ahead { missing }) => {
                let what = format!(
                    "it was written at a version that is not known here ({missing}); it is left alone until that arrives"
                );
                return self.note(path, what);
            }
            Ok(Origin::Backup { .. }) => "it is a backup; opening the document goes back to it",
            Ok(_) => {
                "it names no version of this document; opening the document adds what is new in it"
            }
            Err(error) => {
                let what = format!("{error}; it is left as it is, and the history is intact");
                return self.damage(path, what, Cure::Replace);
            }
        };
        self.note(path, what);
    }
}

/// Says again which document the private state is of, as it was published beside the JSON.
///
/// # Errors
///
/// Those of the file system; [`io::ErrorKind::NotFound`] when nobody has published it.
pub fn restore_identity(place: &Place, document: &DocumentId) -> io::Result<()> {
    let published = published_for(&RealDisk, &place.own_folder(), &place.name);
    let header = published.iter().find(|header| header.document == *document);
    let header = header.ok_or(io::ErrorKind::NotFound)?;
    header.identity().keep(&RealDisk, &place.state)
}

/// The bytes of `path`, if it is there.
fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in `folder`, sorted; none if it is not there.
fn sorted(disk: &dyn Disk, folder: &Path) -> BTreeSet<String> {
    let names = disk.list(folder).unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect()
}
