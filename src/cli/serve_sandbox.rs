//! `serve --sandbox`: how do the server and the sandbox find each other? They share an address, a secret and a clock.
//!
//! Only this file knows both the catalog and the sandbox: the sandbox sells what the catalog sells, and prices that no
//! setting names get ids that only exist there.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
};

use crate::{
    catalog::Mode,
    clock::Clock,
    config::{Config, LoadedCatalog},
    domain::{
        amount::Money,
        catalog::{Catalog, StripePrice},
    },
    sandbox::{PortalSettings, Sandbox, SandboxKey, SandboxOptions, SeedOffer, Webhook},
    stripe::{
        client::{ApiUrl, SecretKey},
        inbound::signature::WebhookSecret,
        provisioning::setup::DesiredState,
    },
};

use super::{exit::CliFailure, sandbox::sandbox_key};

/// The default address, which `counterfoil sandbox` has, too.
const USUAL_PORT: u16 = 12_111;

fn at_home(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A sandbox whose webhooks a server will accept.
pub(super) struct Sandboxed {
    sandbox: Sandbox,
    secret: String,
}

impl Sandboxed {
    /// Starts a sandbox at `listen`, and makes the settings fit it. By default it is at the usual address of this
    /// machine, or at a free port if that is taken.
    ///
    /// # Errors
    /// In live mode, if others could use it without a key, and if no port is free.
    pub(super) async fn start(
        listen: Option<SocketAddr>,
        key: Option<&str>,
        config: &mut Config,
        catalog: &mut LoadedCatalog,
        clock: Clock,
    ) -> Result<Self, CliFailure> {
        let key = sandbox_key(key, listen.unwrap_or_else(|| at_home(USUAL_PORT)))?;
        if config.mode == Mode::Live {
            return Err(CliFailure::Usage(
                "--sandbox is for trying things out, and the mode is live".to_owned(),
            ));
        }
        let options = |listen: SocketAddr| SandboxOptions {
            listen,
            webhook: None,
            signing_clock: clock.clone(),
            clock: clock.clone(),
        };
        let usual = options(listen.unwrap_or_else(|| at_home(USUAL_PORT)));
        let started = Sandbox::start_behind(usual, key.clone()).await;
        let sandbox = match started {
            Err(error) if listen.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
                Sandbox::start_behind(options(at_home(0)), key.clone()).await
            }
            started => started,
        };
        let sandbox = sandbox.map_err(CliFailure::broken)?;
        sandbox.offer(&offers(&mut catalog.catalog));
        sandbox.offer_portal(&portal(&catalog.catalog));
        let secret = format!("whsec_sandbox{}", uuid::Uuid::new_v4().simple());
        // Configured secrets are for other senders than this sandbox, and are still accepted.
        config.webhook_secrets.add(WebhookSecret::new("sandbox", &secret));
        // A configured key and portal belong to Stripe itself, and are not used here.
        let key = key.as_ref().map_or("sk_test_sandbox", SandboxKey::reveal);
        config.billing.key = SecretKey::parse(key).ok();
        config.billing.portal = None;
        config.sandboxed = true;
        config.billing.url = ApiUrl::parse(&sandbox.url()).map_err(CliFailure::broken)?;
        Ok(Self { sandbox, secret })
    }

    /// From now on, webhooks are sent to the server at `address`.
    pub(super) fn deliver_to(&self, address: SocketAddr) {
        let url = format!("http://{}/v1/webhooks/stripe", super::stripe::reachable(address));
        self.sandbox.deliver_to(Webhook { url, secret: self.secret.clone(), api_version: None });
    }

    pub(super) fn url(&self) -> String {
        self.sandbox.url()
    }

    pub(super) const fn running(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(super) async fn stop(self) {
        self.sandbox.stop().await;
    }
}

/// The portal's configuration, as a setup makes it from the catalog.
fn portal(catalog: &Catalog) -> PortalSettings {
    let wanted = DesiredState::of(catalog, Mode::Test, None, None);
    let plans = catalog.plans.iter().filter(|plan| plan.is_sold());
    let products = plans.filter_map(|plan| {
        let product = plan.prices.iter().find_map(|price| price.stripe.product_id.clone())?;
        let prices = plan.prices.iter().filter_map(|price| price.stripe.sale_id().map(ToOwned::to_owned));
        Some((product, prices.collect()))
    });
    PortalSettings {
        products: products.collect(),
        proration: wanted.proration,
        cancels_at_period_end: wanted.cancellation == "at_period_end",
        less_at_period_end: wanted.less_at_period_end,
    }
}

/// Everything that the catalog sells. Prices without an id get one.
fn offers(catalog: &mut Catalog) -> Vec<SeedOffer> {
    let mut offers = Vec::new();
    for plan in catalog.plans.iter_mut().filter(|plan| plan.is_sold()) {
        let (plan_id, plan_name) = (plan.id.as_str().to_owned(), plan.name.clone());
        for price in &mut plan.prices {
            let interval = price.interval.as_str();
            let name = format!("{plan_id}_{interval}");
            offers.extend(offer(
                &mut price.stripe,
                &price.amount,
                &name,
                (&plan_id, &plan_name),
                Some(interval),
                &BTreeMap::new(),
            ));
        }
    }
    for pack in catalog.packs.iter_mut().filter(|pack| pack.is_sold()) {
        let (id, name) = (pack.id.as_str().to_owned(), pack.name.clone());
        offers.extend(offer(&mut pack.stripe, &pack.price, &id, (&id, &name), None, &as_top_up(&id)));
    }
    offers
}

/// The metadata of a checkout of a pack, so that the pack is granted.
fn as_top_up(pack: &str) -> BTreeMap<String, String> {
    let said = [("kind", "topup"), ("topup_code", pack)];
    said.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn offer(
    stripe: &mut StripePrice,
    amount: &Money,
    name: &str,
    (product, product_name): (&str, &str),
    interval: Option<&str>,
    metadata: &BTreeMap<String, String>,
) -> Vec<SeedOffer> {
    if stripe.price_ids.is_empty() {
        stripe.price_ids.push(format!("price_sandbox_{name}"));
    }
    let product_id = stripe.product_id.get_or_insert_with(|| format!("prod_sandbox_{product}")).clone();
    let offer = |price_id: &String| SeedOffer {
        product_id: product_id.clone(),
        product_name: product_name.to_owned(),
        price_id: price_id.clone(),
        unit_amount: amount.minor,
        currency: String::from(amount.currency.clone()),
        interval: interval.map(str::to_owned),
        lookup_key: None,
        metadata: metadata.clone(),
    };
    stripe.price_ids.iter().map(offer).collect()
}
