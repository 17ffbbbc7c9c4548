//! Connections that delay, lose, double, reorder, cut short and garble what they carry.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use plainsync_core::wire::Frame;

use crate::chance::Chance;

/// A connection between a client and the server, with the frames on their way, as bytes.
#[derive(Default)]
pub(super) struct Link {
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
}

/// All connections.
#[derive(Default)]
pub(super) struct Network {
    links: BTreeMap<usize, Link>,
    /// Clients that cannot reach the server.
    apart: BTreeSet<usize>,
}

/// What comes out of a connection.
pub(super) struct Arrival {
    pub(super) to_server: bool,
    /// What arrives; none if it was lost.
    pub(super) bytes: Option<Vec<u8>>,
    /// The connection breaks with it.
    pub(super) breaks: bool,
}

impl Network {
    pub(super) fn is_connected(&self, client: usize) -> bool {
        self.links.contains_key(&client)
    }

    /// Connects, where nothing stands between. Whether it did.
    pub(super) fn connect(&mut self, client: usize) -> bool {
        let can = !self.apart.contains(&client) && !self.is_connected(client);
        if can {
            self.links.insert(client, Link::default());
        }
        can
    }

    /// Cuts a connection with everything that is on its way. Whether there was one.
    pub(super) fn cut(&mut self, client: usize) -> bool {
        self.links.remove(&client).is_some()
    }

    /// From now on exactly the clients `apart` cannot reach the server.
    pub(super) fn part(&mut self, apart: BTreeSet<usize>) {
        self.apart = apart;
    }

    pub(super) fn send(&mut self, client: usize, to_server: bool, frame: &Frame) {
        if let Some(link) = self.links.get_mut(&client) {
            link.way(to_server).push_back(frame.encode());
        }
    }

    /// Clients that have something on its way, to them or from them.
    pub(super) fn busy(&self) -> Vec<usize> {
        let busy = self
            .links
            .iter()
            .filter(|(_, link)| !link.to_server.is_empty() || !link.to_client.is_empty());
        busy.map(|(client, _)| *client).collect()
    }

    /// The next frame of one of the two ways of `client`'s connection, if one is on its way.
    /// Where there are `faults` it may be lost, come twice, early or damaged.
    pub(super) fn arrive(
        &mut self,
        client: usize,
        chance: &mut Chance,
        faults: bool,
    ) -> Option<Arrival> {
        let link = self.links.get_mut(&client)?;
        let mut to_server = chance.once_in(2);
        if link.way(to_server).is_empty() {
            to_server = !to_server;
        }
        let way = link.way(to_server);
        let what = if faults { chance.below(100) } else { 100 };
        if (4..10).contains(&what) && way.len() > 1 {
            let nth = 1 + chance.below(way.len() as u64 - 1);
            way.swap(0, usize::try_from(nth).unwrap_or(0)); // The first comes later.
        }
        let mut bytes = way.pop_front()?;
        match what {
            0..2 => {
                return Some(Arrival {
                    to_server,
                    bytes: None,
                    breaks: true,
                });
            }
            2..4 => {
                let len = chance.below(bytes.len() as u64);
                bytes.truncate(usize::try_from(len).unwrap_or(0));
            }
            10..16 => {
                // Once more, at any place among those that follow.
                let place = chance.below(way.len() as u64 + 1);
                way.insert(usize::try_from(place).unwrap_or(0), bytes.clone());
            }
            16..18 => {
                let bit = chance.below(bytes.len() as u64 * 8);
                bytes[usize::try_from(bit / 8).unwrap_or(0)] ^= 1 << (bit % 8);
            }
            _ => {}
        }
        // Who garbles one frame is not trusted with another.
        let breaks = (16..18).contains(&what);
        Some(Arrival {
            to_server,
            bytes: Some(bytes),
            breaks,
        })
    }
}

impl Link {
    fn way(&mut self, to_server: bool) -> &mut VecDeque<Vec<u8>> {
        if to_server {
            &mut self.to_server
        } else {
            &mut self.to_client
        }
    }
}
