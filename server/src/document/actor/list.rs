//! An old client's whole list: which version it was made from, and what its client holds
//! afterwards (L2).
//!
//! | the list | is an edit of |
//! |---|---|
//! | names a version (`If-Match`, `sync`) | that version |
//! | is the one that this client posted last | what that made: nothing is new |
//! | of a client that holds versions | the closest of them |
//! | fits an earlier version of the client's much better | that one: it is from an older tab |
//! | has another record under a number of that version | such an earlier one, else none |
//! | would remove most of that, and is not empty; or of a client that holds nothing | none: it adds and updates (F6) |
//!
//! **Invariant:** a version is noted for a client only if the list that the client has is just
//! that version.

use std::collections::HashSet;

use plainsync_core::document::Document;
use plainsync_core::plain::base::{Closest, Handed};
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions};
use plainsync_core::replica::Input;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tracing::{debug, info};

use super::batch::{Answer, Batch};
use super::take::has_heads;
use super::{Actor, Done, now};
use crate::document::clients::{Held, OldClient};
use crate::document::error::DocumentError;
use crate::document::handle::ListTaken;
use crate::document::inbox::Reply;

/// What is looked at of a list before it is taken in.
#[derive(Deserialize)]
struct List {
    jobs: Vec<Entry>,
    sync: Option<Sync>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Value,
    #[serde(rename = "createdAt", default)]
    created_at: Value,
}

#[derive(Deserialize)]
struct Sync {
    #[serde(default)]
    document: Value,
    #[serde(default)]
    heads: Vec<String>,
}

/// What a list is taken for an edit of.
enum Base {
    /// What it says itself.
    Named(ImportBase),
    /// One of these, all of which its client may hold; the closest one is the first.
    Held(Vec<Handed>),
    /// An older version that another tab of the client still shows.
    Earlier(Handed),
    /// Nothing.
    None,
}

impl Actor {
    /// Takes in the list that `client` posted; `named` is the version that the request names.
    pub(super) fn take_list(
        &mut self,
        text: Vec<u8>,
        named: ImportBase,
        client: OldClient,
        reply: Reply<ListTaken>,
        batch: &mut Batch,
    ) {
        match self.take_list_in(text, named, &client, batch) {
            Ok(taken) => batch.answers.push(Answer::List { reply, taken }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn take_list_in(
        &mut self,
        text: Vec<u8>,
        named: ImportBase,
        client: &OldClient,
        batch: &mut Batch,
    ) -> Result<ListTaken, DocumentError> {
        self.may_write()?;
        let held = self.clients.of(client);
        let Some(document) = self.document() else {
            return Err(self.read_only());
        };
        let list: Option<List> = serde_json::from_slice(&text).ok();
        let records = list.as_ref().map_or(0, |list| list.jobs.len());
        let posted = digest(&text);
        let base = base_of(document, &text, list.as_ref(), named, &held, &posted)?;
        let before = document.heads();
        let (base, done) = self.take_list_from(base, text.clone(), records, batch)?;
        let Some(document) = self.document() else {
            return Err(self.read_only());
        };
        let mut made: Vec<String> = (document.heads().iter())
            .filter(|head| !before.contains(head))
            .map(ToString::to_string)
            .collect();
        made.sort_unstable();
        let version = match &base {
            // Made from everything that is here: it is the list only if nothing else is.
            Base::None => is_just(document, &text).then(|| Handed::now(document)),
            _ if !made.is_empty() => Some(version(made)),
            Base::Named(ImportBase::Heads(heads)) => {
                Some(version(heads.iter().map(ToString::to_string).collect()))
            }
            Base::Named(_) => list.and_then(|list| Some(version(list.sync?.heads))),
            Base::Held(versions) => versions.first().cloned(),
            Base::Earlier(earlier) => Some(earlier.clone()),
        };
        let from = match &base {
            Base::Earlier(earlier) => Some(earlier),
            _ => None,
        };
        let at = now().seconds();
        self.clients
            .took(client, version.as_ref(), from, (records, posted), at);
        Ok(ListTaken {
            report: done.report,
            version: version.map(|version| version.heads),
        })
    }

    /// Takes `text` in as an edit of `base`, or of nothing if that would remove most of it.
    fn take_list_from(
        &mut self,
        base: Base,
        text: Vec<u8>,
        records: usize,
        batch: &mut Batch,
    ) -> Result<(Base, Done), DocumentError> {
        let import = |base: ImportBase, may_remove_most: bool| Input::Import {
            text: text.clone(),
            options: ImportOptions {
                base,
                at: Some(now()),
                may_remove_most,
                only_records: true,
            },
        };
        let (how, is_sure) = match &base {
            // Its user was asked, or its program knows what it says.
            Base::Named(named) => (named.clone(), true),
            Base::Held(versions) => (of(versions), records == 0),
            Base::Earlier(earlier) => (of(std::slice::from_ref(earlier)), false),
            Base::None => (ImportBase::Unknown, true),
        };
        match self.step(import(how, is_sure), batch) {
            Err(DocumentError::Import(ImportError::RemovesMost { removed, of })) if !is_sure => {
                info!(
                    name = self.shared.name,
                    removed,
                    of,
                    "an old client's list is not made from what that client was given: it adds and updates"
                );
                let done = self.step(import(ImportBase::Unknown, true), batch)?;
                Ok((Base::None, done))
            }
            done => Ok((base, done?)),
        }
    }
}

/// What the list is an edit of, see the module's table.
fn base_of(
    document: &Document,
    text: &[u8],
    list: Option<&List>,
    named: ImportBase,
    held: &Held,
    posted: &str,
) -> Result<Base, DocumentError> {
    let known = |versions: &[Handed]| -> Vec<Handed> {
        let known = versions
            .iter()
            .filter(|version| !version.heads.is_empty() && has_heads(document, &version.heads));
        known.cloned().collect()
    };
    let mut holds = known(&held.holds);
    if held.posted.as_deref() == Some(posted) && !holds.is_empty() {
        return Ok(Base::Held(holds)); // The same list again: its answer was lost.
    }
    if !matches!(named, ImportBase::FromText) {
        return Ok(Base::Named(named));
    }
    let Some(list) = list else {
        return Ok(Base::Named(ImportBase::FromText)); // Refused there, with the reason.
    };
    let ours = document.id().to_string();
    if let Some(sync) = &list.sync
        && sync.document == *ours
        && !sync.heads.is_empty()
    {
        return Ok(Base::Named(ImportBase::FromText));
    }
    if holds.is_empty() {
        return Ok(Base::None);
    }
    let before = known(&held.before);
    let clashing = clashing(document, list);
    if !clashing.is_empty() {
        // Old clients count on, so a number under which their list has another record than the
        // version does tells that it is from elsewhere.
        holds.retain(|version| !is_foreign(document, &clashing, version));
        if holds.is_empty() {
            let fits = |version: &&Handed| !is_foreign(document, &clashing, version);
            let earlier: Vec<Handed> = before.iter().filter(fits).cloned().collect();
            let closest = closest_of(document, text, &earlier)?;
            return Ok(closest.map_or(Base::None, |found| Base::Earlier(version(hex(&found)))));
        }
    }
    if holds.len() == 1 && (list.jobs.is_empty() || before.is_empty()) {
        return Ok(Base::Held(holds));
    }
    let Some(now) = closest_of(document, text, &holds)? else {
        return Ok(Base::None);
    };
    if !list.jobs.is_empty()
        && let Some(earlier) = closest_of(document, text, &before)?
        && is_of_an_older_tab(document, list, held, &now, &earlier)
    {
        debug!("an old client's list is from a tab that shows an older version");
        return Ok(Base::Earlier(version(hex(&earlier))));
    }
    let closest = version(hex(&now));
    holds.sort_by_key(|version| sorted(version) != closest.heads); // The closest one first.
    Ok(Base::Held(holds))
}

/// Whether the list was made from `earlier` rather than from `now`: it is nearer to it, and what
/// parts it from `now` is more than one step of a person. A tab saves after each step, so a single
/// record that is again as it was before was put back on purpose.
fn is_of_an_older_tab(
    document: &Document,
    list: &List,
    held: &Held,
    now: &Closest,
    earlier: &Closest,
) -> bool {
    if earlier.distance.differing >= now.distance.differing {
        return false;
    }
    let created = creation_times(document);
    let is_new = |entry: &&Entry| !created.contains(&entry.created_at.to_string());
    let new = list.jobs.iter().filter(is_new).count();
    let same_place = list.jobs.len().saturating_sub(new);
    let missing = held.records.saturating_sub(same_place);
    let changed = same_place.saturating_sub(now.distance.same);
    new + missing + changed > 1
}

fn closest_of(
    document: &Document,
    text: &[u8],
    versions: &[Handed],
) -> Result<Option<Closest>, DocumentError> {
    document
        .closest(text, versions)
        .map_err(DocumentError::Import)
}

/// When each record that there ever was says that it was created.
fn creation_times(document: &Document) -> HashSet<String> {
    let field = &document.schema().created_field;
    let times = document.view().all().map(|row| row.job.get(field));
    times
        .map(|time| time.unwrap_or(&Value::Null).to_string())
        .collect()
}

/// The labels of records that are new, and shown by others here.
fn clashing<'l>(document: &Document, list: &'l List) -> Vec<&'l str> {
    let created = creation_times(document);
    let new = list.jobs.iter();
    let new = new.filter(|entry| !created.contains(&entry.created_at.to_string()));
    new.filter_map(|entry| entry.id.as_str())
        .filter(|label| document.view().by_label(label).is_some())
        .collect()
}

/// Whether `version` lists another record under one of the `clashing` labels.
fn is_foreign(document: &Document, clashing: &[&str], version: &Handed) -> bool {
    let heads: Result<Vec<_>, _> = version.heads.iter().map(|head| head.parse()).collect();
    let then = heads.ok().and_then(|heads| document.as_of(&heads));
    then.is_some_and(|then| {
        let listed = |label: &&str| {
            let row = then.view().by_label(label);
            row.is_some_and(|row| row.is_listed())
        };
        clashing.iter().any(listed)
    })
}

/// Whether `text` says exactly what `document` shows.
fn is_just(document: &Document, text: &[u8]) -> bool {
    let closest = document.closest(text, &[Handed::now(document)]);
    matches!(closest, Ok(Some(closest)) if closest.distance.differing == 0)
}

/// How an edit of one of `versions` is asked for.
fn of(versions: &[Handed]) -> ImportBase {
    match versions {
        [only] => {
            let heads: Result<Vec<_>, _> = only.heads.iter().map(|head| head.parse()).collect();
            heads.map_or(ImportBase::Unknown, ImportBase::Heads)
        }
        several => ImportBase::Handed(several.to_vec()),
    }
}

fn version(heads: Vec<String>) -> Handed {
    Handed {
        heads,
        fingerprint: None,
    }
}

fn hex(closest: &Closest) -> Vec<String> {
    closest.heads.iter().map(ToString::to_string).collect()
}

fn sorted(version: &Handed) -> Vec<String> {
    let mut heads = version.heads.clone();
    heads.sort_unstable();
    heads
}

/// What tells a list that is posted again.
fn digest(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
