//! How is a number of credits read?

use super::{CREDITS_MAX, reading::Node};
use domain::amount::Credits;

/// A number of credits, at least `least`.
pub(super) fn read_credits(node: &Node<'_>, least: i64) -> Option<Credits> {
    node.integer(least..=CREDITS_MAX).and_then(Credits::new)
}
