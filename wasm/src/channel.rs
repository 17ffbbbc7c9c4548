//! Hints between the tabs of one browser: which chunks were committed.
//!
//! A hint may be lost, late or repeated; what it names is read from the database.

use futures_channel::mpsc::UnboundedSender;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::host::Event;

/// What one tab tells the others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hint {
    /// Chunks that are in the database now.
    pub(crate) hashes: Vec<String>,
    /// Chunks that were folded into the only one of `hashes`: who knows them all knows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) folded: Vec<String>,
}

/// The other tabs that have the document open.
#[derive(Debug)]
pub(crate) struct Channel {
    channel: BroadcastChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// `None` where the browser has no such thing: then tabs meet at the server alone.
    pub(crate) fn open(document: &str, events: UnboundedSender<Event>) -> Option<Self> {
        let channel = BroadcastChannel::new(&format!("plainsync/{document}")).ok()?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let hint = event
                .data()
                .as_string()
                .and_then(|text| serde_json::from_str(&text).ok());
            if let Some(hint) = hint {
                drop(events.unbounded_send(Event::Hint(hint)));
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self {
            channel,
            _on_message: on_message,
        })
    }

    pub(crate) fn tell(&self, hint: &Hint) {
        if let Ok(text) = serde_json::to_string(hint) {
            drop(self.channel.post_message(&text.into())); // A hint: it may be lost.
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}
