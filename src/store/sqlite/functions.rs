//! What queries ask of rows that SQLite itself does not know.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Error};

use super::{SqlError, extra};
use crate::store::filter::{Filter, Pattern};
use crate::workflow::exact_json::read;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `volley_matches(query, document, extra)`: whether a document matches a query in MongoDB's language.
/// Where it was copied, `extra` is what the columns do not say of it.
///
/// `volley_like(regex, text)`: whether a regular expression is found.
pub fn register(connection: &Connection) -> Result<(), SqlError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("volley_matches", 3, flags, matches)?;
    connection.create_scalar_function("volley_like", 2, flags, like)?;
    Ok(())
}

fn matches(context: &Context<'_>) -> Result<bool, Error> {
    // Read once for all rows.
    let filter = context.get_or_create_aux(0, |query| -> Result<_, Failure> {
        let query = read(query.as_str()?)?;
        Ok(Filter::parse(&query)?)
    })?;
    let document = read(text(context, 1)?).map_err(broken)?;
    match <Option<String>>::column_result(context.get_raw(2))? {
        None => Ok(filter.matches(&document)),
        Some(beside) => Ok(filter.matches(&extra::restore(document, &read(&beside).map_err(broken)?))),
    }
}

fn like(context: &Context<'_>) -> Result<bool, Error> {
    let pattern =
        context.get_or_create_aux(0, |regex| -> Result<_, Failure> { Ok(Pattern::new(regex.as_str()?, "")?) })?;
    Ok(pattern.is_in(text(context, 1)?))
}

fn text<'a>(context: &'a Context<'_>, argument: usize) -> Result<&'a str, Error> {
    context.get_raw(argument).as_str().map_err(|error| Error::UserFunctionError(error.into()))
}

fn broken(reason: String) -> Error {
    Error::UserFunctionError(format!("a row holds no document: {reason}").into())
}
