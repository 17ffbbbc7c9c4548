//! Records as the database holds them.

use js_sys::{Array, Object, Reflect, Uint8Array};
use plainsync_core::blob::Blob;
use plainsync_core::chunk;
use plainsync_core::id::derived_key;
use plainsync_core::time::Millis;
use wasm_bindgen::{JsCast as _, JsValue};

use super::StoreError;
use crate::messages::ChunkText;

/// Changes that were committed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) document: String,
    /// Made of the payload: equal chunks have equal names.
    pub(crate) hash: String,
    /// Automerge changes or a saved document.
    pub(crate) payload: Vec<u8>,
    /// The edits in it.
    pub(crate) edits: Vec<String>,
    pub(crate) at: Millis,
}

impl Chunk {
    pub(crate) fn new(document: &str, payload: Vec<u8>, edits: Vec<String>, at: Millis) -> Self {
        let hash = derived_key("c", &[&payload]);
        Self {
            document: document.to_owned(),
            hash,
            payload,
            edits,
            at,
        }
    }

    /// The chunk as localStorage keeps it; `None` if no chunk can be that large.
    pub(crate) fn to_text(&self) -> Option<ChunkText> {
        let text = chunk::to_text(&self.payload).ok()?;
        Some(ChunkText {
            hash: self.hash.clone(),
            text,
        })
    }

    pub(super) fn to_record(&self) -> Result<JsValue, StoreError> {
        let framed =
            chunk::encode(&self.payload).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let edits: Array = self
            .edits
            .iter()
            .map(|edit| JsValue::from_str(edit))
            .collect();
        object(&[
            ("document", self.document.as_str().into()),
            ("hash", self.hash.as_str().into()),
            ("bytes", Uint8Array::from(framed.as_slice()).into()),
            ("edits", edits.into()),
            ("at", millis(self.at)),
        ])
    }

    /// Reads a record back; says what is wrong with one that is not as it was written.
    pub(super) fn read(record: &JsValue) -> Result<Self, String> {
        let text = |field: &str| Reflect::get(record, &field.into()).ok()?.as_string();
        let hash = text("hash").ok_or("a chunk without a name")?;
        let document =
            text("document").ok_or_else(|| format!("the chunk {hash} without a document"))?;
        let framed =
            bytes(record, "bytes").ok_or_else(|| format!("the chunk {hash} without bytes"))?;
        let mut whole = chunk::read(&framed);
        let (Some(Ok(found)), None) = (whole.next(), whole.next()) else {
            return Err(format!(
                "the chunk {hash}, whose bytes do not match their checksum"
            ));
        };
        let payload = found.bytes.to_vec();
        let edits = Reflect::get(record, &"edits".into()).unwrap_or(JsValue::UNDEFINED);
        let edits = edits
            .dyn_ref::<Array>()
            .map(|list| list.iter().filter_map(|id| id.as_string()).collect());
        let at = Reflect::get(record, &"at".into())
            .ok()
            .and_then(|at| at.as_f64())
            .unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time in whole milliseconds"
        )]
        let at = Millis(at.max(0.0) as u64);
        Ok(Self {
            document,
            hash,
            payload,
            edits: edits.unwrap_or_default(),
            at,
        })
    }
}

/// An image's record.
pub(super) fn blob(blob: &Blob, now: Millis) -> Result<JsValue, StoreError> {
    object(&[
        ("hash", blob.hash.name().into()),
        ("mime", blob.mime.as_str().into()),
        ("bytes", Uint8Array::from(blob.bytes.as_slice()).into()),
        ("at", millis(now)),
    ])
}

/// A plain object with these fields.
pub(super) fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, StoreError> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &JsValue::from_str(name), value)
            .map_err(|_| StoreError::Damaged(format!("the field {name} cannot be set")))?;
    }
    Ok(object.into())
}

/// A field that holds bytes.
pub(super) fn bytes(record: &JsValue, field: &str) -> Option<Vec<u8>> {
    let value = Reflect::get(record, &field.into()).ok()?;
    Some(value.dyn_ref::<Uint8Array>()?.to_vec())
}

fn millis(at: Millis) -> JsValue {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a time in milliseconds has far fewer than 53 bits"
    )]
    let at = at.0 as f64;
    JsValue::from_f64(at)
}
