//! How is the portal shown, and what does it offer?

use serde_json::{Value, json};

use super::Shown;
use crate::{
    failure::SandboxFailure,
    store::{
        Store,
        portal::{Configuration, Flow, PortalSession},
        price::SandboxPrice,
        subscription::SandboxSubscription,
    },
};

impl Shown for Configuration {
    fn render(&self, _store: &Store) -> Value {
        json!({
            "id": self.id,
            "object": "billing_portal.configuration",
            "active": self.active,
            "application": null,
            "business_profile": {
                "headline": self.headline,
                "privacy_policy_url": self.privacy_policy_url,
                "terms_of_service_url": self.terms_of_service_url,
            },
            "created": self.created,
            "default_return_url": self.default_return_url,
            "features": self.features(),
            "is_default": self.is_default,
            "livemode": false,
            "login_page": { "enabled": false, "url": null },
            "metadata": self.metadata,
            "name": self.name,
            "updated": self.updated,
        })
    }
}

impl Configuration {
    /// The prices that a subscription may be changed to.
    pub fn choices<'a>(&self, store: &'a Store, row: &SandboxSubscription) -> Vec<&'a SandboxPrice> {
        let offered = |price: &&SandboxPrice| {
            let listed = self.products.iter().any(|(product, prices)| {
                *product == price.product && (prices.is_empty() || prices.contains(&price.id))
            });
            self.products.is_empty() || listed
        };
        let other = |price: &&SandboxPrice| row.items.iter().all(|item| item.price != price.id);
        let possible = |price: &&SandboxPrice| {
            price.active && price.recurring.is_some() && price.currency == row.currency
        };
        store.prices.iter().filter(possible).filter(other).filter(offered).collect()
    }

    fn features(&self) -> Value {
        let product = |(product, prices): &(String, Vec<String>)| json!({ "adjustable_quantity": { "enabled": false, "maximum": null, "minimum": 1 }, "product": product, "prices": prices });
        let conditions: Vec<Value> = self.at_period_end.iter().map(|kind| json!({ "type": kind })).collect();
        json!({
            "customer_update": { "allowed_updates": [], "enabled": false },
            "invoice_history": { "enabled": self.invoice_history },
            "payment_method_update": { "enabled": self.method_update, "payment_method_configuration": null },
            "subscription_cancel": {
                "cancellation_reason": { "enabled": !self.cancel_reasons.is_empty(), "options": self.cancel_reasons },
                "enabled": self.cancel,
                "mode": if self.cancel_at_period_end { "at_period_end" } else { "immediately" },
                "proration_behavior": self.cancel_proration,
            },
            "subscription_update": {
                "billing_cycle_anchor": if self.restarts { "now" } else { "unchanged" },
                "default_allowed_updates": ["price"],
                "enabled": self.update,
                "products": self.products.iter().map(product).collect::<Vec<Value>>(),
                "proration_behavior": self.proration_behavior,
                "schedule_at_period_end": { "conditions": conditions },
                "trial_update_behavior": if self.ends_trial { "end_trial" } else { "continue_trial" },
            },
        })
    }
}

impl PortalSession {
    /// What the session allows: all of the configuration, or only the flow that it was opened for.
    pub fn offers(&self, store: &Store) -> Result<Configuration, SandboxFailure> {
        let configuration = store.configurations.get(&self.configuration)?.clone();
        let Some(Flow { kind, .. }) = &self.flow else { return Ok(configuration) };
        Ok(Configuration {
            cancel: configuration.cancel && kind == "subscription_cancel",
            method_update: configuration.method_update && kind != "subscription_cancel",
            update: configuration.update && kind.starts_with("subscription_update"),
            invoice_history: false,
            ..configuration
        })
    }
}

impl Flow {
    fn render(&self) -> Value {
        let kind = if self.redirect.is_some() { "redirect" } else { "portal_homepage" };
        let confirm = self.confirm.as_ref().map(|confirm| {
            let item = json!({ "id": confirm.item, "price": confirm.price, "quantity": confirm.quantity });
            json!({ "discounts": null, "items": [item], "subscription": confirm.subscription })
        });
        json!({
            "after_completion": {
                "hosted_confirmation": null,
                "redirect": self.redirect.as_ref().map(|url| json!({ "return_url": url })),
                "type": kind,
            },
            "subscription_cancel": self.cancel.as_ref().map(|id| json!({ "retention": null, "subscription": id })),
            "subscription_update": null,
            "subscription_update_confirm": confirm,
            "type": self.kind,
        })
    }
}

impl Shown for PortalSession {
    fn render(&self, store: &Store) -> Value {
        json!({
            "id": self.id,
            "object": "billing_portal.session",
            "configuration": self.configuration,
            "created": self.created,
            "customer": self.customer,
            "flow": self.flow.as_ref().map(Flow::render),
            "livemode": false,
            "locale": self.locale,
            "on_behalf_of": null,
            "return_url": self.return_url,
            "url": format!("{}/portal/{}", store.origin, self.secret),
        })
    }
}
