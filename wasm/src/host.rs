//! The loop of one tab's worker: takes what happened, steps the replica, performs its effects.
//!
//! ```text
//! all events that wait → replica → effects gathered in a round
//!   round's changes and images → one IndexedDB transaction ─┬─ meanwhile: tell the page's windows
//!   committed → Persisted → sends, "saved", hint to tabs ◀──┘
//! ```
//!
//! While a transaction is under way, events wait; they make the next round. So a burst of edits is
//! committed together, and nothing runs beside anything else: no locks, no borrowed cells.

mod calls;
mod commit;
mod connect;
mod load;

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use futures_util::StreamExt as _;
use plainsync_core::blob::{Blob, BlobRef};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::id::PeerId;
use plainsync_core::replica::{Effect, Input, Replica, StepError};
use plainsync_core::time::Millis;
use serde_json::Value;

use crate::blobs::Blobs;
use crate::channel::{Channel, Hint};
use crate::messages::{FromWorker, Open, Origin, Status, ToWorker};
use crate::page::Page;
use crate::socket::SocketEvent;
use crate::store::Store;
use crate::timer::Timer;
use crate::windows::Windows;
use commit::{Ack, Backlog};
use connect::Connected;

/// Events handled before their changes are committed, at most.
const ROUND_EVENTS_MAX: usize = 256;
/// Windows are told at most this often, in milliseconds; less often when that takes long.
const LOOK_EVERY_MS: u64 = 16;

/// Something that happened to a worker.
#[derive(Debug)]
pub(crate) enum Event {
    /// The page said something; an import's text comes beside it.
    Page(ToWorker, Option<String>),
    /// The page says something of itself to the others: a presence message.
    Said(Vec<u8>),
    Socket {
        dial: u64,
        event: SocketEvent,
    },
    /// Another tab committed something.
    Hint(Hint),
    Timer(Alarm),
    /// Images that a question needs are here, as far as they can be had.
    Gathered {
        call: u32,
        what: Gathered,
        images: HashMap<BlobRef, Blob>,
    },
}

/// What a timer was set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Alarm {
    /// Dial again.
    Dial,
    /// The server has had long enough to say who it is.
    Handshake,
    /// Say that we are here.
    Heartbeat,
    /// Tell the windows.
    Look,
    /// Try the failed commit again.
    Commit,
}

/// What images were gathered for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gathered {
    Export { tried: HashSet<BlobRef> },
    First { limit: usize },
}

/// Why a worker must be thrown away.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Dead(pub(crate) String);

/// One tab's replica, and all that it needs.
#[derive(Debug)]
pub(crate) struct Host {
    open: Open,
    /// How this tab calls itself in frames.
    me: PeerId,
    page: Page,
    events: UnboundedSender<Event>,
    replica: Replica,
    /// `None`: there is no database here, the page keeps the chunks.
    store: Option<Rc<Store>>,
    blobs: Blobs,
    channel: Option<Channel>,
    connected: Connected,
    windows: Windows,
    backlog: Backlog,
    timers: HashMap<Alarm, Timer>,
    /// Chunks of the database that the replica contains.
    known: HashSet<String>,
    /// Edits in those chunks, oldest first; enough to recognise a replay.
    applied: VecDeque<String>,
    applied_set: HashSet<String>,
    /// The status as it was told.
    status: Option<Status>,
    looked_at: Millis,
    look_ms: u64,
    closing: bool,
}

/// Runs until the page closes it or it must die.
pub(crate) async fn run(
    page: Page,
    events: UnboundedSender<Event>,
    mut inbox: UnboundedReceiver<Event>,
) -> Result<(), Dead> {
    let open = loop {
        match inbox.next().await {
            Some(Event::Page(ToWorker::Open(open), _)) => break open,
            Some(Event::Page(ToWorker::Recall { server }, _)) => {
                let home = load::recall(&server).await;
                page.post(&FromWorker::Recalled { home });
            }
            Some(_) => {} // Nothing can be meant before a document is open.
            None => return Ok(()),
        }
    };
    let mut host = Host::load(open, page, events).await?;
    while let Some(event) = inbox.next().await {
        host.take(event).await?;
        for _ in 1..ROUND_EVENTS_MAX {
            let Ok(event) = inbox.try_recv() else { break };
            host.take(event).await?;
        }
        host.settle().await?;
        if host.closing {
            break;
        }
    }
    Ok(())
}

impl Host {
    /// Takes one event; what it wants done waits in the backlog for [`Host::settle`].
    async fn take(&mut self, event: Event) -> Result<(), Dead> {
        match event {
            Event::Page(message, text) => self.heard(message, text).await,
            Event::Said(data) => {
                self.says(data);
                Ok(())
            }
            Event::Socket { dial, event } => self.on_socket(dial, event),
            Event::Hint(hint) => self.on_hint(hint).await,
            Event::Timer(alarm) => {
                self.timers.remove(&alarm);
                match alarm {
                    Alarm::Dial => self.dial(),
                    Alarm::Handshake => self.handshake_is_late(),
                    Alarm::Heartbeat => {
                        self.beat();
                        Ok(())
                    }
                    Alarm::Look => {
                        self.look();
                        Ok(())
                    }
                    Alarm::Commit => {
                        self.backlog.failed = false;
                        Ok(())
                    }
                }
            }
            Event::Gathered { call, what, images } => {
                self.gathered(call, what, &images);
                Ok(())
            }
        }
    }

    async fn heard(&mut self, message: ToWorker, text: Option<String>) -> Result<(), Dead> {
        match message {
            ToWorker::Open(_) | ToWorker::Recall { .. } => {} // Once is enough.
            ToWorker::Edits { edits, replay } => {
                let edits = edits
                    .into_iter()
                    .filter_map(|edit| self.parsed(edit))
                    .collect();
                return self.edit_all(edits, replay).await;
            }
            ToWorker::Subscribe { sub, query } => {
                self.windows.watch(sub, query);
                self.tell_window(sub);
            }
            ToWorker::Move { sub, offset, limit } => {
                self.windows.shift(sub, offset, limit);
                self.tell_window(sub);
            }
            ToWorker::Unsubscribe { sub } => self.windows.forget(sub),
            ToWorker::Call { call, ask } => return self.asked(call, ask, text).await,
            ToWorker::Resume {} => return self.resume().await,
            ToWorker::Network { online } => return self.network(online),
            ToWorker::Kept { seq, ok } => return self.kept(seq, ok),
            ToWorker::Close {} => self.closing = true,
        }
        Ok(())
    }

    fn tell_window(&mut self, sub: u32) {
        let page = self.page.clone();
        let view = self.replica.document().view();
        self.windows
            .tell_window(sub, view, &mut |json| page.post_json(&json));
    }

    /// An edit of the page's, or its refusal.
    fn parsed(&self, value: Value) -> Option<StampedEdit> {
        let id = value
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        match serde_json::from_value(value) {
            Ok(edit) => Some(edit),
            Err(error) => {
                let message = format!("This is no edit that the engine knows: {error}");
                self.page.post(&FromWorker::Refused { id, message });
                None
            }
        }
    }

    async fn edit_all(&mut self, edits: Vec<StampedEdit>, replay: bool) -> Result<(), Dead> {
        if replay {
            self.recognise(&edits).await?;
        }
        for edit in edits {
            let EditId(id) = &edit.id;
            let key = match &edit.edit {
                Edit::Insert { key, .. } => Some(key.clone()),
                _ => None,
            };
            if !self.applied_set.contains(id) && !self.backlog.contains(id) {
                let id = id.clone();
                match self.replica.step(now(), Input::Edit(edit)) {
                    Ok(effects) => self.perform(effects)?,
                    Err(StepError::Poisoned) => return Err(poisoned()),
                    Err(error) => {
                        let message = error.to_string();
                        self.page.post(&FromWorker::Refused { id, message });
                        continue;
                    }
                }
                self.backlog.acks.push(Ack { id, key });
            } else {
                self.backlog.acks.push(Ack {
                    id: id.clone(),
                    key,
                });
            }
        }
        Ok(())
    }

    /// Steps the replica; a refusal that nobody asked for is an error to show.
    fn step(&mut self, input: Input) -> Result<(), Dead> {
        match self.replica.step(now(), input) {
            Ok(effects) => self.perform(effects),
            Err(StepError::Poisoned) => Err(poisoned()),
            Err(error) => {
                self.page.error("sync", error.to_string());
                Ok(())
            }
        }
    }

    /// Performs effects, in order. What must be durable waits for [`Host::settle`].
    fn perform(&mut self, effects: Vec<Effect>) -> Result<(), Dead> {
        for effect in effects {
            match effect {
                Effect::Blobs(blobs) => self.backlog.blobs.extend(blobs),
                Effect::Persist { seq, bytes, edits } => self.backlog.add(seq, bytes, edits),
                Effect::Send { frame, .. } => self.send(&frame),
                Effect::Close { reason, .. } => self.refuse(reason),
                Effect::Changed { keys, local } => {
                    self.changed(keys, if local { Origin::Local } else { Origin::Remote });
                }
                Effect::Imported(report) => self.backlog.report = Some(report),
                Effect::ServerHas { heads } => self.note_server_heads(&heads),
                Effect::Unavailable { .. } => {
                    self.refuse("The server does not have this document.".to_owned());
                }
                Effect::Presence { sender, data } => self.on_presence(sender, &data),
                _ => {} // An effect of a newer engine that this host has no part in.
            }
        }
        Ok(())
    }

    fn changed(&mut self, keys: Vec<Key>, origin: Origin) {
        self.windows.touch(keys, origin);
    }

    /// Tells the page's windows what is new, now or soon.
    fn look_soon(&mut self) {
        if !self.windows.has_news() || self.timers.contains_key(&Alarm::Look) {
            return;
        }
        // A look that takes long must leave time for the rest.
        let pause = LOOK_EVERY_MS.max(self.look_ms * 3);
        let passed = now().since(self.looked_at);
        if passed >= pause {
            self.look();
        } else {
            self.set_timer(Alarm::Look, u32::try_from(pause - passed).unwrap_or(1_000));
        }
    }

    fn look(&mut self) {
        let begun = now();
        let page = self.page.clone();
        self.windows
            .look(self.replica.document().view(), &mut |json| {
                page.post_json(&json)
            });
        self.looked_at = now();
        self.look_ms = self.looked_at.since(begun);
    }

    fn set_timer(&mut self, alarm: Alarm, after_ms: u32) {
        let events = self.events.clone();
        let timer = Timer::new(after_ms, move || {
            // Nobody listens once the tab has closed.
            drop(events.unbounded_send(Event::Timer(alarm)));
        });
        self.timers.insert(alarm, timer);
    }
}

fn poisoned() -> Dead {
    Dead("the merge library failed; the replica is restored from storage".to_owned())
}

/// The wall clock, as this worker's browser has it.
pub(crate) fn now() -> Millis {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds since 1970"
    )]
    Millis(js_sys::Date::now().max(0.0) as u64)
}

/// Random bytes from the browser.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Dead> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Dead(format!("this browser gives no random numbers: {error}")))?;
    Ok(bytes)
}
