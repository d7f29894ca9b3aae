//! How what a long step is at work on reaches whoever watches. It changes nothing, and is kept nowhere.

use std::fmt;
use std::sync::Arc;

/// Tells it; nobody is told where nobody watches.
#[derive(Clone, Default)]
pub struct Doing(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Doing {
    /// Tells by this function.
    pub fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// Tells what is done right now, in a few words.
    pub fn tell(&self, words: String) {
        if let Some(tell) = &self.0 {
            tell(words);
        }
    }
}

impl fmt::Debug for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doing")
    }
}
