//! Launches without their results where these are large: who looks at one must not wait for them.

use super::Result;
use crate::workflow::{Launch, LaunchId};

/// The document of a launch is read whole up to so many bytes.
pub const LARGE: u64 = 4_000_000;

/// A launch, perhaps without what it has stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The launch.
    pub launch: Launch,
    /// The bytes of what it has stored, where that is left out but for why it failed.
    pub large: Option<u64>,
}

impl From<Launch> for Brief {
    fn from(launch: Launch) -> Self {
        Brief { launch, large: None }
    }
}

/// The part of a store that reads launches so.
pub trait Briefs {
    /// Launches by id, in the order asked for; those that do not exist are left out.
    fn brief_launches(&self, ids: &[LaunchId]) -> Result<Vec<Brief>>;
}
