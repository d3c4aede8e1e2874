//! Cuts the pairs of a run into batches of a fixed size, whatever the lengths of its rows, so that
//! vectors are full.

use std::ops::Range;

use crate::science::neighbours::Run;

/// Some pairs of a run, one after the other.
pub(super) struct Batch<'a> {
    run: Run<'a>,
    /// The row that the first pair belongs to.
    row: usize,
    pairs: Range<usize>,
}

/// The pairs of a batch that have the same centre.
pub(super) struct Piece<'a> {
    pub centre: usize,
    pub neighbours: &'a [u32],
    /// The place of the first pair in the batch.
    pub at: usize,
}

/// The batches of `size` pairs, the last one perhaps smaller.
#[inline(always)]
pub(super) fn batches(run: Run<'_>, size: usize) -> impl Iterator<Item = Batch<'_>> {
    let mut row = 0;
    (0..run.neighbours.len()).step_by(size).map(move |first| {
        while run.rows[row].end as usize <= first {
            row += 1;
        }
        Batch { run, row, pairs: first..run.neighbours.len().min(first + size) }
    })
}

impl<'a> Batch<'a> {
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    #[inline(always)]
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'a>> {
        let (run, Range { start: first, end: last }) = (self.run, self.pairs.clone());
        run.rows[self.row..].iter().scan(first, move |start, row| {
            let from = *start;
            *start = last.min(row.end as usize);
            (from < last).then(|| Piece {
                centre: row.point as usize,
                neighbours: &run.neighbours[from..*start],
                at: from - first,
            })
        })
    }
}
