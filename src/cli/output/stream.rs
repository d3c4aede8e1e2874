//! Where results go: to standard output, or into a picture of the screen while that is being made.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// The picture that is being made.
static PICTURE: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn picture<T>(act: impl FnOnce(&mut Option<Vec<u8>>) -> T) -> T {
    act(&mut PICTURE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Standard output, as far as results go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_kept = picture(|picture| picture.as_mut().map(|kept| kept.extend_from_slice(bytes)).is_some());
        if is_kept { Ok(bytes.len()) } else { io::stdout().lock().write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

/// What `act` prints, instead of printing it; and what it returns.
pub fn kept<T>(act: impl FnOnce() -> T) -> (String, T) {
    picture(|picture| *picture = Some(Vec::new()));
    let returned = act();
    let bytes = picture(Option::take).unwrap_or_default();
    (String::from_utf8_lossy(&bytes).into_owned(), returned)
}

/// Whether a person looks at the results.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How wide the terminal is; none where there is no terminal, or it does not say.
pub fn width() -> Option<usize> {
    size().map(|(columns, _)| columns)
}

/// Its columns and lines.
pub fn size() -> Option<(usize, usize)> {
    let size = is_terminal().then(|| rustix::termios::tcgetwinsize(io::stdout()).ok()).flatten()?;
    (size.ws_col > 0).then_some((usize::from(size.ws_col), usize::from(size.ws_row)))
}
