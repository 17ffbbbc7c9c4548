//! One `setTimeout`, cancelled when dropped.

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

/// A task that waits for its time. Dropping it cancels it.
#[derive(Debug)]
pub(crate) struct Timer {
    id: JsValue,
    /// Alive as long as the browser may call it.
    _task: Closure<dyn FnMut()>,
}

impl Timer {
    /// Runs `task` once, `after_ms` from now.
    pub(crate) fn new(after_ms: u32, task: impl FnOnce() + 'static) -> Self {
        let task = Closure::once(task);
        let id = global("setTimeout")
            .and_then(|set| set.call2(&JsValue::NULL, task.as_ref(), &after_ms.into()))
            .unwrap_or(JsValue::UNDEFINED);
        Self { id, _task: task }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let cleared =
            global("clearTimeout").and_then(|clear| clear.call1(&JsValue::NULL, &self.id));
        drop(cleared); // There is nothing to do about a browser without timers.
    }
}

/// A function of the global scope, a worker's or any other's.
fn global(name: &str) -> Result<Function, JsValue> {
    Reflect::get(&js_sys::global(), &name.into())?.dyn_into()
}
