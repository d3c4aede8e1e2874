//! A relaxation that did not converge goes on from its last geometry when it is run again, as long as
//! what it is given has not changed.

use bson::{Bson, Document};
use tracing::info;

use super::super::Run;
use crate::recipes;
use crate::science::Atoms;
use crate::science::io::mson::from_mson;
use crate::workflow::json;

/// Where a failed relaxation notes, in its details, what it had been given.
const GIVEN: &str = "given_id";

/// The error of a relaxation that was given the structure of this id, so that [`last_geometry`]
/// recognises it.
pub fn noted(mut error: recipes::Error, given_id: Option<&str>) -> recipes::Error {
    if let (recipes::Error::NotConverged { document, .. }, Some(given_id)) = (&mut error, given_id) {
        document[GIVEN] = given_id.into();
    }
    error
}

/// Where an earlier run of this firework got to from the structure of this id, if it did not converge.
pub fn last_geometry(run: &Run<'_>, given_id: &str) -> Option<Atoms> {
    let action = (run.previous)()?.action?;
    let within = |document: &Document, key: &str| document.get_document(key).ok().cloned();
    let details =
        ["stored_data", "_exception", "_details"].iter().try_fold(action, |outer, key| within(&outer, key))?;
    let is_same = details.get_str(GIVEN).ok() == Some(given_id);
    let last = is_same.then(|| from_mson(&json::from_bson(details.get("atoms").unwrap_or(&Bson::Null))).ok())??;
    info!("The earlier run did not converge: going on from its last geometry.");
    Some(last)
}
