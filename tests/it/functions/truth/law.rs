//! What should an account have? The rules for lines, months, changes and money given back, written down again on the
//! facts of one story, without a look at how the program does it: integers, ratios, and a list of months.

use chrono::{DateTime, Months, Utc};

/// So many months after a time, by the calendar.
pub fn months_after(at: i64, months: u32) -> i64 {
    let at = DateTime::<Utc>::from_timestamp(at, 0).expect("a time");
    at.checked_add_months(Months::new(months)).expect("a time").timestamp()
}

/// A part of a whole, such as a refund of its payment.
pub type Share = (i64, i64);

/// A period that a line pays for.
#[derive(Clone, Debug)]
struct Term {
    start: i64,
    months: u32,
    /// From when on, how many credits a month, and which invoice paid for what is more than before.
    pieces: Vec<(i64, i64, Option<usize>)>,
    /// From when on it gives no more months, and which invoice gave their money back.
    cut: Option<(i64, Option<usize>)>,
    changes: Vec<Change>,
}

/// What a change gives or takes of one month.
#[derive(Clone, Debug)]
struct Change {
    /// Which month, as its number.
    month: u32,
    at: i64,
    /// Until when what it gives can be spent. `None`: until the month ends.
    until: Option<i64>,
    amount: i64,
    /// The invoice that paid for it, or gave money back.
    invoice: Option<usize>,
    /// Whether money came back for what it takes: then what was spent of that is owed.
    is_money: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Law {
    /// Credits that were there from the start, and never end.
    free: i64,
    terms: Vec<Term>,
    /// Of which invoice how much money went back.
    back: Vec<(usize, Share)>,
    /// Credits of a trial, and when they end.
    trial: Option<(i64, i64)>,
}

/// `amount × n ÷ d`, rounded down; never of a negative amount.
fn part(amount: i64, (n, d): Share) -> i64 {
    assert!(amount >= 0 && n >= 0 && d > 0, "{amount} × {n} ÷ {d}");
    i64::try_from(i128::from(amount) * i128::from(n) / i128::from(d)).expect("in bounds")
}

impl Term {
    fn bounds(&self, month: u32) -> (i64, i64) {
        (months_after(self.start, month), months_after(self.start, month + 1))
    }

    fn month_at(&self, at: i64) -> Option<u32> {
        (0..self.months).find(|month| {
            let (start, end) = self.bounds(*month);
            start <= at && at < end
        })
    }

    /// The unused part of the month.
    fn unused(&self, month: u32, at: i64) -> Share {
        let (start, end) = self.bounds(month);
        (end - at, end - start)
    }

    /// Credits a month, as of a time.
    fn monthly(&self, at: i64) -> i64 {
        self.pieces.iter().rfind(|(from, ..)| *from <= at).map_or(0, |(_, monthly, _)| *monthly)
    }
}

impl Law {
    pub fn with(free: i64) -> Self {
        Self { free, ..Self::default() }
    }

    /// A line pays for so many months from `start` on.
    pub fn pay(&mut self, invoice: usize, start: i64, months: u32, monthly: i64) {
        let pieces = vec![(start, monthly, Some(invoice))];
        self.terms.push(Term { start, months, pieces, cut: None, changes: Vec::new() });
    }

    /// From `at` on it is so many credits a month, until the term ends. What is more was paid by `invoice`; what is
    /// less is taken, with an invoice or without one.
    pub fn change(&mut self, at: i64, monthly: i64, invoice: Option<usize>) {
        let term = self.terms.last_mut().expect("a term");
        let month = term.month_at(at).expect("inside of the term");
        let (old, unused) = (term.monthly(at), term.unused(month, at));
        let amount = if monthly >= old { part(monthly - old, unused) } else { -part(old - monthly, unused) };
        term.changes.push(Change { month, at, until: None, amount, invoice, is_money: invoice.is_some() });
        term.pieces.push((at, monthly, invoice));
    }

    /// An upgrade at `at` that an invoice pays only at `paid_at`, which opens a month until `until`.
    pub fn change_paid_later(&mut self, at: i64, monthly: i64, invoice: usize, paid_at: i64, until: i64) {
        let term = self.terms.last_mut().expect("a term");
        let month = term.month_at(at).expect("inside of the term");
        let more = monthly - term.monthly(at);
        let whole_months = i64::from(term.months - month - 1);
        let amount = part(more, term.unused(month, at)) + more * whole_months;
        term.changes.push(Change {
            month,
            at: paid_at,
            until: Some(until),
            amount,
            invoice: Some(invoice),
            is_money: true,
        });
    }

    /// What the last change took is given back.
    pub fn restore(&mut self, at: i64, monthly: i64) {
        let term = self.terms.last_mut().expect("a term");
        let last = term.changes.last().expect("a change").clone();
        assert!(last.amount < 0, "it took something");
        term.changes.push(Change { at, amount: -last.amount, ..last });
        term.pieces.push((at, monthly, None));
    }

    /// The rest of the term is given back: for another one, which the same `invoice` asks for, or for nothing.
    pub fn leave(&mut self, at: i64, invoice: Option<usize>) {
        let term = self.terms.last_mut().expect("a term");
        let Some(month) = term.month_at(at) else { return };
        let amount = -part(term.monthly(at), term.unused(month, at));
        term.changes.push(Change { month, at, until: None, amount, invoice, is_money: true });
        term.cut = Some((at, invoice));
    }

    /// What is after `from`, inside of the running month, is given back now.
    pub fn give_up(&mut self, at: i64, from: i64) {
        let term = self.terms.last_mut().expect("a term");
        let month = term.month_at(from).expect("inside of the term");
        let amount = -part(term.monthly(at), term.unused(month, from));
        term.changes.push(Change { month, at, until: None, amount, invoice: None, is_money: true });
    }

    /// So much of what was paid for an invoice went back.
    pub fn give_back(&mut self, invoice: usize, share: Share) {
        self.back.push((invoice, share));
    }

    pub fn begin_trial(&mut self, credits: i64, end: i64) {
        self.trial = Some((credits, end));
    }

    pub fn end_trial(&mut self, at: i64) {
        self.trial = self.trial.map(|(credits, end)| (credits, end.min(at)));
    }

    pub fn extend_trial(&mut self, to: i64) {
        self.trial = self.trial.map(|(credits, _)| (credits, to));
    }

    /// The part of an amount whose money went back.
    fn undone(&self, invoice: Option<usize>, amount: i64) -> i64 {
        let share = self.back.iter().find(|(back, _)| Some(*back) == invoice).map(|(_, share)| *share);
        share.map_or(0, |share| part(amount, share))
    }

    /// What is left of what an invoice gave or took, after its share went back.
    fn kept(&self, invoice: Option<usize>, amount: i64) -> i64 {
        (amount.abs() - self.undone(invoice, amount.abs())) * amount.signum()
    }

    /// A month that the term was left for gives only what is undone of that.
    fn of_any_month(&self, term: &Term, start: i64, at: i64) -> i64 {
        let whole = self.of_month(term, start, at);
        match term.cut {
            Some((cut, invoice)) if cut <= start && start > term.start => self.undone(invoice, whole),
            _ => whole,
        }
    }

    /// What can be spent at a time by somebody who has spent nothing, where nothing rolls over.
    pub fn available(&self, at: i64) -> i64 {
        let trial = self.trial.filter(|(_, end)| at < *end).map_or(0, |(credits, _)| credits);
        self.free + trial + self.terms.iter().map(|term| self.of_term(term, at)).sum::<i64>()
    }

    /// All that could be spent up to a time, in all months: free, or paid for and not given back.
    pub fn ever(&self, at: i64) -> i64 {
        let of_term = |term: &Term| -> i64 {
            let months = (0..term.months).map(|month| term.bounds(month).0).take_while(|start| *start <= at);
            months.map(|start| self.of_any_month(term, start, at)).sum::<i64>()
                + self.paid_later(term, |change| change.at <= at)
        };
        self.free + self.terms.iter().map(of_term).sum::<i64>()
    }

    /// What was taken by reports alone: of that, nobody owes what was spent.
    pub fn taken_unbilled(&self) -> i64 {
        let changes = self.terms.iter().flat_map(|term| &term.changes);
        changes.filter(|change| !change.is_money && change.amount < 0).map(|change| -change.amount).sum()
    }

    /// How often something was rounded.
    pub fn roundings(&self) -> i64 {
        let changes = self.terms.iter().map(|term| term.changes.len() + 1);
        i64::try_from(changes.sum::<usize>() + self.back.len()).expect("a few")
    }

    fn of_term(&self, term: &Term, at: i64) -> i64 {
        let is_alive = |change: &Change| change.until.is_some_and(|until| change.at <= at && at < until);
        let later = self.paid_later(term, is_alive);
        let Some(month) = term.month_at(at) else { return later };
        let (start, _) = term.bounds(month);
        self.of_any_month(term, start, at) + later
    }

    /// What the month that begins at `start` gives, as of a time: what is in force as it begins, and what changed
    /// inside.
    fn of_month(&self, term: &Term, start: i64, at: i64) -> i64 {
        let base = self.as_it_begins(term, start);
        let inside = term.changes.iter().filter(|change| {
            change.until.is_none() && term.bounds(change.month).0 == start && change.at <= at
        });
        let changed: i64 = inside.map(|change| self.kept(change.invoice, change.amount)).sum();
        (base + changed).max(0)
    }

    /// What is in force when a month begins, before any change at that moment. What an upgrade adds to later months
    /// goes back with the invoice that paid for it.
    fn as_it_begins(&self, term: &Term, start: i64) -> i64 {
        let held =
            term.pieces.iter().enumerate().filter(|(number, (from, ..))| *number == 0 || *from < start);
        let mut before = 0;
        held.map(|(_, (_, monthly, invoice))| {
            self.kept(*invoice, *monthly - std::mem::replace(&mut before, *monthly))
        })
        .sum()
    }

    fn paid_later(&self, term: &Term, counts: impl Fn(&Change) -> bool) -> i64 {
        let later = term.changes.iter().filter(|change| change.until.is_some() && counts(change));
        later.map(|change| self.kept(change.invoice, change.amount)).sum()
    }
}
