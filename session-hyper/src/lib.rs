//! Sessions for hyper, with no framework at all.
