//! Observations of `/sync`.
