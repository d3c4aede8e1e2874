//! More of what a job lacked, in the forms in which Slurm takes it.

use bson::Bson;

use crate::workflow::{as_int, duration, int};

/// A Slurm time limit (minutes where it is a number), as `[days-]hours:minutes:seconds`.
pub fn walltime(limit: &Bson, factor: f64) -> Option<Bson> {
    let seconds = match limit {
        Bson::String(text) => match text.parse::<f64>() {
            Ok(minutes) => minutes * 60.0,
            Err(_) => duration::parse(text).ok()?.as_secs_f64(),
        },
        number => as_int(number)? as f64 * 60.0,
    };
    let seconds = (seconds * factor).ceil() as u64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    Some(if days > 0 { format!("{days}-{clock}") } else { clock }.into())
}

/// A Slurm memory size with its unit, as it is.
pub fn mem(size: &Bson, factor: f64) -> Option<Bson> {
    if let Some(megabytes) = as_int(size) {
        return Some(int((megabytes as f64 * factor).ceil() as i64));
    }
    let text = size.as_str()?.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let more = (number.parse::<f64>().ok()? * factor).ceil();
    Some(format!("{more}{unit}").into())
}
