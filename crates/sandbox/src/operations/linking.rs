//! What happens when somebody opens a payment link, types in a code, or takes more of something?

use crate::{
    call::{Call, ObjectMetadata, Params},
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{checkout::CheckoutStatus, payment_link::PaymentLink},
};

use serde_json::{Value, json};

use super::{by_code, open_checkout};

impl SandboxState {
    pub fn make_link(
        &mut self,
        items: &[(String, i64)],
        metadata: ObjectMetadata,
        allow_promotion_codes: bool,
    ) -> Result<String, SandboxFailure> {
        for (price, _) in items {
            self.store.prices.get(price).map_err(|failure| failure.status(400))?;
        }
        let id = self.store.ids.make("plink");
        let items = items.to_vec();
        let link =
            PaymentLink { id: id.clone(), created: self.store.now, items, metadata, allow_promotion_codes };
        let object = link.render(&self.store);
        self.store.links.put(link);
        self.emit("payment_link.created", object);
        Ok(id)
    }

    /// The link's metadata is the session's; nobody is known by it but whom the address names.
    pub fn open_link(&mut self, id: &str, reference: Option<&str>) -> Result<String, SandboxFailure> {
        let link = self.store.links.get(id)?.clone();
        let recurring =
            |price: &String| self.store.prices.find(price).is_some_and(|price| price.recurring.is_some());
        let mode =
            if link.items.iter().any(|(price, _)| recurring(price)) { "subscription" } else { "payment" };
        let lines: Vec<Value> = link
            .items
            .iter()
            .map(|(price, quantity)| json!({ "price": price, "quantity": quantity }))
            .collect();
        let mut asked = json!({
            "mode": mode,
            "line_items": lines,
            "metadata": link.metadata,
            "success_url": format!("{}/", self.store.origin),
            "allow_promotion_codes": link.allow_promotion_codes,
        });
        if let (Some(reference), Some(asked)) = (reference, asked.as_object_mut()) {
            asked.insert("client_reference_id".to_owned(), json!(reference));
        }
        let params = Params(asked.as_object().cloned().unwrap_or_default());
        let session = open_checkout(self, &Call { ids: Vec::new(), params })?;
        self.store.sessions.get_mut(&session)?.payment_link = Some(id.to_owned());
        Ok(session)
    }

    /// A code that a person types in.
    pub fn enter_code(&mut self, session: &str, code: &str) -> Result<(), SandboxFailure> {
        let takes = self.store.sessions.get(session)?.allow_promotion_codes == Some(true);
        if !takes {
            return Err(SandboxFailure::invalid("This page takes no promotion codes."));
        }
        let redeemed = by_code(self, code)?;
        self.store.sessions.get_mut(session)?.discounts = vec![redeemed];
        Ok(())
    }

    /// Another quantity, where it may be changed.
    pub fn adjust_quantity(
        &mut self,
        session: &str,
        place: usize,
        quantity: i64,
    ) -> Result<(), SandboxFailure> {
        let row = self.store.sessions.get_mut(session)?;
        let open = row.status == CheckoutStatus::Open;
        let item = row.items.get_mut(place).filter(|_| open);
        let bounds = item.as_ref().and_then(|item| item.adjustable);
        match item {
            Some(item) if item.quantity == quantity => Ok(()),
            Some(item) if bounds.is_some_and(|(least, most)| (least..=most).contains(&quantity)) => {
                item.quantity = quantity;
                Ok(())
            }
            Some(_) | None => Err(SandboxFailure::invalid("This quantity cannot be chosen here.")),
        }
    }
}
