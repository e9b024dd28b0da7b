//! Whether there is a terminal, how wide it is, and colors for it.

#[cfg(unix)]
use std::io::stdin;
use std::io::{IsTerminal, stderr, stdout};

/// Where something is shown, and whether that place takes colors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colors: bool,
    width: usize,
}

/// Whether whoever read standard output has closed it.
pub(crate) fn output_is_closed() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let out = stdout();
        // Errors are told, whatever is asked for.
        let mut asked = [PollFd::new(&out, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let closed = PollFlags::ERR | PollFlags::HUP;
        poll(&mut asked, Some(&at_once)).is_ok() && asked[0].revents().intersects(closed)
    }
    #[cfg(not(unix))]
    false
}

/// Whether anything comes on standard input within a moment, be it its end. Whoever started the command may hold a pipe
/// open in which nothing will ever come.
pub(crate) fn input_comes() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let input = stdin();
        let mut asked = [PollFd::new(&input, PollFlags::IN)];
        let a_moment = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
        poll(&mut asked, Some(&a_moment)).is_ok_and(|ready| ready > 0)
    }
    #[cfg(not(unix))]
    true
}

/// Columns of what is no terminal.
const PLAIN_WIDTH: usize = 140;

impl Style {
    /// The style of standard output.
    pub(crate) fn stdout() -> Self {
        Self::of(stdout().is_terminal())
    }

    /// No colors, whatever there is.
    pub(crate) fn plain() -> Self {
        Self::of(false)
    }

    /// The style of standard error.
    pub(crate) fn stderr() -> Self {
        Self::of(stderr().is_terminal())
    }

    fn of(terminal: bool) -> Self {
        if !terminal {
            return Self { colors: false, width: PLAIN_WIDTH };
        }
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        Self { colors: colors_wanted(), width }
    }

    /// Whether colors are shown.
    pub(crate) fn colors(self) -> bool {
        self.colors
    }

    /// Columns.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// The text in a color, where colors are shown.
    pub(crate) fn paint(self, color: Color, text: &str) -> String {
        if self.colors && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", color.code())
        } else {
            text.to_owned()
        }
    }
}

fn colors_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What a color says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Color {
    /// Of less weight.
    Dim,
    /// A part that matched.
    Hit,
    /// A name.
    Name,
    /// A heading.
    Strong,
}

impl Color {
    fn code(self) -> &'static str {
        match self {
            Self::Dim => "2",
            Self::Hit => "1;33",
            Self::Name => "36",
            Self::Strong => "1",
        }
    }
}

/// The text in one line: every run of white space and control characters is one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.ends_with(' ') && !line.is_empty() {
                line.push(' ');
            }
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Columns that a text takes in a terminal.
pub(crate) fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// The text cut to so many columns, with `…` where something was cut.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        if columns(&text[..next]) >= width {
            break;
        }
        end = next;
    }
    format!("{}…", &text[..end])
}

/// The text cut or filled up to so many columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let mut text = fit(text, width);
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(&text))));
    text
}

/// `1,234,567`
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("東京タワー", 5), "東京…");
        assert_eq!(pad("東京", 6), "東京  ");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(one_line("  a\n\n b\u{7}c "), "a b c");
    }
}
