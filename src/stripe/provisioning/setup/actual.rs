//! What exists at Stripe? Only what could concern the catalog is read.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use super::desired::{DesiredPrice, DesiredState, PRICE};
use crate::stripe::client::{
    CallError, Client, StripeCall, is_missing,
    setup::{
        ExistingEndpoint, ExistingPortal, ExistingProduct, FindPrice, FindPrices, FindProducts, Identified,
        ListEndpoints, ListPortals, ListPrices, LookupPriceResponse, SetupPage,
    },
};

/// How many requests are sent at a time.
const AT_A_TIME: usize = 4;
/// The most pages of a list that are read.
const PAGES_MAX: usize = 100;
const PRODUCTS_AT_A_TIME: usize = 100;

/// Products and prices, by their ids.
#[derive(Clone, Debug, Default)]
pub struct ActualOffers {
    pub products: BTreeMap<String, ExistingProduct>,
    pub prices: BTreeMap<String, LookupPriceResponse>,
}

/// All that exists.
#[derive(Clone, Default)]
pub struct ActualState {
    pub sold: ActualOffers,
    pub portals: Vec<ExistingPortal>,
    pub endpoints: Vec<ExistingEndpoint>,
}

/// Reads everything.
///
/// # Errors
/// If Stripe refuses or does not answer.
pub async fn find(client: &Client, wanted: &DesiredState) -> Result<ActualState, CallError> {
    let sold = find_sold(client, wanted).await?;
    Ok(ActualState { sold, portals: find_portals(client).await?, endpoints: find_endpoints(client).await? })
}

/// Reads the prices that are configured, or have or had a lookup key of our own, and their products.
///
/// # Errors
/// If Stripe refuses or does not answer.
pub async fn find_sold(client: &Client, wanted: &DesiredState) -> Result<ActualOffers, CallError> {
    let mut sold = ActualOffers::default();
    let keys: Vec<String> = wanted.known_prices().map(|price| price.lookup_key.clone()).collect();
    for keys in keys.chunks(FindPrices::KEYS_MAX) {
        sold.take(client.read(&FindPrices { lookup_keys: keys.to_vec() }).await?.data);
    }
    let unknown =
        wanted.known_prices().flat_map(DesiredPrice::ids).filter(|id| !sold.prices.contains_key(*id));
    let unknown: Vec<&String> = unknown.collect();
    let found: Vec<Option<LookupPriceResponse>> =
        stream::iter(unknown).map(|id| find_price(client, id)).buffered(AT_A_TIME).try_collect().await?;
    sold.take(found.into_iter().flatten());
    let products = sold.prices.values().map(|price| price.product.clone());
    let offers = wanted.offers.iter().chain(&wanted.retired);
    let named = offers.flat_map(|offer| offer.product_given.iter().chain([&offer.product_own]));
    let mut products: Vec<String> = products.chain(named.cloned()).collect();
    products.sort();
    products.dedup();
    for ids in products.chunks(PRODUCTS_AT_A_TIME) {
        let found = client.read(&FindProducts { ids: ids.to_vec() }).await?.data;
        sold.products.extend(found.into_iter().map(|product| (product.id.clone(), product)));
    }
    let known: Vec<String> = sold.products.keys().cloned().collect();
    let listed: Vec<Vec<LookupPriceResponse>> =
        stream::iter(&known).map(|id| list_prices(client, id)).buffered(AT_A_TIME).try_collect().await?;
    let ours = |price: &LookupPriceResponse| price.metadata.get(PRICE).is_some_and(|key| keys.contains(key));
    sold.take(listed.into_iter().flatten().filter(ours));
    Ok(sold)
}

impl ActualOffers {
    fn take(&mut self, prices: impl IntoIterator<Item = LookupPriceResponse>) {
        self.prices.extend(prices.into_iter().map(|price| (price.id.clone(), price)));
    }
}

async fn find_price(client: &Client, id: &str) -> Result<Option<LookupPriceResponse>, CallError> {
    match client.read(&FindPrice { id: id.to_owned() }).await {
        Ok(price) => Ok(Some(price)),
        Err(CallError::Rejected(why)) if is_missing(&why) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn list_prices(client: &Client, product: &str) -> Result<Vec<LookupPriceResponse>, CallError> {
    pages(client, |after| ListPrices { product: product.to_owned(), after }).await
}

/// # Errors
/// If Stripe refuses or does not answer.
pub async fn find_endpoints(client: &Client) -> Result<Vec<ExistingEndpoint>, CallError> {
    pages(client, |after| ListEndpoints { after }).await
}

/// # Errors
/// If Stripe refuses or does not answer.
pub async fn find_portals(client: &Client) -> Result<Vec<ExistingPortal>, CallError> {
    pages(client, |after| ListPortals { after }).await
}

async fn pages<A, T>(client: &Client, ask: impl Fn(Option<String>) -> A) -> Result<Vec<T>, CallError>
where
    A: StripeCall<Answer = SetupPage<T>>,
    T: Identified + miniserde::Deserialize,
{
    let mut all: Vec<T> = Vec::new();
    for _ in 0..PAGES_MAX {
        let after = all.last().map(|last| last.id().to_owned());
        let SetupPage { data, has_more } = client.read(&ask(after)).await?;
        let more = has_more && !data.is_empty();
        all.extend(data);
        if !more {
            break;
        }
    }
    Ok(all)
}
