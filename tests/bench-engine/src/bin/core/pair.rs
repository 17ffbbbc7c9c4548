//! Two replicas that are connected, by hand: frames go from one to the other when told to.

use std::time::Duration;

use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::samples::timed;
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;

use crate::growth::Writer;

/// A replica as a server has it, and a peer that edits.
pub(crate) struct Pair {
    server: Replica,
    writer: Replica,
}

impl Pair {
    /// Both hold `saved`, know that of each other, and have written before.
    pub(crate) fn new(saved: &[u8]) -> Result<Self, Failed> {
        let mut pair = Self {
            server: replica("server", 0xa1, saved)?,
            writer: replica("writer", 0xa2, saved)?,
        };
        let connect = |peer: &str, dial| -> Result<Input, Failed> {
            let peer = PeerId::new(peer)?;
            Ok(Input::Connected {
                peer,
                dial,
                server: dial,
                ahead: 1,
            })
        };
        let nothing = step(&mut pair.server, connect("writer", false)?)?;
        assert!(nothing.is_empty(), "who was called speaks second");
        let frames = step(&mut pair.writer, connect("server", true)?)?;
        pair.settle(frames)?;
        Ok(pair)
    }

    /// Has the writer make so many edits and send them at once; how long the server takes for
    /// the frame with them, from bytes to merged view and the bytes to keep.
    pub(crate) fn merge(
        &mut self,
        edits: usize,
        next: &mut Writer<'_>,
    ) -> Result<Duration, Failed> {
        let mut last = 0;
        for _ in 0..edits {
            for effect in self.writer.step(Millis(0), Input::Edit(next.next()))? {
                if let Effect::Persist { seq, .. } = effect {
                    last = seq;
                }
            }
        }
        let frames = step(&mut self.writer, Input::Persisted { seq: last })?;
        let [frame] = <[Frame; 1]>::try_from(frames).map_err(|_| "not one frame")?;
        let before = self.server.document().heads();
        let received = Input::Received {
            peer: PeerId::new("writer")?,
            frame,
        };
        let (effects, took) = timed(|| self.server.step(Millis(0), received));
        assert_ne!(
            self.server.document().heads(),
            before,
            "they were in the frame"
        );
        let answers = durable(&mut self.server, effects?)?;
        let mut frames = Vec::new();
        for answer in answers {
            frames.extend(step(&mut self.writer, received_from("server", answer)?)?);
        }
        self.settle(frames)?;
        assert_eq!(
            self.server.document().heads(),
            self.writer.document().heads()
        );
        Ok(took)
    }

    /// Passes frames on, `frames` being the writer's, until there are none.
    fn settle(&mut self, mut frames: Vec<Frame>) -> Result<(), Failed> {
        while !frames.is_empty() {
            let mut answers = Vec::new();
            for frame in frames {
                answers.extend(step(&mut self.server, received_from("writer", frame)?)?);
            }
            frames = Vec::new();
            for answer in answers {
                frames.extend(step(&mut self.writer, received_from("server", answer)?)?);
            }
        }
        Ok(())
    }
}

fn received_from(peer: &str, frame: Frame) -> Result<Input, Failed> {
    let peer = PeerId::new(peer)?;
    Ok(Input::Received { peer, frame })
}

fn replica(name: &str, actor: u8, saved: &[u8]) -> Result<Replica, Failed> {
    let mut replica = Replica::new(ReplicaConfig {
        document: DocumentId::from_random([7; 16]),
        schema: Schema::job_history(),
        device: format!("{actor:016x}").parse()?,
        author: None,
        actor: [actor; 16],
        peer: PeerId::new(name)?,
    });
    replica.restore(&[saved.to_vec()])?;
    Ok(replica)
}

/// The frames that follow from `input`, all of it being durable at once.
fn step(replica: &mut Replica, input: Input) -> Result<Vec<Frame>, Failed> {
    let effects = replica.step(Millis(0), input)?;
    durable(replica, effects)
}

fn durable(replica: &mut Replica, effects: Vec<Effect>) -> Result<Vec<Frame>, Failed> {
    let mut frames = Vec::new();
    for effect in effects {
        match effect {
            Effect::Persist { seq, .. } => frames.extend(step(replica, Input::Persisted { seq })?),
            Effect::Send { frame, .. } => frames.push(frame),
            Effect::Close { reason, .. } => return Err(reason.into()),
            _ => {}
        }
    }
    Ok(frames)
}
