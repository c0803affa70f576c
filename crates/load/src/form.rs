//! What are the bytes of a request?
//!
//! A form is rendered once.
//! Account numbers and idempotency keys have a fixed width, so further requests overwrite a few digits in place, and
//! the length never changes.

use super::accounts::Chooser;
use super::target::LoadTarget;

const ACCOUNT: &str = "{account}";
const KEY: &str = "{key}";
const ACCOUNT_DIGITS: usize = 7;
const KEY_DIGITS: usize = 15;
/// Each connection counts its keys from its number times this, so that no two connections share one.
const KEYS_PER_CONNECTION: u64 = 1_000_000_000;

/// The form of a request.
/// `{account}` and `{key}` are replaced by an account's id and a new idempotency key, which are the same within one
/// item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestForm {
    method: &'static str,
    path: String,
    headers: String,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    /// The whole request is for one account.
    One(String),
    /// A JSON array of this many items, each with its own account and key.
    Many { item: String, count: usize },
}

impl RequestForm {
    /// A request for one account, with an `Idempotency-Key`.
    pub fn one(method: &'static str, path: &str, body: &str) -> Self {
        let headers = format!("Idempotency-Key: {KEY}\r\n");
        Self { method, path: path.to_owned(), headers, body: Body::One(body.to_owned()) }
    }

    /// A request with `count` items in a JSON array.
    pub fn many(method: &'static str, path: &str, item: &str, count: usize) -> Self {
        let body = Body::Many { item: item.to_owned(), count: count.max(1) };
        Self { method, path: path.to_owned(), headers: String::new(), body }
    }

    /// Spends one credit of one account.
    pub fn deduction() -> Self {
        Self::one("POST", "/v1/accounts/{account}/deductions", r#"{"amount":1}"#)
    }

    /// Spends one credit in each of `count` commands.
    pub fn deductions(count: usize) -> Self {
        let item = r#"{"account":"{account}","command":"deduct","amount":1,"idempotency_key":"{key}"}"#;
        Self::many("POST", "/v1/commands", item, count)
    }

    /// How many commands a request has.
    pub const fn items(&self) -> usize {
        match &self.body {
            Body::One(_) => 1,
            Body::Many { count, .. } => *count,
        }
    }

    fn body(&self, names: &Names<'_>) -> RequestTemplate {
        let mut draft = RequestTemplate::default();
        match &self.body {
            Body::One(body) => draft.push(body, names),
            Body::Many { item, count } => {
                for number in 0..*count {
                    draft.push(if number == 0 { "[" } else { "," }, names);
                    draft.begin_item();
                    draft.push(item, names);
                }
                draft.push("]", names);
            }
        }
        draft
    }

    fn head(&self, target: &LoadTarget, names: &Names<'_>, body_bytes: usize) -> RequestTemplate {
        let (prefix, path) = (&target.path_prefix, &self.path);
        let mut draft = RequestTemplate::default();
        draft.push(&format!("{} {prefix}{path} HTTP/1.1\r\n", self.method), names);
        draft.push(&format!("Host: {}\r\nAuthorization: Bearer ", target.authority), names);
        draft.bytes.extend_from_slice(target.api_key.as_bytes());
        draft.push("\r\nContent-Type: application/json\r\n", names);
        draft.push(&self.headers, names);
        draft.push(&format!("Content-Length: {body_bytes}\r\n\r\n"), names);
        draft
    }
}

/// What replaces the placeholders, except the digits.
struct Names<'run> {
    account_prefix: &'run str,
    key_prefix: String,
}

/// Where the digits of one item are.
#[derive(Clone, Debug, Default)]
struct ItemSlot {
    accounts: Vec<usize>,
    keys: Vec<usize>,
}

/// The bytes of a request, and the places to overwrite.
#[derive(Debug, Default)]
struct RequestTemplate {
    bytes: Vec<u8>,
    items: Vec<ItemSlot>,
}

impl RequestTemplate {
    fn begin_item(&mut self) {
        self.items.push(ItemSlot::default());
    }

    fn push(&mut self, text: &str, names: &Names<'_>) {
        let mut rest = text;
        while let Some(at) = [rest.find(ACCOUNT), rest.find(KEY)].into_iter().flatten().min() {
            let (before, from) = rest.split_at(at);
            self.bytes.extend_from_slice(before.as_bytes());
            rest = if let Some(after) = from.strip_prefix(ACCOUNT) {
                self.push_account(names);
                after
            } else {
                self.push_key(names);
                from.strip_prefix(KEY).unwrap_or_default()
            };
        }
        self.bytes.extend_from_slice(rest.as_bytes());
    }

    fn push_account(&mut self, names: &Names<'_>) {
        self.bytes.extend_from_slice(names.account_prefix.as_bytes());
        let at = self.bytes.len();
        self.item().accounts.push(at);
        self.bytes.extend_from_slice(&[b'0'; ACCOUNT_DIGITS]);
    }

    fn push_key(&mut self, names: &Names<'_>) {
        self.bytes.extend_from_slice(names.key_prefix.as_bytes());
        let at = self.bytes.len();
        self.item().keys.push(at);
        self.bytes.extend_from_slice(&[b'0'; KEY_DIGITS]);
    }

    /// The item that is being written. A request for one account has only one, for head and body.
    fn item(&mut self) -> &mut ItemSlot {
        if self.items.is_empty() {
            self.begin_item();
        }
        self.items.last_mut().expect("an item was begun above")
    }

    /// Appends `body` to this head.
    fn append(mut self, body: Self, one_item: bool) -> Self {
        let shift = self.bytes.len();
        for item in body.items {
            if !one_item {
                self.begin_item();
            }
            let place = self.item();
            place.accounts.extend(item.accounts.iter().map(|at| at + shift));
            place.keys.extend(item.keys.iter().map(|at| at + shift));
        }
        self.bytes.extend_from_slice(&body.bytes);
        self
    }
}

/// The copy of the request's bytes for one connection.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    bytes: Vec<u8>,
    items: Vec<ItemSlot>,
    items_per_request: u64,
    next_key: u64,
}

impl Rendered {
    /// `run` makes this run's idempotency keys different from every other run's.
    pub(super) fn new(form: &RequestForm, target: &LoadTarget, account_prefix: &str, run: u64) -> Self {
        let names = Names { account_prefix, key_prefix: format!("{run:016x}-") };
        let body = form.body(&names);
        let head = form.head(target, &names, body.bytes.len());
        let RequestTemplate { bytes, items } = head.append(body, matches!(form.body, Body::One(_)));
        let items_per_request = u64::try_from(form.items()).unwrap_or(u64::MAX);
        Self { bytes, items, items_per_request, next_key: 0 }
    }

    pub(super) fn for_connection(mut self, number: u64) -> Self {
        self.next_key = number.saturating_mul(KEYS_PER_CONNECTION);
        self
    }

    pub(super) const fn items_per_request(&self) -> u64 {
        self.items_per_request
    }

    /// The bytes of the run's request number `turn`, with new accounts and keys.
    pub(super) fn fill(&mut self, turn: u64, chooser: &mut Chooser) -> &[u8] {
        let first = turn.saturating_mul(self.items_per_request);
        for (item, number) in self.items.iter().zip(first..) {
            let account = chooser.choose(number);
            for at in &item.accounts {
                write_digits(&mut self.bytes, *at, ACCOUNT_DIGITS, account);
            }
            for at in &item.keys {
                write_digits(&mut self.bytes, *at, KEY_DIGITS, self.next_key);
            }
            self.next_key += 1;
        }
        &self.bytes
    }
}

fn write_digits(bytes: &mut [u8], at: usize, digits: usize, number: u64) {
    let mut rest = number;
    for byte in bytes.iter_mut().skip(at).take(digits).rev() {
        *byte = u8::try_from(rest % 10).map_or(b'0', |digit| b'0' + digit);
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Choice, LoadAccounts};

    fn rendered(form: &RequestForm) -> (Rendered, Chooser) {
        let target = LoadTarget::parse("http://127.0.0.1:8080", "cf_test_1").expect("a good URL");
        let accounts = LoadAccounts { prefix: "bench-".to_owned(), count: 10, choice: Choice::InTurn };
        (Rendered::new(form, &target, "bench-", 255).for_connection(2), Chooser::new(&accounts))
    }

    #[test]
    fn a_deduction_is_patched_in_path_and_header() {
        let (mut rendered, mut chooser) = rendered(&RequestForm::deduction());
        rendered.fill(0, &mut chooser);
        assert_eq!(
            String::from_utf8_lossy(rendered.fill(7, &mut chooser)),
            "POST /v1/accounts/bench-0000007/deductions HTTP/1.1\r\n\
             Host: 127.0.0.1:8080\r\n\
             Authorization: Bearer cf_test_1\r\n\
             Content-Type: application/json\r\n\
             Idempotency-Key: 00000000000000ff-000002000000001\r\n\
             Content-Length: 12\r\n\r\n\
             {\"amount\":1}"
        );
    }

    #[test]
    fn a_batch_has_an_account_and_a_key_for_each_item() {
        let (mut rendered, mut chooser) = rendered(&RequestForm::deductions(2));
        let text = String::from_utf8_lossy(rendered.fill(1, &mut chooser)).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let items: serde_json::Value = serde_json::from_str(body).expect("a JSON array");
        assert_eq!(items[0]["account"], "bench-0000002");
        assert_eq!(items[1]["account"], "bench-0000003");
        assert_eq!(items[0]["idempotency_key"], "00000000000000ff-000002000000000");
        assert_eq!(items[1]["idempotency_key"], "00000000000000ff-000002000000001");
    }

    #[test]
    fn one_account_is_the_same_in_path_and_body() {
        let form = RequestForm::one("PUT", "/v1/accounts/{account}", r#"{"reference":"{account}"}"#);
        let (mut rendered, mut chooser) = rendered(&form);
        let text = String::from_utf8_lossy(rendered.fill(3, &mut chooser)).into_owned();
        assert!(text.starts_with("PUT /v1/accounts/bench-0000003 "));
        assert!(text.ends_with(r#"{"reference":"bench-0000003"}"#));
    }
}
