//! `alignment-curves`: a metric against the alignment.

use super::{Kind, LEARNING_CURVES};
use crate::spec::FigureSpec;

/// Learning curves over α in place of n.
pub static ALIGNMENT_CURVES: Kind = Kind {
    name: "alignment-curves",
    title: "Alignment curves",
    help: "A metric against the alignment",
    caption: "A curve per size of the sample.",
    needs: &[("alignment", 3)],
    reads: LEARNING_CURVES.reads,
    shows: LEARNING_CURVES.shows,
    draw: |sources, spec| {
        let spec = FigureSpec { x: Some("alignment".to_owned()), ..spec.clone() };
        (LEARNING_CURVES.draw)(sources, &spec)
    },
};
