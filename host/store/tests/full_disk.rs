//! Files that are damaged, or are not the gateway's.
