//! Volley: a FireWorks launchpad in one binary.
#![doc = ""]
