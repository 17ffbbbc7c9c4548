//! A document of the folder besides the first: open while somebody uses it, else only known.
//!
//! ```text
//! asleep ── somebody asks for it, or its files change ──▶ open ── nobody uses it for a while ──▶ asleep
//! ```
//!
//! Opening takes in what its files hold, closing writes what they lack, as starts and stops of the
//! server do for the first document.
//!
//! **Invariant:** one file has one actor: opening and closing are one at a time.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use tokio::sync::{Notify, watch};

use super::disk::{Disk, Look};
use super::documents::{DocumentsConfig, Opened};
use super::error::OpenError;
use super::handle::DocumentHandle;
use super::identity;
use super::keeper::settled_look;
use super::open;
use super::place::Place;
use super::shared::copies::kinship;
use super::state::DocumentInfo;
use super::threads;

/// What every document of a folder is opened with.
pub(super) struct Opener {
    pub(super) config: DocumentsConfig,
    pub(super) device: DeviceId,
    pub(super) peer: PeerId,
}

impl Opener {
    /// Opens the document at `place`. Blocks.
    fn open(&self, place: &Place) -> Result<Opened, OpenError> {
        open::open_one(&self.config, place, self.device, self.peer.clone())
    }
}

/// Its files as they look from outside: it is opened when that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stamp {
    file: Option<Look>,
    /// What lies in its own folder.
    shared: Vec<(OsString, Option<Look>)>,
    /// Conflict copies beside the file (F10).
    copies: Vec<(OsString, Option<Look>)>,
}

/// See the module's text.
pub struct Companion {
    opener: Arc<Opener>,
    place: Place,
    now: Mutex<Now>,
    /// What it said of itself last; of one that was never open what its file says.
    known: Mutex<Known>,
    beside: Arc<Mutex<Beside>>,
    /// Held while it is opened or closed.
    gate: tokio::sync::Mutex<()>,
    /// Moves with every change of its rows, over all the times that it is open.
    changes: watch::Sender<u64>,
    /// Somebody has to look after it now.
    pub(super) wake: Arc<Notify>,
}

enum Now {
    Asleep,
    Open(Opened),
    /// It stays closed.
    Over,
}

impl Now {
    fn open(&self) -> Option<&Opened> {
        match self {
            Now::Open(opened) => Some(opened),
            Now::Asleep | Now::Over => None,
        }
    }
}

/// The names of conflict copies, and how the folder looked that was listed for them.
#[derive(Default)]
struct Beside {
    folder: Option<Look>,
    copies: Vec<OsString>,
}

struct Known {
    info: DocumentInfo,
    /// Whether it is certain which document it is: a file that is new here may become another one
    /// than it carries (F6).
    is_certain: bool,
    used: Instant,
    /// Its files before they were read last.
    read: Stamp,
    /// Its files hold what was read from them as long as they look like this; `None`: they may hold
    /// more, because they changed while it was open.
    settled: Option<Stamp>,
}

impl Companion {
    pub(super) fn new(
        opener: Arc<Opener>,
        place: Place,
        info: DocumentInfo,
        wake: Arc<Notify>,
    ) -> Self {
        let is_certain = identity::known(&*opener.config.disk, &place) == Some(info.id);
        Self {
            opener,
            place,
            now: Mutex::new(Now::Asleep),
            known: Mutex::new(Known {
                info,
                is_certain,
                used: Instant::now(),
                read: Stamp::default(),
                settled: None,
            }),
            beside: Arc::default(),
            gate: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
            wake,
        }
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self) -> DocumentId {
        self.handle()
            .map_or_else(|| lock(&self.known).info.id, |open| open.id())
    }

    /// What the document says of itself, or said last.
    #[must_use]
    pub fn info(&self) -> DocumentInfo {
        let open = self.handle().map(|open| open.info());
        open.unwrap_or_else(|| lock(&self.known).info.clone())
    }

    /// As [`Companion::info`]; `None`: opening it may still give it another id. The id that it has is
    /// also certain when it could not be opened: people are to see that there is one.
    pub(super) fn certain_info(&self) -> Option<DocumentInfo> {
        let is_certain = lock(&self.known).is_certain;
        is_certain.then(|| self.info())
    }

    /// The document, if it is open. It stays so while this is held.
    #[must_use]
    pub fn handle(&self) -> Option<DocumentHandle> {
        lock(&self.now).open().map(|opened| opened.handle.clone())
    }

    /// A counter that moves when its rows may have changed, also by being opened.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The document, opened if it is not. It stays so while the handle is held. Whoever asks may
    /// stop waiting at any time.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it cannot be opened; another try may succeed.
    pub async fn open(self: &Arc<Self>) -> Result<DocumentHandle, OpenError> {
        if let Some(open) = self.handle() {
            lock(&self.known).used = Instant::now();
            return Ok(open);
        }
        // By itself: what was begun keeps the gate until it is there, whoever waits for it.
        let me = Arc::clone(self);
        let opening = tokio::spawn(async move { me.open_once().await });
        opening
            .await
            .unwrap_or_else(|error| Err(self.thread_error(error)))
    }

    async fn open_once(self: &Arc<Self>) -> Result<DocumentHandle, OpenError> {
        let _gate = self.gate.lock().await;
        match &*lock(&self.now) {
            Now::Open(opened) => return Ok(opened.handle.clone()),
            Now::Over => return Err(self.thread_error(STOPPING)),
            Now::Asleep => {}
        }
        let before = self.stamp().await;
        lock(&self.known).read = before.clone();
        let me = Arc::clone(self);
        let opened = tokio::task::spawn_blocking(move || me.opener.open(&me.place)).await;
        let opened = opened.unwrap_or_else(|error| Err(self.thread_error(error)));
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let mut known = lock(&self.known);
                known.is_certain = true; // People are to see that there is one.
                known.settled = Some(before); // Not again by itself until that changes.
                return Err(error);
            }
        };
        let handle = opened.handle.clone();
        lock(&self.known).used = Instant::now();
        match &mut *lock(&self.now) {
            Now::Over => return Err(self.thread_error(STOPPING)),
            now => *now = Now::Open(opened),
        }
        lock(&self.known).is_certain = true;
        self.bump();
        self.wake.notify_one(); // Others may have to make room.
        tokio::spawn(pass_on(
            Arc::clone(self),
            handle.watch(),
            handle.superseded(),
        ));
        Ok(handle)
    }

    /// Closes it once nobody has used it for `rest_after`, opens it when its files have changed, and
    /// opens it again when an older history has arrived.
    pub(super) async fn tend(self: &Arc<Self>, rest_after: Duration) -> Result<(), OpenError> {
        let Some(open) = self.handle() else {
            let now = self.stamp().await;
            let is_settled = lock(&self.known).settled.as_ref() == Some(&now);
            return if !is_settled {
                self.open().await.map(drop)
            } else {
                Ok(())
            };
        };
        drop(open);
        self.join_if_superseded().await?;
        let Some(open) = self.handle() else {
            return Ok(());
        };
        let is_used = open.holders() > USERS_IF_UNUSED;
        drop(open);
        if self.unused_for(is_used) >= rest_after && !is_used {
            self.close(true).await;
        }
        Ok(())
    }

    /// Opens it again if an older history has arrived.
    pub(super) async fn join_if_superseded(self: &Arc<Self>) -> Result<(), OpenError> {
        let is_superseded = |open: DocumentHandle| *open.superseded().borrow();
        if !self.handle().is_some_and(is_superseded) {
            return Ok(());
        }
        self.close(false).await;
        self.open().await.map(drop)
    }

    /// Whether conflict copies lay beside its file when it was opened: they take a while, as they
    /// have to be the same twice.
    pub(super) fn has_copies(&self) -> bool {
        !lock(&self.known).read.copies.is_empty()
    }

    /// When somebody used it last, if it is open and nobody uses it now.
    pub(super) fn unused_since(&self) -> Option<Instant> {
        let open = self.handle()?;
        (open.holders() <= USERS_IF_UNUSED).then(|| lock(&self.known).used)
    }

    /// How long nobody has used it.
    fn unused_for(&self, is_used: bool) -> Duration {
        let mut known = lock(&self.known);
        if is_used {
            known.used = Instant::now();
        }
        known.used.elapsed()
    }

    /// Writes what its file lacks, and ends its threads; if `if_unused`, not while somebody holds
    /// it or runs are to be made.
    pub(super) async fn close(&self, if_unused: bool) {
        let _gate = self.gate.lock().await;
        let opened = {
            // It is seen as open until it is certain that it closes: who sees it closed may take
            // its records for gone.
            let mut now = lock(&self.now);
            let Some(opened) = now.open() else {
                return;
            };
            let handle = &opened.handle;
            if if_unused && (handle.holders() > 1 || self.has_runs(handle)) {
                return;
            }
            lock(&self.known).info = handle.info();
            std::mem::replace(&mut *now, Now::Asleep)
        };
        let Now::Open(opened) = opened else {
            return;
        };
        let handle = opened.handle.clone();
        opened.end().await;
        drop(tokio::task::spawn_blocking(threads::give_memory_back));
        let now = self.stamp().await;
        self.note(handle.info(), now);
        self.bump();
    }

    /// As [`Companion::close`], and for good.
    pub(super) async fn close_for_good(&self) {
        self.close(false).await;
        let _gate = self.gate.lock().await;
        let before = std::mem::replace(&mut *lock(&self.now), Now::Over);
        if let Now::Open(opened) = before {
            opened.end().await; // It was opened in between.
        }
    }

    /// Ends it where it is, as if the process had been killed, and for good.
    pub(super) fn abandon(&self) {
        let before = std::mem::replace(&mut *lock(&self.now), Now::Over);
        if let Now::Open(opened) = before {
            opened.abandon();
        }
    }

    /// Whether a run that was ordered from this server waits or is in progress, in the bin too.
    fn has_runs(&self, open: &DocumentHandle) -> bool {
        let device = self.opener.device.to_string();
        open.snapshot().all().any(|row| {
            let status = row.job.get("status").and_then(serde_json::Value::as_str);
            let server = row.run.as_ref().and_then(|run| run.server.as_deref());
            server == Some(&device) && matches!(status, Some("queued" | "running"))
        })
    }

    fn note(&self, info: DocumentInfo, now: Stamp) {
        let mut known = lock(&self.known);
        known.info = info;
        known.settled = Some(now).filter(|now| *now == known.read);
    }

    async fn stamp(&self) -> Stamp {
        let disk = Arc::clone(&self.opener.config.disk);
        let (place, beside) = (self.place.clone(), Arc::clone(&self.beside));
        let shared = place.shared(&self.id());
        let looked = tokio::task::spawn_blocking(move || {
            let names = disk.list(&shared).unwrap_or_default();
            let copies = lock(&beside).copies(&*disk, &place);
            Stamp {
                file: disk.look(&place.folder.join(&place.name)).ok(),
                shared: looks(&*disk, &shared, names),
                copies: looks(&*disk, &place.folder, copies),
            }
        });
        looked.await.unwrap_or_default() // As if nothing were there: then it is opened.
    }

    fn bump(&self) {
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn thread_error(
        &self,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> OpenError {
        OpenError::Thread {
            name: self.place.name.clone(),
            source: std::io::Error::other(error),
        }
    }
}

/// Said by one that stays closed.
const STOPPING: &str = "the server is stopping";

/// Handles of a document that nobody uses: its own, and that of whoever looks.
const USERS_IF_UNUSED: usize = 2;

/// Tells of the changes of an open document as long as it is.
async fn pass_on(
    companion: Arc<Companion>,
    mut changes: watch::Receiver<u64>,
    mut superseded: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => companion.bump(),
                Err(_) => return,
            },
            Ok(_) = superseded.wait_for(|is| *is) => return companion.wake.notify_one(),
        }
    }
}

impl Beside {
    /// The names of conflict copies of the file at `place`. The folder is listed only if it changed.
    fn copies(&mut self, disk: &dyn Disk, place: &Place) -> Vec<OsString> {
        let look = disk.look(&place.folder).ok();
        if look.is_none() || self.folder != look {
            self.copies = disk.list(&place.folder).unwrap_or_default();
            self.copies
                .retain(|name| kinship(&place.name, &name.to_string_lossy()).is_some());
            self.folder = look.and_then(settled_look);
        }
        self.copies.clone()
    }
}

fn looks(
    disk: &dyn Disk,
    folder: &Path,
    mut names: Vec<OsString>,
) -> Vec<(OsString, Option<Look>)> {
    names.sort_unstable();
    let looks = names.into_iter().map(|name| {
        let look = disk.look(&folder.join(&name)).ok();
        (name, look)
    });
    looks.collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
