//! The verbs as a person gives them: what the launchpad does, with what this host and its queue know, and
//! what is told of it. The commands and the monitor say the same in other words.

pub mod action;
pub mod delete;
mod here;
mod mend;
pub mod priority;
pub mod queue;
pub mod steer;
pub mod told;
pub mod unable;
pub mod words;

pub use here::Here;
pub use mend::{heal, mend};
