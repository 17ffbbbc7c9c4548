//! A client that gets the document and then says nothing more, as most tabs do most of the time.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use super::socket::{Socket, connect_from};

use super::repo::RepoClient;
use super::{Client as _, Kind, Ledger, Load, LoadError, Role, Seen};
use crate::peers::Running;

/// Nobody edits.
const NO_LOAD: Load = Load {
    writers: 0,
    readers: 0,
    edits: 0,
    interval: Duration::ZERO,
    actors: 0,
};

/// Puts the first records into the document of `server`.
///
/// # Errors
///
/// Fails if the connection or the server does.
pub(crate) async fn seed(server: &Running) -> Result<(), LoadError> {
    let socket = join(server, "seeder", Role::Seeder, Ipv4Addr::LOCALHOST).await?;
    socket.close().await;
    Ok(())
}

/// Joins from the address `from`, gets the whole document, and returns the connection. Whoever reads
/// of it answers pings.
///
/// # Errors
///
/// Fails if the connection or the server does.
pub(crate) async fn joined(
    server: &Running,
    index: usize,
    from: Ipv4Addr,
) -> Result<Socket, LoadError> {
    join(server, &format!("client-{index}"), Role::Reader, from).await
}

async fn join(
    server: &Running,
    name: &str,
    role: Role,
    from: Ipv4Addr,
) -> Result<Socket, LoadError> {
    let ledger = Arc::new(Ledger::new(NO_LOAD));
    let mut seen = Seen::new(ledger.clone(), role);
    let mut client = RepoClient::new(name, &server.document, role, Kind::Apply, ledger)?;
    let mut socket = Socket::connect_from(&server.url, from).await?;
    let mut out = Vec::new();
    client.open(&mut out)?;
    loop {
        socket.send(&mut out).await?;
        if client.is_ready() {
            return Ok(socket);
        }
        let bytes = socket.next().await?;
        client.receive(&bytes, &mut out, &mut seen)?;
    }
}
