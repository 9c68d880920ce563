//! sleeksync.
