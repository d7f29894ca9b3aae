//! A panic becomes a line of the log, because the trap that ends it carries no words.

use crate::bindings::stead::host::log;

/// Sends the message and place of a panic to the operator.
pub(crate) fn report() {
    std::panic::set_hook(Box::new(|panic| {
        let words = panic
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a value that is no text");
        let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
        // A line of the log is one line, and a message often has more: that of `assert_eq!` has three.
        format!("panicked{place}: {words}").lines().for_each(|line| log::log(log::Level::Error, line));
    }));
}
