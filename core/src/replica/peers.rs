//! A replica's side of its conversations: what peers send, and what they are sent.

use automerge::{Change, ChangeHash};

use super::{Effect, Replica, push_changed};
#[cfg(feature = "fan-out")]
use crate::fan_out::Round;
use crate::id::PeerId;
use crate::limits::EPHEMERAL_SENDERS_MAX;
use crate::session::{Cause, Session};
use crate::time::Millis;
use crate::wire::Frame;

impl Replica {
    /// A connection stands.
    pub(super) fn connected(&mut self, peer: PeerId, session: Session) {
        #[cfg(feature = "fan-out")]
        let session = {
            self.part_from(&peer);
            self.last_session += 1;
            session.numbered(self.last_session)
        };
        self.sessions.insert(peer, Box::new(session));
    }

    /// A frame about this document arrived.
    pub(super) fn received(
        &mut self,
        now: Millis,
        peer: PeerId,
        frame: Frame,
        effects: &mut Vec<Effect>,
    ) {
        match frame {
            Frame::Request { data, .. } | Frame::Sync { data, .. } => {
                self.synced(now, peer, &data, effects);
            }
            Frame::Ephemeral {
                document,
                sender,
                target: _,
                count,
                session,
                data,
            } => {
                let last = self.presence.get(&(sender.clone(), session.clone()));
                if sender == self.config.peer || last.is_some_and(|last| *last >= count) {
                    return;
                }
                if self.presence.len() >= EPHEMERAL_SENDERS_MAX {
                    self.presence.clear(); // A message may be relayed twice; none is lost.
                }
                self.presence
                    .insert((sender.clone(), session.clone()), count);
                for (other, open) in self.sessions.iter().map(|(id, s)| (id, s.is_open())) {
                    if open && *other != peer && *other != sender {
                        let frame = Frame::Ephemeral {
                            document,
                            sender: sender.clone(),
                            target: other.clone(),
                            count,
                            session: session.clone(),
                            data: data.clone(),
                        };
                        effects.push(Effect::Send {
                            peer: other.clone(),
                            frame,
                        });
                    }
                }
                effects.push(Effect::Presence { sender, data });
            }
            Frame::DocUnavailable { .. } => effects.push(Effect::Unavailable { peer }),
            _ => {} // The rest is about connections, not documents; what is unknown is ignored.
        }
    }

    fn synced(&mut self, now: Millis, peer: PeerId, data: &[u8], effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            let reason = "a sync message came before the connection was announced".to_owned();
            let cause = Cause::Protocol;
            effects.push(Effect::Close {
                peer,
                reason,
                cause,
            });
            return;
        };
        let (changes, outcome) = session.receive(&mut self.document, &mut self.arrivals, data);
        #[cfg(feature = "fan-out")]
        let from = Some(session.number());
        #[cfg(not(feature = "fan-out"))]
        let from = None;
        self.note(&changes, from);
        // Also after a refusal: what came before it in the message may be in.
        if !changes.is_empty() {
            let keys = self.document.take_in(&changes);
            self.persist(&changes, Vec::new(), effects);
            push_changed(effects, keys.into_iter().collect(), false);
        }
        self.hear_server(effects);
        if let Err(error) = outcome {
            self.part_from(&peer);
            let (reason, cause) = (error.to_string(), error.cause());
            effects.push(Effect::Close {
                peer,
                reason,
                cause,
            });
            return;
        }
        // Of changes, all hear when they are durable; else there is news for this peer only.
        self.speak_to(now, &peer, effects);
    }

    /// Goes on with the conversations of `failed`, which may not be asked any more, as far as
    /// `stays` holds for the peer: histories are compared anew with each. Follow it with
    /// [`Input::Tick`](super::Input::Tick). What peers send is tried on a copy for a while.
    ///
    /// This replica holds all that is durable, and so all that `failed` told anybody.
    #[cfg(feature = "fan-out")]
    pub fn go_on_from(&mut self, failed: Self, stays: impl Fn(&PeerId) -> bool) {
        self.last_session = failed.last_session;
        self.presence = failed.presence;
        self.arrivals = failed.arrivals;
        self.arrivals.be_careful();
        for (peer, mut session) in failed.sessions {
            if stays(&peer) {
                session.lose();
                self.sessions.insert(peer, session);
            } else {
                self.arrivals.leave(session.number());
            }
        }
    }

    /// Forgets the conversation with `peer`.
    pub(super) fn part_from(&mut self, peer: &PeerId) {
        let _session = self.sessions.remove(peer);
        #[cfg(feature = "fan-out")]
        if let Some(session) = _session {
            self.arrivals.leave(session.number());
        }
    }

    /// Learns from what the server advertises which of our changes are on its disk.
    fn hear_server(&mut self, effects: &mut Vec<Effect>) {
        let advertised: Vec<ChangeHash> = self
            .sessions
            .values()
            .filter(|session| session.server)
            .filter_map(|session| session.their_heads())
            .flatten()
            .copied()
            .collect();
        let known: Vec<ChangeHash> = advertised
            .iter()
            .filter(|hash| self.document.has(&[**hash]))
            .copied()
            .collect();
        let news = known.iter().any(|hash| !self.server_heads.contains(hash));
        if news {
            if known.len() == advertised.len() {
                self.server_heads.clone_from(&known);
            } else {
                self.server_heads.extend(known);
            }
            self.server_heads.sort_unstable();
            self.server_heads.dedup();
            effects.push(Effect::ServerHas {
                heads: self.server_heads.clone(),
            });
        }
    }

    /// Sends what peers should hear, if all that it is made of is durable.
    pub(super) fn speak(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.speak_where(now, None, effects);
    }

    /// Sends what `peer` should hear, if all that it is made of is durable.
    pub(super) fn speak_to(&mut self, now: Millis, peer: &PeerId, effects: &mut Vec<Effect>) {
        self.speak_where(now, Some(peer), effects);
    }

    fn speak_where(&mut self, now: Millis, only: Option<&PeerId>, effects: &mut Vec<Effect>) {
        if self.durable < self.seq {
            return;
        }
        #[cfg(feature = "fan-out")]
        let heads = self.document.heads();
        #[cfg(feature = "fan-out")]
        let mut round = Round::new(&self.log, &heads);
        #[cfg(not(feature = "fan-out"))]
        let _ = now;
        let is_new = self.document.is_new();
        let mut say = |peer: &PeerId, session: &mut Session| {
            let opening = session.is_opening();
            #[cfg(feature = "fan-out")]
            let data = session.next_message(now, &self.document, &self.arrivals, &mut round);
            #[cfg(not(feature = "fan-out"))]
            let data = session.next_message(&self.document);
            let Some(data) = data else { return };
            let (document, sender, target) =
                (self.config.document, self.config.peer.clone(), peer.clone());
            let frame = if opening && is_new {
                Frame::Request {
                    document,
                    sender,
                    target,
                    data,
                }
            } else {
                Frame::Sync {
                    document,
                    sender,
                    target,
                    data,
                }
            };
            let peer = peer.clone();
            effects.push(Effect::Send { peer, frame });
        };
        match only {
            Some(peer) => {
                if let Some(session) = self.sessions.get_mut(peer) {
                    say(peer, session);
                }
            }
            None => (self.sessions.iter_mut()).for_each(|(peer, session)| say(peer, session)),
        }
    }

    /// Notes changes for peers that follow: they came from session `from`, or were made here.
    pub(super) fn note(&mut self, changes: &[Change], from: Option<u64>) {
        #[cfg(feature = "fan-out")]
        self.log.add(changes, from);
        #[cfg(not(feature = "fan-out"))]
        let _ = (changes, from);
    }
}
