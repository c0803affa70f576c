//! What does a person see who tries it all out? In a real browser, from the overview to the second month.

use crate::support::{browser::Browser, database::TestDatabase, optional::leave_out};
use std::time::{Duration, Instant};

use counterfoil::clock::Clock;
use fantoccini::{Locator, elements::Element, error::CmdError};

use super::served::Shop;

async fn type_card(browser: &Browser, number: &str) {
    type_into(browser, "number", number).await;
    type_into(browser, "email", "ada@example.com").await;
    press(browser, "form button").await;
}

/// How often an element is looked for again that went with the page it was on.
const TRIES: usize = 200;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// A page may be left between finding an element and using it, for which the browser has two words.
fn went_with_its_page(error: &CmdError) -> bool {
    error.is_stale_element_reference() || error.to_string().contains("does not belong to the document")
}

/// Does something to an element. One that a page just being left still shows is stale by then, and nothing was done
/// to it; then the next page's is meant.
async fn with_element(browser: &Browser, css: &str, act: impl AsyncFn(Element) -> Result<(), CmdError>) {
    for _ in 0..TRIES {
        let element = browser.page.wait().for_element(Locator::Css(css)).await.expect(css);
        match act(element).await {
            Ok(()) => return,
            Err(error) if went_with_its_page(&error) => tokio::time::sleep(BETWEEN_TRIES).await,
            Err(error) => panic!("{css}: {error}"),
        }
    }
    panic!("{css} is never there for long enough");
}

/// Within this time of paying, callers see the plan and its credits.
const SOON: Duration = Duration::from_secs(2);

/// In place of what is in it.
async fn type_into(browser: &Browser, id: &str, text: &str) {
    with_element(browser, &format!("#{id}"), async |field| {
        field.clear().await?;
        field.send_keys(text).await
    })
    .await;
}

async fn press(browser: &Browser, css: &str) {
    with_element(browser, css, async |element| element.click().await).await;
}

/// Waits until the page shows it.
async fn shows(browser: &Browser, wanted: &str) {
    let mut shown = String::new();
    for _ in 0..TRIES {
        let body = browser.page.wait().for_element(Locator::Css("body")).await.expect("a page");
        match body.text().await {
            Ok(text) if text.contains(wanted) => return,
            Ok(text) => shown = text,
            Err(error) if went_with_its_page(&error) => {}
            Err(error) => panic!("{wanted}: {error}"),
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    panic!("{wanted} is not shown: {shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_declined_and_told_why_then_subscribes_and_sees_the_next_month() {
    let Some(browser) = Browser::open().await else {
        return leave_out("chromedriver, of the package chromium-driver, was not found");
    };
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database).await;
    shop.open_account("acme").await;
    browser.page.goto(&shop.sandbox).await.expect("the overview is there");
    press(&browser, "#price option[value='price_sandbox_basic_month']").await;
    type_into(&browser, "for", "acme").await;
    press(&browser, "form[action='/buy'] button").await;
    shows(&browser, "this is not Stripe").await;

    type_card(&browser, "4000 0000 0000 0002").await;
    shows(&browser, "Your card was declined.").await;
    assert_eq!(shop.ask("/v1/accounts/acme/balance").await["available"], 50, "nothing was bought");

    type_card(&browser, "4242 4242 4242 4242").await;
    browser.page.wait().for_element(Locator::Css("button[value='1 month']")).await.expect("the overview");
    let paid = Instant::now();
    shop.until("/v1/accounts/acme/subscription", |answer| answer["plan"] == "basic").await;
    let balance = "/v1/accounts/acme/balance";
    shop.until(balance, |answer| answer["available"] == 550).await;
    let took = paid.elapsed();
    println!("the plan and its credits were seen {took:?} after the page to pay on was left");
    assert!(took < SOON, "{took:?}");
    shows(&browser, "active").await;

    // One month later, and an hour, in which Stripe leaves an invoice open to changes.
    press(&browser, "button[value='1 month']").await;
    press(&browser, "button[value='1 day']").await;
    // The month's 500 are carried over, and 500 come, beside the 50 that came at the start.
    shop.until(balance, |answer| answer["available"] == 1050).await;
    let position = shop.ask(balance).await["as_of_position"].clone();
    let position = position.as_str().expect("a position");
    let today = Clock::system().now().to_utc().date_naive();
    let series = format!(
        "/v1/analytics/mrr?from={today}&to={}&interval=day&min_position={position}",
        today + chrono::Days::new(1)
    );
    let mrr = shop.ask(&series).await;
    assert_eq!(mrr["series"][0]["mrr"], 999, "{mrr:#}");
    browser.close().await;
}
