//! Pages, encoded from what lies in the database without opening it.
//!
//! Invariant: what is encoded here is what `protocol::Page` and `protocol::unpack` read; stored bytes and stored
//! projections are copied, never decoded.

use crate::storage::{FeedStep, StepContent, StoredDocument};
use bytes::Bytes;
use minicbor::Encoder;
use shared_model::documents::Kind;
use shared_model::ids::DocumentId;
use shared_model::permissions::Feed;
use shared_model::protocol::{self, Cursor, MAX_FRAME, PAGE_TARGET, Page, ServerMessage};
use std::collections::HashMap;

/// One entry of a page, borrowed from wherever it lies.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    pub(super) document: DocumentId,
    pub(super) schema_version: u16,
    pub(super) content: PieceContent<'a>,
}

#[derive(Debug)]
pub(super) enum PieceContent<'a> {
    Changes(Vec<&'a [u8]>),
    Snapshot {
        bytes: &'a [u8],
        projection_version: u16,
        projection: &'a [u8],
    },
    Revoked,
}

impl<'a> Piece<'a> {
    pub(super) fn snapshot(stored: &'a StoredDocument) -> Self {
        Self {
            kind: stored.kind,
            document: stored.id,
            schema_version: stored.schema_version,
            content: PieceContent::Snapshot {
                bytes: &stored.bytes,
                projection_version: stored.projection_version,
                projection: &stored.projection,
            },
        }
    }

    fn encode(
        &self,
        e: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.array(4)?
            .u8(self.kind.number())?
            .bytes(self.document.bytes())?
            .u16(self.schema_version)?;
        match &self.content {
            PieceContent::Changes(changes) => {
                e.array(2)?.u8(0)?.array(1)?.array(changes.len() as u64)?;
                for change in changes {
                    e.bytes(change)?;
                }
            }
            PieceContent::Snapshot {
                bytes,
                projection_version,
                projection,
            } => {
                e.array(2)?
                    .u8(1)?
                    .array(3)?
                    .bytes(bytes)?
                    .u16(*projection_version)?;
                e.writer_mut().extend_from_slice(projection);
            }
            PieceContent::Revoked => {
                e.array(2)?.u8(2)?.array(0)?;
            }
        }
        Ok(())
    }
}

/// The body of a page, packed.
pub(super) fn body(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(PAGE_TARGET));
    encoder
        .array(pieces.len() as u64)
        .map(drop)
        .and_then(|()| pieces.iter().try_for_each(|piece| piece.encode(&mut encoder)))
        .expect("writing to memory cannot fail");
    protocol::pack_encoded(&encoder.into_writer())
}

/// The whole frame of a page.
pub(super) fn frame(number: u64, cursor: Cursor, body: Vec<u8>) -> Bytes {
    let frame = protocol::encode(&ServerMessage::Page(Page {
        number,
        cursor,
        body: body.into(),
    }));
    if frame.len() > MAX_FRAME {
        tracing::error!(bytes = frame.len(), "a page does not fit into a frame");
    }
    frame.into()
}

/// A stretch of a feed, after `before` and complete up to `reached`, as live pages.
pub(super) fn live_frames(feed: Feed, steps: &[FeedStep], reached: u64, before: u64) -> Vec<Bytes> {
    feed_pages(steps, reached, before)
        .iter()
        .map(|page| frame(0, live_cursor(feed, page.number), body(&page.pieces)))
        .collect()
}

pub(super) fn live_cursor(feed: Feed, number: u64) -> Cursor {
    Cursor {
        feed,
        number,
        bootstrap: None,
    }
}

/// A page's pieces and the feed number up to which they are complete.
pub(super) struct FeedPage<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) number: u64,
}

/// Cuts steps of a feed into pages of about [`PAGE_TARGET`] bytes. A step that is larger than a page is cut between
/// its changes; until its last part the number stays before it, and changes that arrive twice do no harm.
pub(super) fn feed_pages(steps: &[FeedStep], reached: u64, before: u64) -> Vec<FeedPage<'_>> {
    let mut pages = Vec::new();
    let mut page = Open::default();
    let mut complete = before;
    for step in steps {
        match &step.content {
            StepContent::Changes(changes) => {
                for change in changes {
                    page.close_if_full(change.len(), complete, &mut pages);
                    page.add_change(step, change);
                }
            }
            StepContent::Snapshot(stored) => {
                page.close_if_full(stored.size(), complete, &mut pages);
                page.add(step, Piece::snapshot(stored), stored.size());
            }
            StepContent::Revoked => {
                let piece = Piece {
                    kind: step.kind,
                    document: step.document,
                    schema_version: step.schema_version,
                    content: PieceContent::Revoked,
                };
                page.add(step, piece, 32);
            }
        }
        complete = step.number;
    }
    pages.push(FeedPage {
        pieces: page.pieces,
        number: reached,
    });
    pages
}

#[derive(Default)]
struct Open<'a> {
    pieces: Vec<Piece<'a>>,
    size: usize,
    /// The last entry of each document, so that its next change joins it.
    last: HashMap<DocumentId, usize>,
}

impl<'a> Open<'a> {
    fn close_if_full(&mut self, size: usize, complete: u64, pages: &mut Vec<FeedPage<'a>>) {
        if self.size > 0 && self.size + size > PAGE_TARGET {
            let full = std::mem::take(self);
            pages.push(FeedPage {
                pieces: full.pieces,
                number: complete,
            });
        }
    }

    fn add(&mut self, step: &FeedStep, piece: Piece<'a>, size: usize) {
        self.last.insert(step.document, self.pieces.len());
        self.pieces.push(piece);
        self.size += size;
    }

    fn add_change(&mut self, step: &FeedStep, change: &'a [u8]) {
        let last = self
            .last
            .get(&step.document)
            .and_then(|at| self.pieces.get_mut(*at));
        if let Some(Piece {
            content: PieceContent::Changes(changes),
            schema_version,
            ..
        }) = last
        {
            changes.push(change);
            *schema_version = step.schema_version.max(*schema_version);
            self.size += change.len() + 4;
        } else {
            let piece = Piece {
                kind: step.kind,
                document: step.document,
                schema_version: step.schema_version,
                content: PieceContent::Changes(vec![change]),
            };
            self.add(step, piece, change.len() + 32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::documents::{Projection, project};
    use shared_model::ids::ClinicId;
    use shared_model::protocol::{Content, Entry, unpack};
    use uuid::Uuid;

    fn document(number: u128) -> DocumentId {
        DocumentId(Uuid::from_u128(number))
    }

    fn step(number: u64, id: u128, content: StepContent) -> FeedStep {
        FeedStep {
            number,
            document: document(id),
            kind: Kind::Client,
            schema_version: 1,
            content,
        }
    }

    #[test]
    fn devices_read_what_is_encoded_here() {
        let doc = shared_model::documents::Document::genesis(
            Kind::Client,
            ClinicId(Uuid::from_u128(1)),
            document(2),
        );
        let projection = project(&doc);
        let stored = StoredDocument {
            id: document(2),
            kind: Kind::Client,
            schema_version: 1,
            bytes: doc.save(),
            base: 0,
            max_op: 4,
            projection_version: 3,
            projection: protocol::encode(&projection),
        };
        let steps = [
            step(1, 1, StepContent::Changes(vec![vec![1; 3], vec![2; 300]])),
            step(2, 2, StepContent::Snapshot(stored.clone())),
            step(3, 3, StepContent::Revoked),
            step(4, 1, StepContent::Changes(vec![vec![3]])),
        ];
        let pages = feed_pages(&steps, 9, 0);
        assert_eq!(pages.len(), 1);
        assert_eq!(pages[0].number, 9);
        let entry = |id, content| Entry {
            kind: Kind::Client,
            document: document(id),
            schema_version: 1,
            content,
        };
        assert_eq!(
            unpack(&body(&pages[0].pieces)).expect("unpacks"),
            vec![
                entry(
                    1,
                    Content::Changes(vec![vec![1; 3].into(), vec![2; 300].into(), vec![3].into()])
                ),
                entry(
                    2,
                    Content::Snapshot {
                        bytes: stored.bytes.into(),
                        projection_version: 3,
                        projection: projection.clone(),
                    }
                ),
                entry(3, Content::Revoked),
            ]
        );
        assert!(matches!(projection, Projection::Client(_)));
        assert_eq!(body(&[]), protocol::pack(&[]));
    }

    #[test]
    fn a_large_step_is_cut_and_its_number_comes_last() {
        let steps = [
            step(5, 1, StepContent::Changes(vec![vec![1; 100]])),
            step(6, 2, StepContent::Changes(vec![vec![2; PAGE_TARGET / 2]; 4])),
        ];
        let numbers: Vec<u64> = feed_pages(&steps, 7, 4).iter().map(|page| page.number).collect();
        assert_eq!(numbers, [5, 5, 5, 7]);
    }
}
