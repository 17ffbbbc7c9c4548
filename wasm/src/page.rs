//! The way to the page.

use std::rc::Rc;

use js_sys::{Function, Uint8Array};
use serde_json::Value;
use wasm_bindgen::JsValue;

use crate::messages::FromWorker;
use crate::windows::json;

/// Posts messages to the page, in order.
#[derive(Clone, Debug)]
pub(crate) struct Page(Rc<Function>);

impl Page {
    pub(crate) fn new(post: Function) -> Self {
        Self(Rc::new(post))
    }

    pub(crate) fn post(&self, message: &FromWorker<'_>) {
        self.post_json(&json(message));
    }

    pub(crate) fn post_json(&self, json: &str) {
        // It throws only when the worker is being ended: nobody would hear.
        drop(self.0.call1(&JsValue::NULL, &json.into()));
    }

    pub(crate) fn answer(&self, call: u32, value: Value) {
        self.post(&FromWorker::Answer { call, value });
    }

    /// An answer with bytes, which are handed over without copying them again.
    pub(crate) fn answer_bytes(&self, call: u32, value: Value, bytes: &[u8]) {
        self.post_bytes(&FromWorker::Answer { call, value }, bytes);
    }

    /// A message with bytes beside it.
    pub(crate) fn post_bytes(&self, message: &FromWorker<'_>, bytes: &[u8]) {
        let json = json(message);
        drop(
            self.0
                .call2(&JsValue::NULL, &json.into(), &Uint8Array::from(bytes)),
        );
    }

    pub(crate) fn fail(&self, call: u32, message: impl ToString) {
        self.post(&FromWorker::Failed {
            call,
            message: message.to_string(),
        });
    }

    pub(crate) fn log(
        &self,
        area: &'static str,
        level: &'static str,
        message: impl Into<String>,
        data: Option<Value>,
    ) {
        self.post(&FromWorker::Log {
            area,
            level,
            message: message.into(),
            data,
        });
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>) {
        self.post(&FromWorker::Error {
            code,
            message: message.into(),
        });
    }
}
