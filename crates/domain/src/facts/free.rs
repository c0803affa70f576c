//! When do the lines of a subscription give a plan that costs nothing?

use super::Facts;
use crate::months::{
    self, KnownInvoice,
    free::{FreeLine, FreeSpans},
};

impl Facts {
    /// The lines of this subscription that give plans which cost nothing.
    pub(crate) fn free_lines(&self) -> Vec<FreeLine> {
        let has_free = |known: &KnownInvoice| known.invoice.lines.iter().any(|line| line.free);
        if self.invoices.iter().any(has_free) {
            months::free::held(&self.own_invoices(), &self.reports)
        } else {
            Vec::new()
        }
    }

    /// Stores when each of these lines gives its plan.
    pub(crate) fn leave_free(&mut self, spans: &FreeSpans) {
        self.free = self.own_spans(spans);
        self.work_out();
    }

    pub(crate) fn is_free_otherwise(&self, spans: &FreeSpans) -> bool {
        self.free != self.own_spans(spans)
    }

    fn own_spans(&self, spans: &FreeSpans) -> FreeSpans {
        let lines = self.invoices.iter().flat_map(|known| &known.invoice.lines);
        let own = lines.filter_map(|line| Some((line.line.clone(), spans.get(&line.line)?.clone())));
        own.collect()
    }
}
