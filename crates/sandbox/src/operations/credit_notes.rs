//! `/v1/credit_notes`

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    billing::crediting::{self, Taken},
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::credit_note::NoteLine,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/credit_notes", create),
    operation("GET", "/v1/credit_notes", list),
    operation("GET", "/v1/credit_notes/{id}", retrieve),
    operation("POST", "/v1/credit_notes/{id}/void", void),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let invoice = params.required("invoice")?.to_owned();
    let mut lines = lines(state, params, &invoice)?;
    let of_lines = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount));
    let refunds = refunds(state, params)?;
    let (refund, credit) = (params.integer("refund_amount"), params.integer("credit_amount"));
    let out_of_band = params.integer("out_of_band_amount");
    let given = [refund, credit, out_of_band].into_iter().flatten();
    let given = given.chain(refunds.iter().map(|(_, amount)| *amount));
    let given = given.fold(0_i64, i64::saturating_add);
    let amount = params.integer("amount").unwrap_or(if of_lines > 0 { of_lines } else { given });
    if lines.is_empty() {
        lines.push(NoteLine {
            id: state.store.ids.make("cnli"),
            amount,
            description: None,
            invoice_line: None,
        });
    }
    let taken = Taken {
        amount,
        refund: refund.unwrap_or(0),
        refunds,
        credit: credit.unwrap_or(0),
        out_of_band: out_of_band.unwrap_or(0),
        lines,
        reason: params.owned("reason"),
        memo: params.owned("memo"),
        metadata: params.metadata("metadata"),
    };
    let id = crediting::take_off(state, &invoice, taken)?;
    Ok(state.store.credit_notes.get(&id)?.render(&state.store))
}

fn lines(state: &mut SandboxState, params: &Params, invoice: &str) -> Result<Vec<NoteLine>, SandboxFailure> {
    let known = state.store.invoices.get(invoice).map_err(|failure| failure.status(400).param("invoice"))?;
    let known = known.lines.clone();
    let mut lines = Vec::new();
    for line in params.list("lines") {
        let of_invoice = line.owned("invoice_line_item");
        let whole = known.iter().find(|known| Some(&known.id) == of_invoice.as_ref());
        if of_invoice.is_some() && whole.is_none() {
            return Err(SandboxFailure::no_such(
                "invoice line item",
                of_invoice.as_deref().unwrap_or_default(),
            ));
        }
        let each = line
            .integer("unit_amount")
            .map(|amount| amount.saturating_mul(line.integer("quantity").unwrap_or(1)));
        let amount = line.integer("amount").or(each).or(whole.map(|line| line.net()));
        lines.push(NoteLine {
            id: state.store.ids.make("cnli"),
            amount: amount.ok_or_else(|| SandboxFailure::missing("lines[0][amount]"))?,
            description: line.owned("description").or_else(|| whole.map(|line| line.description.clone())),
            invoice_line: of_invoice,
        });
    }
    Ok(lines)
}

fn refunds(state: &SandboxState, params: &Params) -> Result<Vec<(String, i64)>, SandboxFailure> {
    let mut refunds = Vec::new();
    for refund in params.list("refunds") {
        let id = refund.required("refund")?;
        let row = state.store.refunds.get(id).map_err(|failure| failure.status(400))?;
        refunds.push((id.to_owned(), refund.integer("amount_refunded").unwrap_or(row.amount)));
    }
    Ok(refunds)
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (invoice, customer) = (call.params.text("invoice"), call.params.text("customer"));
    page(&state.store, &state.store.credit_notes, call, "/v1/credit_notes", |note| {
        invoice.is_none_or(|invoice| note.invoice == invoice)
            && customer.is_none_or(|customer| note.customer == customer)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.credit_notes.get(call.id())?.render(&state.store))
}

fn void(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    crediting::void_note(state, call.id())?;
    retrieve(state, call)
}
