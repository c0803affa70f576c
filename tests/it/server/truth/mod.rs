//! Do credits follow from the facts also when the server is told of them, in any order?

mod convergence;
