//! Everything that is logged while something runs, as text to search in.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::service::locked;

/// A log that keeps every level, field and span.
#[derive(Clone, Debug, Default)]
pub struct Logbook(Arc<Mutex<String>>);

impl Logbook {
    /// Everything so far.
    pub fn text(&self) -> String {
        locked(&self.0).clone()
    }

    fn write(&self, record: impl FnOnce(&mut Line<'_>)) {
        record(&mut Line(&mut locked(&self.0)));
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Subscriber for Logbook {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(|line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::instrument::WithSubscriber;

    #[tokio::test]
    async fn events_and_spans_of_every_level_are_kept() {
        let logbook = Logbook::default();
        async {
            let span = tracing::trace_span!("step", connector = "blog");
            span.in_scope(|| tracing::trace!(token = "hunter2", "sent"));
        }
        .with_subscriber(logbook.clone())
        .await;
        let text = logbook.text();
        assert!(text.contains("connector=\"blog\"") && text.contains("token=\"hunter2\"") && text.contains("message=sent"), "{text}");
    }
}
