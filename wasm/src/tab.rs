//! The engine of one tab, as its worker's script holds it.

use futures_channel::mpsc::{UnboundedSender, unbounded};
use js_sys::Function;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::host::{self, Event};
use crate::messages::FromWorker;
use crate::page::Page;

/// One tab's engine: messages in by [`Tab::message`], messages out by the function given to it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tab {
    events: UnboundedSender<Event>,
}

#[wasm_bindgen]
impl Tab {
    /// `post(json, bytes?)` hands one message to the page.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(post: Function) -> Tab {
        console_error_panic_hook::set_once();
        let (events, inbox) = unbounded();
        let page = Page::new(post);
        let sender = events.clone();
        spawn_local(async move {
            if let Err(dead) = host::run(page.clone(), sender, inbox).await {
                page.post(&FromWorker::Dead {
                    message: dead.to_string(),
                });
            }
        });
        Tab { events }
    }

    /// Takes one message of the page's, as JSON; `text` is what was too large for it.
    ///
    /// # Errors
    ///
    /// It is no message of this protocol: page and worker are of different versions.
    pub fn message(&self, json: &str, text: Option<String>) -> Result<(), JsError> {
        let message = serde_json::from_str(json)?;
        // After `close` nobody listens, and nothing is expected.
        drop(self.events.unbounded_send(Event::Page(message, text)));
        Ok(())
    }

    /// Says a presence message to the others, now and to whoever comes.
    pub fn say(&self, data: Vec<u8>) {
        drop(self.events.unbounded_send(Event::Said(data)));
    }
}
