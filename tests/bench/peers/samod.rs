//! A server made of samod, to be measured beside ours: one document, files in the folder that is
//! named as argument, one WebSocket path.
//!
//! It says in one line of JSON where it listens and what its document is called.

use std::io::Write as _;
use std::process::ExitCode;

use automerge::transaction::Transactable as _;
use automerge::{Automerge, ObjType, ROOT};
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::get;
use samod::Repo;
use samod::storage::TokioFilesystemStorage;
use tokio::net::TcpListener;

/// What cargo built.
const LOCK: &str = include_str!("../../../Cargo.lock");

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("samod-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("it needs a folder to keep its documents in")?;
    let repo = Repo::build_tokio()
        .with_storage(TokioFilesystemStorage::new(folder))
        .load()
        .await;
    let document = repo.create(first_version()?).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let acceptor = repo.make_acceptor(url.parse()?)?;
    let accept = move |upgrade: WebSocketUpgrade| {
        let acceptor = acceptor.clone();
        async move {
            upgrade.on_upgrade(async move |socket| {
                if acceptor.accept_axum(socket, None).is_err() {
                    eprintln!("samod-peer: the repo has stopped");
                }
            })
        }
    };
    let ready = serde_json::json!({
        "url": url,
        "document": document.document_id().to_string(),
        "version": version(),
    });
    writeln!(std::io::stdout(), "{ready}")?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _unchanged = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/", get(accept))).await?;
    Ok(())
}

/// The version of samod that this was built with.
fn version() -> &'static str {
    let (_, from) = LOCK.split_once("name = \"samod\"").unwrap_or_default();
    from.split('"').nth(1).unwrap_or("unknown")
}

/// The document with nothing but an empty list of jobs.
fn first_version() -> Result<Automerge, Failure> {
    let mut document = Automerge::new();
    let mut transaction = document.transaction();
    transaction.put_object(ROOT, "jobs", ObjType::Map)?;
    transaction.commit();
    Ok(document)
}
