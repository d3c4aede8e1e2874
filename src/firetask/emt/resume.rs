//! A relaxation that did not converge goes on from its last geometry when it is run again, as long as
//! what it is given has not changed.

use bson::{Bson, Document};
use tracing::info;

use super::super::Run;
use crate::recipes::{self, structure_id};
use crate::science::Atoms;
use crate::science::io::mson::from_mson;
use crate::workflow::json;

/// Where a failed relaxation notes, in its details, what it had been given.
const GIVEN: &str = "given_id";

/// The error of a relaxation of `given`, so that [`last_geometry`] recognises it.
pub fn noted(mut error: recipes::Error, given: &Atoms) -> recipes::Error {
    if let recipes::Error::NotConverged { document, .. } = &mut error {
        document[GIVEN] = structure_id(given).into();
    }
    error
}

/// Where an earlier run of this firework got to from `given`, if it did not converge.
pub fn last_geometry(run: &Run<'_>, given: &Atoms) -> Option<Atoms> {
    let action = (run.previous)()?.action?;
    let within = |document: &Document, key: &str| document.get_document(key).ok().cloned();
    let details =
        ["stored_data", "_exception", "_details"].iter().try_fold(action, |outer, key| within(&outer, key))?;
    if details.get_str(GIVEN).ok()? != structure_id(given) {
        return None;
    }
    let last = from_mson(&json::from_bson(details.get("atoms").unwrap_or(&Bson::Null))).ok()?;
    info!("The earlier run did not converge: going on from its last geometry.");
    Some(last)
}
