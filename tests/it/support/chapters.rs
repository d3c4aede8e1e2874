//! Tests that are the same on every store.

/// Runs every chapter on a launchpad of its own.
macro_rules! chapters {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::support::Launchpad::sqlite()); })*
        }
        mod mongo {
            $(#[test] fn $name() {
                if let Some(launchpad) = crate::support::Launchpad::mongo() { super::$name(&launchpad); }
            })*
        }
    };
}

pub(crate) use chapters;
