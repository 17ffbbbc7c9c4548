//! One WebSocket: bytes in, bytes out, and why it ended.
//!
//! Dropping it closes it; after that none of its events arrive.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::mpsc::UnboundedSender;
use js_sys::{ArrayBuffer, Uint8Array};
use plainsync_core::limits::FRAME_BYTES_MAX;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::host::Event;

/// Bytes received and not yet handled, at most: past it the connection is cut and tried again later.
const INBOX_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;
/// Bytes that the browser may hold unsent before the connection counts as stuck.
const OUTBOX_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

/// What happens to a socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Opened,
    Received(Vec<u8>),
    /// It is gone; `code` is the protocol's, `reason` the other side's words.
    Closed {
        code: u16,
        reason: String,
    },
}

#[derive(Debug)]
pub(crate) struct Socket {
    socket: WebSocket,
    waiting: Rc<Cell<usize>>,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Begins to connect. Events carry `dial`, so that those of an earlier socket are told apart.
    pub(crate) fn dial(
        url: &str,
        dial: u64,
        events: UnboundedSender<Event>,
    ) -> Result<Self, String> {
        let socket = WebSocket::new(url)
            .map_err(|error| format!("{url} is no address to connect to: {error:?}"))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let waiting = Rc::new(Cell::new(0_usize));

        let tell = events.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || send(&tell, dial, SocketEvent::Opened));
        let tell = events.clone();
        let (held, cut) = (Rc::clone(&waiting), socket.clone());
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let Ok(buffer) = event.data().dyn_into::<ArrayBuffer>() else {
                return; // Text: the protocol knows none, and what is unknown is ignored.
            };
            let length = buffer.byte_length() as usize;
            if length > FRAME_BYTES_MAX || held.get() + length > INBOX_BYTES_MAX {
                drop(cut.close());
                return;
            }
            held.set(held.get() + length);
            send(
                &tell,
                dial,
                SocketEvent::Received(Uint8Array::new(&buffer).to_vec()),
            );
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            send(
                &events,
                dial,
                SocketEvent::Closed {
                    code: event.code(),
                    reason: event.reason(),
                },
            );
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self {
            socket,
            waiting,
            _on_open: on_open,
            _on_message: on_message,
            _on_close: on_close,
        })
    }

    /// A received frame of that length has been handled.
    pub(crate) fn handled(&self, length: usize) {
        self.waiting.set(self.waiting.get().saturating_sub(length));
    }

    /// Sends one frame; `false` when the connection is stuck or gone.
    pub(crate) fn send(&self, frame: &[u8]) -> bool {
        self.socket.buffered_amount() as usize + frame.len() <= OUTBOX_BYTES_MAX
            && self.socket.send_with_u8_array(frame).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        drop(self.socket.close());
    }
}

fn send(events: &UnboundedSender<Event>, dial: u64, event: SocketEvent) {
    // Nobody listens once the tab has closed.
    drop(events.unbounded_send(Event::Socket { dial, event }));
}

/// The socket's address at an http origin.
pub(crate) fn address(server: &str) -> String {
    let rest = server.strip_prefix("http").unwrap_or(server);
    format!("ws{rest}/sync")
}
