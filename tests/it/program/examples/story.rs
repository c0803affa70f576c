//! Sign up, spend, get credits back, set some aside, be refused, buy, and go on: the same in each example.

use serde_json::{Value, json};

use super::{business::Business, running::Example};

const GENERATE: &str = "/api/generate";
const RENDER: &str = "/api/render";

fn song(prompt: &str) -> Value {
    json!({ "prompt": prompt })
}

fn album() -> Value {
    json!({ "prompt": "rain", "kind": "batch_generation", "options": { "quality": "premium" } })
}

/// Buys, pays, and comes back from the page. Returns what is said then.
async fn buy(business: &Business, example: &Example, what: &str) -> Value {
    let page = example.submit(&format!("/api/buy?{what}")).await;
    let back = business.pay(&page).await;
    let query = example.path(&back).strip_prefix("/?").expect("it leads to the first page");
    let order = query.split('&').next().expect("it names the order");
    let (status, bought) = example.get(&format!("/api/bought?{order}")).await;
    assert_eq!(status, 200, "{bought}");
    bought
}

pub async fn tell(business: &Business, example: &Example) {
    assert!(example.page().await.contains("Songs"));
    assert_eq!(example.get("/api/balance").await.0, 401, "nobody has signed up");
    let (status, signed_up) = example.post("/api/sign-up", &json!({})).await;
    assert_eq!((status, &signed_up), (201, &json!({ "credits": 50 })));

    spend(example).await;
    be_refused(example).await;

    // The page is paid at Stripe, whose webhook tells the ledger; the backend hears of it by asking.
    let bought = buy(business, example, "pack=pack_500").await;
    assert_eq!(bought, json!({ "arrived": true, "credits": 525 }));
    let (status, generated) = example.post(GENERATE, &album()).await;
    assert_eq!((status, &generated["credits"]), (200, &json!(480)));

    let bought = buy(business, example, "plan=basic").await;
    assert_eq!(bought, json!({ "arrived": true, "credits": 980 }));
    let voice = json!({ "prompt": "rain", "kind": "voice_cloning" });
    let (status, generated) = example.post(GENERATE, &voice).await;
    assert_eq!((status, &generated["credits"]), (200, &json!(960)));
    let (status, again) = example.post("/api/buy?plan=creator", &json!({})).await;
    assert_eq!((status, &again["message"]), (409, &json!("You have a plan already.")));

    is_booked(business, example).await;
}

async fn spend(example: &Example) {
    let (status, generated) = example.post(GENERATE, &song("rain on a tin roof")).await;
    assert_eq!(
        (status, &generated),
        (200, &json!({ "song": "a song of rain on a tin roof", "credits": 45 }))
    );
    let (status, failed) = example.post(GENERATE, &song("silence")).await;
    assert_eq!((status, &failed["credits"]), (502, &json!(45)), "they are back: {failed}");
    let (status, failed) = example.post(RENDER, &song("silence")).await;
    assert_eq!((status, &failed["credits"]), (502, &json!(45)), "nothing was spent: {failed}");
    let (status, rendered) = example.post(RENDER, &song("rain on a tin roof")).await;
    assert_eq!((status, &rendered["credits"]), (200, &json!(25)), "five words, twenty seconds: {rendered}");
}

async fn be_refused(example: &Example) {
    let (status, refused) = example.post(GENERATE, &album()).await;
    let message = "This takes 45 credits, and you have 25.";
    assert_eq!((status, refused), (402, json!({ "message": message, "pack": "pack_500", "plan": "basic" })));
    let voice = json!({ "prompt": "rain", "kind": "voice_cloning" });
    let (status, refused) = example.post(GENERATE, &voice).await;
    assert_eq!((status, &refused["plan"]), (403, &json!("basic")), "{refused}");
    let (status, _) = example.post(GENERATE, &json!({ "prompt": "rain", "kind": "opera" })).await;
    assert_eq!(status, 422);
}

/// What the ledger itself says at the end.
async fn is_booked(business: &Business, example: &Example) {
    assert_eq!(example.get("/api/balance").await.1, json!({ "credits": 960, "held": 0 }));
    // Nobody has told this which position the list must have reached.
    let accounts = business.until("/v1/accounts?prefix=user_", |found| found["accounts"] != json!([])).await;
    let [account] = &accounts["accounts"].as_array().expect("a list")[..] else { panic!("{accounts}") };
    let account = account["account"].as_str().expect("a name");
    let balance = business.ask(&format!("/v1/accounts/{account}/balance")).await;
    assert_eq!((&balance["available"], &balance["held"]), (&json!(960), &json!(0)));
    // In the order of time: each thing once, however often it was asked for.
    // A hold that ends gives back all of it first.
    // The statement follows the journal, so it is asked for as of the balance.
    let position = balance["as_of_position"].as_str().expect("a position");
    let path = format!("/v1/accounts/{account}/statement?order=oldest_first&min_position={position}");
    let statement = business.ask(&path).await;
    let lines = statement["lines"].as_array().expect("lines").iter();
    let amounts: Vec<i64> = lines.map(|line| line["amount"].as_i64().expect("a number")).collect();
    assert_eq!(amounts, [50, -5, -5, 5, -40, 40, -40, 40, -20, 500, -45, 500, -20], "{statement}");
}
