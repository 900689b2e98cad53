//! patched
