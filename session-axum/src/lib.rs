//! Sessions for axum and tower.
