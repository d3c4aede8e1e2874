//! Who uses this program, and where: what the history says of its entries.

use std::sync::OnceLock;

/// A person at a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The login name.
    pub user: String,
    /// The host.
    pub host: String,
}

impl Author {
    /// Who runs this process. Where the system has no name for the user, as in some containers, it is
    /// the number.
    pub fn here() -> &'static Author {
        static HERE: OnceLock<Author> = OnceLock::new();
        HERE.get_or_init(|| {
            let number = || format!("uid {}", rustix::process::geteuid().as_raw());
            Author {
                user: whoami::fallible::username().unwrap_or_else(|_| number()),
                host: gethostname::gethostname().to_string_lossy().into_owned(),
            }
        })
    }
}
