//! Opening documents: folders, locks, identities, journals, and then the files themselves.
//!
//! **Invariant:** until everything is known to be usable, nothing beside the JSON is made but
//! `.plainsync/`, and the JSON itself is only read.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use plainsync_core::blob::BlobRef;
use plainsync_core::document::Document;
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::replica::ReplicaConfig;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::actor::{Actor, FileSide, Offered, Parts, restore};
use super::blobs::Blobs;
use super::clients::Clients;
use super::companion::{Companion, Opener};
use super::disk::{Disk, folder_of, make_folders, random, sweep};
use super::documents::{DocumentsConfig, Found, Opened};
use super::error::OpenError;
use super::handle::{DocumentHandle, Shared};
use super::identity;
use super::inbox::{Inbox, Message};
use super::join::{self, Rivals};
use super::journal::Journal;
use super::keeper::{Keeper, Kept};
use super::lock::{Holder, Lock};
use super::note::unseal;
use super::place::{self, Place};
use super::projection::{BACKUP_SUFFIX, Projection};
use super::ring::Ring;
use super::shared::{Header, Neighbours, Published};
use super::state::DocumentInfo;
use super::threads::{self, spawn};
use super::watcher::Watcher;
use super::written::{WRITTEN, Written};

/// The folder to serve, ours alone, and who we are.
struct Entered {
    place: Place,
    locks: Vec<Lock>,
    device: DeviceId,
    peer: PeerId,
    state_root: PathBuf,
}

/// Opens the first document that `config` names, and finds the others. Blocks.
pub(super) fn open(config: &DocumentsConfig) -> Result<Found, OpenError> {
    let disk = &config.disk;
    let entered = enter(config)?;
    let opener = Arc::new(Opener {
        config: config.clone(),
        device: entered.device,
        peer: entered.peer,
    });
    let wake = Arc::new(Notify::new());
    let mut others = Vec::new();
    if entered.place.file != config.file {
        for (file, info) in companions(&**disk, &entered.place) {
            let place = find_place(disk, &file, &entered.state_root)?;
            let (opener, wake) = (Arc::clone(&opener), Arc::clone(&wake));
            others.push(Arc::new(Companion::new(opener, place, info, wake)));
        }
    }
    let (device, peer) = (opener.device, opener.peer.clone());
    Ok(Found {
        first: open_one(config, &entered.place, device, peer.clone())?,
        companions: others,
        wake,
        device,
        peer,
        folder_state: entered.place.folder_state,
        locks: entered.locks,
    })
}

/// Opens the first document that `config` names, without threads.
pub(super) fn prepare_first(config: &DocumentsConfig) -> Result<(Prepared, Vec<Lock>), OpenError> {
    let entered = enter(config)?;
    let prepared = prepare(config, &entered.place, entered.device, entered.peer)?;
    Ok((prepared, entered.locks))
}

fn enter(config: &DocumentsConfig) -> Result<Entered, OpenError> {
    let disk = &config.disk;
    let state_root = state_root(config)?;
    let place = find_place(disk, &config.file, &state_root)?;
    let locks = lock(config, &place)?;
    let device = identity::device(&**disk, &place.folder_state)?;
    let chance: [u8; 4] = random().map_err(|source| state_error(&place.folder_state, source))?;
    let peer = format!("plainsync-{device}-{:08x}", u32::from_le_bytes(chance));
    let peer = PeerId::new(peer).map_err(|error| OpenError::Damaged {
        path: place.folder_state.clone(),
        reason: error.to_string(),
    })?;
    Ok(Entered {
        place,
        locks,
        device,
        peer,
        state_root,
    })
}

fn state_root(config: &DocumentsConfig) -> Result<PathBuf, OpenError> {
    match &config.state {
        Some(state) => Ok(state.clone()),
        None => place::state_root().map_err(|source| state_error(Path::new("~"), source)),
    }
}

fn find_place(disk: &Arc<dyn Disk>, file: &Path, state_root: &Path) -> Result<Place, OpenError> {
    let named = place::named_file(file);
    let folder_error = |source| OpenError::Folder {
        path: folder_of(&named).to_owned(),
        source,
    };
    let real = place::resolve_links(&named).map_err(folder_error)?;
    make_folders(&**disk, folder_of(&real)).map_err(folder_error)?;
    let place = Place::find(file, state_root).map_err(folder_error)?;
    let folder_error = |source| OpenError::Folder {
        path: place.folder.clone(),
        source,
    };
    make_folders(&**disk, &place.own_folder()).map_err(folder_error)?;
    make_folders(&**disk, &place.state).map_err(|source| state_error(&place.state, source))?;
    Ok(place)
}

/// One lock beside the JSON, for everybody who sees the folder; one in the state, for those
/// who see it by another path.
fn lock(config: &DocumentsConfig, place: &Place) -> Result<Vec<Lock>, OpenError> {
    let holder = match &config.command {
        Some(command) => Holder::this_command(command),
        None => Holder::this_process(&config.url),
    };
    let mut locks = Vec::new();
    for folder in [&place.own_folder(), &place.folder_state] {
        let lock = Lock::take(&*config.disk, &folder.join("lock"), &place.folder, &holder)?;
        locks.push(lock);
    }
    Ok(locks)
}

/// Other JSON files of a served folder that carry a version of their own. Copies of the
/// first one, as folder syncers make them on a conflict, are not documents.
fn companions(disk: &dyn Disk, first: &Place) -> Vec<(PathBuf, DocumentInfo)> {
    let carried = |path: &Path| {
        let bytes = disk.read(path).ok()?;
        DocumentInfo::carried_by(path, &bytes)
    };
    let own = carried(&first.folder.join(&first.name));
    let mut known: HashSet<DocumentId> = own.map(|info| info.id).into_iter().collect();
    let mut names = disk.list(&first.folder).unwrap_or_default();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let text = name.to_string_lossy();
        let path = first.folder.join(&name);
        if !text.ends_with(".json") || text.starts_with('.') || *text == *first.name {
            continue;
        }
        if let Some(info) = carried(&path)
            && known.insert(info.id)
        {
            found.push((path, info));
        }
    }
    found
}

pub(super) fn open_one(
    config: &DocumentsConfig,
    place: &Place,
    device: DeviceId,
    peer: PeerId,
) -> Result<Opened, OpenError> {
    let Prepared {
        mut actor,
        mut keeper,
        handle,
    } = prepare(config, place, device, peer)?;
    let shared = place.shared(&handle.id());
    let orders = actor.file.orders();
    let watcher = orders.and_then(|orders| {
        let started = threads::behind(|| Watcher::start(place, &shared, orders));
        started.flatten()
    });
    if watcher.is_none() {
        keeper.look_more_often();
    }
    actor.file.set_watcher(watcher);
    let way = handle.inbox().way();
    let keeper = spawn(&format!("file {}", place.name), move || {
        threads::stand_behind();
        way.stand_behind();
        keeper.run();
    })?;
    actor.file.set_keeper(keeper);
    let thread = spawn(&format!("doc {}", place.name), move || {
        threads::answer_soon();
        actor.run();
    })?;
    Ok(Opened::new(handle, thread))
}

/// A document that is open, before its threads run.
pub(super) struct Prepared {
    pub(super) actor: Actor,
    pub(super) keeper: Keeper,
    pub(super) handle: DocumentHandle,
}

/// Opens the document at `place` and takes in what its files hold.
pub(super) fn prepare(
    config: &DocumentsConfig,
    place: &Place,
    device: DeviceId,
    peer: PeerId,
) -> Result<Prepared, OpenError> {
    let disk = &config.disk;
    let path = place.state.join("journal");
    sweep(&**disk, &place.state, ".");
    let (mut journal, recovered) = Journal::open(Arc::clone(disk), path.clone())?;
    journal.note_syncs_in(config.metrics.fsync());
    let identity = identity::decide(&**disk, place, recovered.records.is_empty())?;
    let document = identity.document;
    let replica_config = ReplicaConfig {
        document,
        schema: identity.schema(),
        device,
        author: None,
        actor: random().map_err(|source| state_error(&place.state, source))?,
        peer,
    };
    let records = recovered.records.len();
    let (replica, edits) = restore(&replica_config, recovered.records)
        .map_err(|source| OpenError::History { path, source })?;
    let header = Header::new(&identity, &place.name);
    let rivals = join::rivals(&**disk, place, &header);
    if let Some(winner) = join::winner(&header, &rivals) {
        drop(journal);
        join::retire(disk, place, device, replica.document(), &header, winner)
            .map_err(|source| state_error(&place.state, source))?;
        return prepare(config, place, device, replica_config.peer);
    }
    let joined = rivals.iter();
    let joined = joined.filter_map(|rival| join::export_of(disk, place, rival, &header));
    let joined: Vec<_> = joined.collect();
    info!(
        file = %place.file.display(), %document, records,
        jobs = replica.document().view().rows().count(), "opened"
    );
    let blobs = Blobs::new(
        Arc::clone(disk),
        &place.blobs(&document),
        &place.linked_images(),
    );
    tidy_images(disk, place, replica.document(), &blobs);
    let ring = Ring::new(Arc::clone(disk), &place.snapshots(&document), device);
    let written = Written::open(
        Arc::clone(disk),
        place.state.join(WRITTEN),
        place.folder.join(format!("{}{BACKUP_SUFFIX}", place.name)),
        ring.clone(),
    );
    let shared = Shared::new(
        place.name.clone(),
        replica.document(),
        blobs.clone(),
        ring.clone(),
        written.clone(),
        config.metrics.clone(),
    );
    let shared = Arc::new(shared);
    let (inbox, received) = Inbox::new();
    let (orders, ordered) = mpsc::channel();
    let archive = place.archive(&document);
    let mut actor = Actor::new(Parts {
        shared: Arc::clone(&shared),
        config: replica_config,
        replica,
        journal,
        identity,
        inbox: received,
        edits,
        clients: Clients::open(
            Arc::clone(disk),
            place.state.join("clients"),
            super::actor::now().seconds(),
        ),
        file: FileSide::new(Arc::clone(disk), archive.clone(), orders),
        pace: config.pace,
    });
    let note = place.state.join("projected");
    let noted = disk.read(&note).unwrap_or_default(); // Without it the start only takes longer.
    let (offered, offer) = Offered::open(&**disk, &place.state);
    actor.file.set_offered(offered);
    actor.shared.set_offer(offer);
    let folder = place.shared(&document);
    make_folders(&**disk, &folder).map_err(|source| OpenError::Folder {
        path: folder.clone(),
        source,
    })?; // Now, so that it can be watched.
    let kept = Kept {
        projection: Projection::new(Arc::clone(disk), place.file.clone(), document),
        published: Published::new(Arc::clone(disk), &folder, device, header.clone()),
        neighbours: Neighbours::new(Arc::clone(disk), folder, document, device),
        ring: ring.clone(),
        written,
        rivals: Rivals::new(Arc::clone(disk), place.clone(), header.clone()),
        blobs,
        note,
        archive,
    };
    let reports = inbox.clone();
    let report = Box::new(move |report| {
        let _ = reports.send(Message::File(report), None); // An actor that has ended needs none.
    });
    let mut keeper = Keeper::new(Arc::clone(disk), kept, config.pace, ordered, report);
    actor.start(&mut keeper, unseal(&noted).unwrap_or_default(), joined);
    if actor.journal.is_long() {
        actor.compact();
    }
    let handle = DocumentHandle::new(shared, inbox);
    Ok(Prepared {
        actor,
        keeper,
        handle,
    })
}

fn state_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::State {
        path: path.to_owned(),
        source,
    }
}

/// F12: removes linked images that neither the document nor a text on disk shows any more.
fn tidy_images(disk: &Arc<dyn Disk>, place: &Place, document: &Document, blobs: &Blobs) {
    if disk.look(&place.linked_images()).is_err() {
        return;
    }
    let mut needed = HashSet::new();
    if document.links_images() {
        needed = document.blob_refs();
    }
    for file in [
        place.folder.join(&place.name),
        place.folder.join(format!("{}{BACKUP_SUFFIX}", place.name)),
    ] {
        let text = disk.read(&file).unwrap_or_default();
        let strings = text.split(|byte| *byte == b'"');
        let strings = strings.filter_map(|string| std::str::from_utf8(string).ok());
        needed.extend(strings.filter_map(|string| BlobRef::from_link(string).ok()));
    }
    match blobs.unlink_others(&needed) {
        Ok(0) => {}
        Ok(gone) => {
            info!(file = %place.file.display(), gone, "removed linked images that nothing shows")
        }
        Err(error) => warn!(file = %place.file.display(), %error, "linked images were not tidied"),
    }
}
