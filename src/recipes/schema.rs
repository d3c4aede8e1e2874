//! Parameters that recipes share, by quacc's names and with its defaults. An unknown key is an error
//! that names the nearest known one.

use serde_json::{Map, Value};

use super::error::Result;
use crate::science::fields::Fields;

/// `calc_params`: what EMT can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalcParams {
    /// A cutoff fitted to the elements present.
    pub asap_cutoff: bool,
}

impl CalcParams {
    pub(super) fn of(value: Option<&Value>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::default()) };
        let fields = Fields::of(value, "calc_params", &["asap_cutoff"])?;
        Ok(Self { asap_cutoff: fields.flag("asap_cutoff")?.unwrap_or(false) })
    }
}

/// `additional_fields`: merged into the document last.
pub(super) fn additional_fields(fields: &Fields) -> Result<Map<String, Value>> {
    Ok(fields.object("additional_fields")?.cloned().unwrap_or_default())
}
