//! Two clients of one document, for tests in other languages: samod's, and our own engine.
//!
//! ```text
//! peers ws://127.0.0.1:8787/sync 4GYGXFruTre9uAKuT9oPQfscdW3N
//! > ready                                       both have the document
//! < samod a16463…      < ours a16463…           sends this presence message, CBOR in hex
//! > samod a16463…      > ours a16463…           that client heard this one
//! ```
//!
//! It ends with its input, or with the server.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use plainsync_core::id::DocumentId;
use plainsync_tests::home::PATIENCE;
use plainsync_tests::samod_client::Client;
use plainsync_tests::tab::Tab;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::Instant;

/// Longest wait for a frame before input is looked at.
const LISTEN: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(id)) = (arguments.next(), arguments.next()) else {
        panic!("it takes the address of a server and the id of a document");
    };
    let client = Client::connect(&url, "samod").await;
    let handle = client.find(&id).await.expect("the document");
    let mut of_samod = Box::pin(handle.ephemera());
    let mut tab = Tab::new(DocumentId::from_text(&id).expect("an id"), 1);
    assert!(tab.connect(&url).await, "our own client is welcomed");
    let heads = handle.with_document(|document| document.get_heads());
    let give_up = Instant::now() + PATIENCE;
    while !tab.replica().document().has(&heads) {
        assert!(tab.listen(LISTEN).await && Instant::now() < give_up);
    }
    say("ready");
    let mut orders = lines();
    let mut heard = 0;
    // One after the other: an engine that is interrupted in a step could lose a frame.
    'work: loop {
        loop {
            match orders.try_recv() {
                Ok(order) => match order.split_once(' ') {
                    Some(("samod", hex)) => handle.broadcast(from_hex(hex)),
                    Some(("ours", hex)) => tab.announce(from_hex(hex)).await,
                    _ => panic!("no order: {order}"),
                },
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => break 'work,
            }
        }
        while let Some(message) = of_samod.next().now_or_never() {
            say(&format!("samod {}", to_hex(&message.expect("it runs"))));
        }
        if !tab.listen(LISTEN).await {
            break;
        }
        for (_, data) in &tab.presence()[heard..] {
            say(&format!("ours {}", to_hex(data)));
        }
        heard = tab.presence().len();
    }
    client.stop().await;
}

/// The lines of the input as they come.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("somebody reads it");
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    bytes.map(|byte| byte.expect("hex")).collect()
}
