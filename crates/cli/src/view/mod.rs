//! Progress on stderr: a live view on a terminal, plain lines elsewhere, nothing if that is wanted.

mod format;
mod live;
mod plain;
mod recent;
mod shown;

use crate::output::say;
use floodgate_control::watch::Progress;
use floodgate_records::printable::printable;
use live::LiveView;
use plain::PlainView;
pub use shown::{Title, View};
use std::borrow::Cow;

/// The view that fits stderr.
pub fn view(title: &Title, quiet: bool) -> Box<dyn View> {
    let title = &title.printable();
    if quiet {
        Box::new(Printable(Quiet))
    } else if console::user_attended_stderr() {
        Box::new(Printable(LiveView::new(title)))
    } else {
        Box::new(Printable(PlainView::new(title)))
    }
}

/// A view that gets nothing which a terminal would obey: the words of tests, engines and people pass through here.
struct Printable<V>(V);

impl<V: View> View for Printable<V> {
    fn update(&mut self, progress: &Progress) {
        match progress.stopping.as_deref().map(printable) {
            Some(Cow::Owned(stopping)) => self.0.update(&Progress {
                stopping: Some(stopping),
                ..progress.clone()
            }),
            _ => self.0.update(progress),
        }
    }

    fn note(&mut self, text: &str) {
        self.0.note(&printable(text));
    }

    fn close(&mut self) {
        self.0.close();
    }
}

/// Says nothing but what must not be missed.
struct Quiet;

impl View for Quiet {
    fn update(&mut self, _: &Progress) {}
    fn note(&mut self, text: &str) {
        say!("floodgate: {text}");
    }
    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_gets_nothing_that_a_terminal_would_obey() {
        struct Heard(String);
        impl View for Heard {
            fn update(&mut self, progress: &Progress) {
                self.0 += progress.stopping.as_deref().unwrap_or_default();
            }
            fn note(&mut self, text: &str) {
                self.0 += text;
            }
            fn close(&mut self) {}
        }
        let mut view = Printable(Heard(String::new()));
        view.note("a\u{1b}[2J\n");
        view.update(&Progress {
            stopping: Some("\u{9b}b\u{202e}".into()),
            ..plain::example()
        });
        assert_eq!(view.0.0, r"a\u{1b}[2J\n\u{9b}b\u{202e}");
        let title = Title {
            test: "t\u{7}".into(),
            target: "http://x\r".into(),
            id: "1".into(),
            generators: 1,
        };
        let shown = title.printable();
        assert_eq!((&*shown.test, &*shown.target), (r"t\u{7}", r"http://x\r"));
    }
}
