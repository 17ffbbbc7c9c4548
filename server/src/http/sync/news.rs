//! How the JSON file does, told to whoever has the document open, as it changes.
//!
//! An `ephemeral` frame from the server's own peer id, which clients of automerge-repo hand to
//! whoever listens for such messages, and else ignore. Its data is CBOR: one text, the JSON of a
//! message that our pages understand.
//!
//! ```text
//! 7a 00 00 01 2c  {"type":"news","news":{"fileState":{"state":"unparsable","detail":…},"offer"?,"lastImport"?}}
//! ```
//!
//! The length always has four bytes, so that the JSON begins after five and needs no CBOR reader. The newest state is sent on opening, if there is anything to tell, and after each change;
//! what came between two sends is not told.
//!
//! **Invariant:** nothing is decided from a frame that claims to be one of these and comes from
//! elsewhere: replicas drop what carries their own name, so no peer can speak as the server.

use futures_util::stream;
use plainsync_core::id::PeerId;
use plainsync_core::limits::EPHEMERAL_BYTES_MAX;
use plainsync_core::wire::Frame;

use super::{Outbound, Queued};
use crate::document::{DocumentHandle, FileNews};

/// The first byte of a CBOR text whose length follows in four bytes.
const CBOR_TEXT: u8 = 0x7a;

/// The news of `document` for `peer`, from the present state on; never ends by itself.
pub(super) fn stream(document: &DocumentHandle, server: PeerId, peer: PeerId) -> Outbound {
    let mut changed = document.watch_news();
    changed.mark_changed();
    let start = (document.clone(), changed, FileNews::default(), 0_u64);
    let session = format!("{server} news");
    Box::pin(stream::unfold(start, move |state| {
        let (server, peer, session) = (server.clone(), peer.clone(), session.clone());
        async move {
            let (document, mut changed, mut told, mut count) = state;
            loop {
                if changed.changed().await.is_err() {
                    return None; // The document has ended; its own queue says so.
                }
                let now = document.news();
                if told == now {
                    continue;
                }
                let data = data(&now);
                told = now;
                if data.len() > EPHEMERAL_BYTES_MAX {
                    continue; // The page asks for it over HTTP, once a minute.
                }
                count += 1;
                let frame = Frame::Ephemeral {
                    document: document.id(),
                    sender: server,
                    target: peer,
                    count,
                    session,
                    data,
                };
                let queued = Queued::Bytes(frame.encode().into());
                return Some((queued, (document, changed, told, count)));
            }
        }
    }))
}

fn data(news: &FileNews) -> Vec<u8> {
    let news = serde_json::to_string(news).unwrap_or_default();
    let text = format!("{{\"type\":\"news\",\"news\":{news}}}");
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut data = vec![CBOR_TEXT];
    data.extend_from_slice(&len.to_be_bytes());
    data.extend_from_slice(text.as_bytes());
    data
}
