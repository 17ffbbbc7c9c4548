//! One document in memory: the engine without browser, storage or network.
//!
//! For tools, and for checking that wasm and native builds agree byte for byte.

use plainsync_core::document::Document;
use plainsync_core::edit::StampedEdit;
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::plain::import::ImportOptions;
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// One document in memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    replica: Replica,
}

#[wasm_bindgen]
impl Engine {
    /// A document that holds nothing yet. `actor` is 32 hexadecimal digits, used once.
    ///
    /// # Errors
    ///
    /// The id or the actor is malformed.
    #[wasm_bindgen(constructor)]
    pub fn new(document: &str, actor: &str) -> Result<Engine, JsError> {
        console_error_panic_hook::set_once();
        let document: DocumentId = document.parse()?;
        let config = ReplicaConfig {
            document,
            schema: Schema::job_history(),
            device: DeviceId::from_random([0; 8]),
            author: None,
            actor: actor_of(actor)?,
            peer: PeerId::new("engine")?,
        };
        Ok(Engine {
            replica: Replica::new(config),
        })
    }

    /// Takes in changes, in any order.
    ///
    /// # Errors
    ///
    /// One of them is unreadable; none was taken in.
    #[wasm_bindgen(js_name = applyChanges)]
    pub fn apply_changes(&mut self, changes: Vec<js_sys::Uint8Array>) -> Result<(), JsError> {
        let chunks: Vec<Vec<u8>> = changes.iter().map(js_sys::Uint8Array::to_vec).collect();
        self.replica.restore(&chunks)?;
        Ok(())
    }

    /// Applies a stamped edit, given as JSON, at `now` (ms since the epoch); returns the changes it made.
    ///
    /// # Errors
    ///
    /// It is no edit, or it was refused; nothing changed.
    pub fn edit(&mut self, json: &str, now: f64) -> Result<Vec<js_sys::Uint8Array>, JsError> {
        let edit: StampedEdit = serde_json::from_str(json)?;
        Ok(changes(self.replica.step(millis(now), Input::Edit(edit))?))
    }

    /// Takes a file's text in; returns what that did, as JSON.
    ///
    /// # Errors
    ///
    /// It is no such file; nothing changed.
    #[wasm_bindgen(js_name = importText)]
    pub fn import_text(&mut self, text: &str, now: f64) -> Result<String, JsError> {
        let input = Input::Import {
            text: text.as_bytes().to_vec(),
            options: ImportOptions::default(),
        };
        let effects = self.replica.step(millis(now), input)?;
        let report = effects.iter().find_map(|effect| match effect {
            Effect::Imported(report) => Some(report),
            _ => None,
        });
        Ok(serde_json::to_string(&report)?)
    }

    /// The file's text; images stay references, because none are held here.
    ///
    /// # Errors
    ///
    /// Never: the file is always text.
    #[wasm_bindgen(js_name = exportJson)]
    pub fn export_json(&self) -> Result<String, JsError> {
        Ok(String::from_utf8(
            self.replica.document().export(&|_| None),
        )?)
    }

    /// The newest changes, as sorted hexadecimal hashes: together they name the version.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.replica
            .document()
            .heads()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The whole history as one chunk, which [`Engine::apply_changes`] takes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.replica.document().save()
    }
}

impl Engine {
    /// The document, for hosts in Rust.
    #[must_use]
    pub fn document(&self) -> &Document {
        self.replica.document()
    }
}

fn changes(effects: Vec<Effect>) -> Vec<js_sys::Uint8Array> {
    let bytes = effects.into_iter().filter_map(|effect| match effect {
        Effect::Persist { bytes, .. } => Some(js_sys::Uint8Array::from(bytes.as_slice())),
        _ => None,
    });
    bytes.collect()
}

fn millis(now: f64) -> Millis {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds since 1970"
    )]
    Millis(now.max(0.0) as u64)
}

fn actor_of(text: &str) -> Result<[u8; 16], JsError> {
    let refused = || JsError::new(&format!("the actor {text:?} is not 32 hexadecimal digits"));
    let mut actor = [0; 16];
    if text.len() != 32 {
        return Err(refused());
    }
    for (at, byte) in actor.iter_mut().enumerate() {
        let digits = text.get(at * 2..at * 2 + 2).ok_or_else(refused)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
    }
    Ok(actor)
}
