//! What does a person see?

use std::sync::Arc;
use axum::Router;
use super::Shared;
pub(super) fn routes() -> Router<Arc<Shared>> { Router::new() }
