//! A bar on a terminal: how far, how fast, how long still.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::stderr;

/// How often it is drawn in a second, at most.
const HZ: u8 = 5;

/// A bar of so many; without a total it only counts. `None` where stderr is no terminal.
pub(crate) fn bar(total: Option<u64>, template: &str) -> Option<ProgressBar> {
    if !io::stderr().is_terminal() || stderr::write_aside(stderr::dropped).is_err() {
        return None;
    }
    let terminal = Box::new(Terminal::default());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::term_like_with_hz(terminal, HZ));
    Some(
        bar.with_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        ),
    )
}

/// The terminal, which may have been stopped: what is drawn is collected and written aside, so that nobody waits for it.
#[derive(Debug, Default)]
struct Terminal {
    drawn: Mutex<String>,
}

impl Terminal {
    fn drawn(&self) -> MutexGuard<'_, String> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, text: &str) -> io::Result<()> {
        self.drawn().push_str(text);
        Ok(())
    }

    fn go(&self, n: usize, way: char) -> io::Result<()> {
        // Zero stands for one.
        if n == 0 { Ok(()) } else { self.put(&format!("\x1b[{n}{way}")) }
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.put(line)?;
        self.put("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        stderr::draw(std::mem::take(&mut *self.drawn()).as_bytes());
        Ok(())
    }
}

/// Columns and lines.
fn size() -> (u16, u16) {
    terminal_size::terminal_size_of(io::stderr())
        .map_or((80, 24), |(width, height)| (width.0.max(1), height.0.max(1)))
}
