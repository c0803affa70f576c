//! What was invoiced? The page and the PDF file that an invoice links to.

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::{Path, State as Shares},
    http::header,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    super::{failure::SandboxFailure, money, shared::SharedSandbox, state::SandboxState},
    html::{status, table},
    show, wrong,
};

/// The content of an invoice for people: a title, and lines of a text with an amount each.
struct Bill {
    title: String,
    status: &'static str,
    lines: Vec<(String, String)>,
    total: String,
}

fn bill(state: &SandboxState, id: &str) -> Result<Bill, SandboxFailure> {
    let invoice = state.store.invoices.get(id)?;
    // A draft cannot be viewed.
    let number = invoice.number.clone().filter(|_| invoice.finalized_at.is_some());
    let number = number.ok_or_else(|| SandboxFailure::no_such("invoice", id))?;
    let shown = |amount: i64| money::shown(amount, &invoice.currency);
    let lines = invoice.lines.iter().map(|line| (line.description.clone(), shown(line.amount)));
    Ok(Bill {
        title: format!("Invoice {number}"),
        status: invoice.status.as_str(),
        lines: lines.collect(),
        total: shown(invoice.total()),
    })
}

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    match shared.with(|state| bill(state, &id)) {
        Ok(bill) => {
            let rows = bill.lines.iter().map(|(what, amount)| html! { tr { td { (what) } td { (amount) } } });
            let main = html! {
                (status(&format!("This invoice is {}.", bill.status)))
                (table(&["What", "Amount"], rows, "Nothing was billed."))
                p { "Total: " strong { (bill.total) } }
                p { a href={ "/invoices/" (id) "/pdf" } { "Download" } }
            };
            show(&bill.title, &main)
        }
        Err(failure) => wrong(&failure),
    }
}

pub(super) async fn file(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    match shared.with(|state| bill(state, &id)) {
        Ok(bill) => ([(header::CONTENT_TYPE, "application/pdf")], pdf(&bill)).into_response(),
        Err(failure) => wrong(&failure),
    }
}

/// A page of text as PDF 1.4: its objects, a table of their offsets, and where that table begins.
fn pdf(bill: &Bill) -> String {
    let mut text = String::from("BT /F1 12 Tf 16 TL 72 760 Td\n");
    let mut line = |words: &str| {
        let _ = writeln!(text, "({}) Tj T*", literal(words));
    };
    line("Sandbox - this is not Stripe, and no money moves");
    line(&format!("{} ({})", bill.title, bill.status));
    for (what, amount) in &bill.lines {
        line(&format!("{what}: {amount}"));
    }
    line(&format!("Total: {}", bill.total));
    text.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut places = String::from("0000000000 65535 f \n");
    for (object, number) in objects.iter().zip(1..) {
        let _ = writeln!(places, "{:010} 00000 n ", file.len());
        let _ = writeln!(file, "{number} 0 obj\n{object}\nendobj");
    }
    let begin = file.len();
    let count = objects.len().saturating_add(1);
    let _ = write!(
        file,
        "xref\n0 {count}\n{places}trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{begin}\n%%EOF\n"
    );
    file
}

/// The text as a PDF string: brackets and backslashes escaped, and `?` for what is not ASCII.
fn literal(words: &str) -> String {
    let mut literal = String::new();
    for letter in words.chars() {
        match letter {
            '(' | ')' | '\\' => literal.extend(['\\', letter]),
            ' '..='~' => literal.push(letter),
            _ => literal.push('?'),
        }
    }
    literal
}
