//! When an image is pulled that is here already.

use std::time::Duration;

use super::scalar::span;

const DAY: Duration = Duration::from_secs(86_400);

/// The key `pull_policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capability::compose) enum PullPolicy {
    /// When it is not here.
    Missing,
    Never,
    /// When the registry has another one and it was pulled longer ago than that.
    Every(Duration),
}

impl PullPolicy {
    /// `None`: no policy is called so.
    pub(in crate::capability::compose) fn of(text: Option<&str>) -> Option<Self> {
        Some(match text {
            // What is built is not pulled.
            None | Some("" | "missing" | "if_not_present" | "build") => Self::Missing,
            Some("never") => Self::Never,
            Some("always" | "newer" | "refresh") => Self::Every(Duration::ZERO),
            Some("daily") => Self::Every(DAY),
            Some("weekly") => Self::Every(7 * DAY),
            Some(text) => Self::Every(span(text.strip_prefix("every_").filter(|span| !span.is_empty())?)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_words_of_compose() {
        let every = |text: &str| match PullPolicy::of(Some(text)) {
            Some(PullPolicy::Every(span)) => Some(span.as_secs()),
            _ => None,
        };
        assert_eq!(["always", "daily", "weekly"].map(every), [Some(0), Some(86_400), Some(604_800)]);
        assert_eq!(["every_12h", "every_1w2d", "every_5"].map(every), [Some(43_200), Some(777_600), None]);
        assert_eq!(PullPolicy::of(Some("sometimes")), None);
        assert_eq!(PullPolicy::of(Some("every_")), None);
        assert_eq!(PullPolicy::of(None), Some(PullPolicy::Missing));
    }
}
