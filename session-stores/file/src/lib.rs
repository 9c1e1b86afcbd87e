//! Sessions in files: atomic, durable, private, locked across processes.
