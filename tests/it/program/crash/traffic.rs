//! Many callers who spend, hold, refund and grant at once, and write down what they are answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::books::{Answer, Books, Command, Holding, Kind};
use crate::support::dice::Dice;

/// Longer than a server lets anybody wait.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What an account has from its opening, in the music catalog.
const SIGN_UP_CREDITS: i64 = 50;
/// The most commands in a batch of a caller.
const BATCH_MAX: usize = 12;
/// How often something without an answer is tried again.
const TRIES_MAX: usize = 50;
/// How many commands are sent again at a time.
const AGAIN_AT_ONCE: usize = 16;

/// One or more servers of one database.
#[derive(Clone)]
pub struct Target {
    client: Client,
    addresses: Vec<String>,
    key: String,
    /// Where the commands of an account are sent, if not to any address.
    writers: Arc<BTreeMap<String, String>>,
    /// Whether callers go on after a request that had no answer.
    goes_on: bool,
}

impl Target {
    pub fn new(addresses: Vec<String>, key: &str) -> Self {
        let client = Client::builder().timeout(TIMEOUT).build().expect("a client");
        Self { client, addresses, key: key.to_owned(), writers: Arc::default(), goes_on: false }
    }

    /// The same, with an address for the commands of each account.
    pub fn sending_to(self, writers: BTreeMap<String, String>) -> Self {
        Self { writers: Arc::new(writers), ..self }
    }

    /// The same, with callers that go on after a request that had no answer.
    pub fn going_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    fn at(&self, dice: &mut Dice) -> &str {
        &self.addresses[dice.below(self.addresses.len())]
    }

    /// Opens accounts.
    pub async fn open(&self, accounts: &[String]) -> Holding {
        for account in accounts {
            let url = format!("{}/v1/accounts/{account}", self.addresses[0]);
            let answer = self.client.put(url).bearer_auth(&self.key).send().await.expect("an answer");
            assert_eq!(answer.status(), 201);
        }
        Holding { available: SIGN_UP_CREDITS, held: 0 }
    }

    /// What a server says that an account is now.
    pub async fn account(&self, address: &str, account: &str) -> Value {
        let url = format!("{address}/v1/accounts/{account}");
        let answer = self.client.get(url).bearer_auth(&self.key).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    /// Sends a command on its own route. No answer: the connection broke, or the server does not know either.
    pub async fn send(&self, address: &str, command: &Command) -> Option<Answer> {
        let call = self.client.post(format!("{address}{}", command.path())).bearer_auth(&self.key);
        let call = call.header("idempotency-key", &command.key).json(&command.fields);
        let answer = call.send().await.ok()?;
        let status = answer.status().as_u16();
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let body = answer.bytes().await.ok()?;
        known(Answer { status, replayed, body: serde_json::from_slice(&body).expect("JSON") })
    }

    /// Sends commands together.
    pub async fn send_all(&self, address: &str, commands: &[Arc<Command>]) -> Vec<Option<Answer>> {
        match self.try_send_all(address, commands).await {
            Some(answers) => answers,
            None => vec![None; commands.len()],
        }
    }

    async fn try_send_all(&self, address: &str, commands: &[Arc<Command>]) -> Option<Vec<Option<Answer>>> {
        let items: Vec<Value> = commands.iter().map(|command| command.item()).collect();
        let call = self.client.post(format!("{address}/v1/commands")).bearer_auth(&self.key);
        let answer = call.json(&items).send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        if status >= 500 {
            return None;
        }
        let answers = body.as_array().unwrap_or_else(|| panic!("{status} {body}"));
        assert_eq!(answers.len(), commands.len(), "{body}");
        Some(answers.iter().map(|item| known(item_answer(item))).collect())
    }

    /// Sends what has no answer again, until it has one.
    pub async fn resend(&self, books: &Books, dice: &mut Dice) -> usize {
        let unanswered = books.take_unanswered();
        let count = unanswered.len();
        let calls = unanswered.into_iter().map(|command| (command, self.at(dice).to_owned(), dice.below(2)));
        let calls = calls.map(|(command, address, way)| async move {
            for _ in 0..TRIES_MAX {
                let answer = match way {
                    0 => self.send(&address, &command).await,
                    _ => self.send_all(&address, std::slice::from_ref(&command)).await.remove(0),
                };
                if answer.is_some() {
                    books.enter(&command, answer);
                    return;
                }
            }
            panic!("no answer to {command:?} after {TRIES_MAX} tries");
        });
        stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(AGAIN_AT_ONCE).collect::<()>().await;
        count
    }

    /// Sends what was done again, and fails unless it is answered as it was then.
    pub async fn expect_same(&self, done: Vec<(Arc<Command>, Answer)>, dice: &mut Dice) {
        let calls = done.into_iter().map(|(command, first)| {
            let (address, way) = (self.at(dice).to_owned(), dice.below(2));
            async move {
                let again = match way {
                    0 => self.send(&address, &command).await,
                    _ => self.send_all(&address, std::slice::from_ref(&command)).await.remove(0),
                };
                let again = again.unwrap_or_else(|| panic!("no answer to {command:?}"));
                assert!(again.replayed, "{command:?} was answered {first:?}, then {again:?}");
                assert_eq!((again.status, &again.body), (first.status, &first.body), "{command:?}");
            }
        });
        stream::iter(calls.collect::<Vec<_>>()).buffer_unordered(AGAIN_AT_ONCE).collect::<()>().await;
    }
}

fn item_answer(item: &Value) -> Answer {
    let status = item["status"].as_u64().expect("a status") as u16;
    Answer { status, replayed: item["idempotent_replayed"] == true, body: item["body"].clone() }
}

/// An answer that says what became of the command.
fn known(answer: Answer) -> Option<Answer> {
    assert!(answer.status < 400 || !answer.replayed, "a refusal is not remembered: {answer:?}");
    assert_ne!(answer.body["code"], "account_damaged", "{answer:?}");
    (answer.status < 500).then_some(answer)
}

/// Callers at work.
pub struct Traffic {
    callers: JoinSet<()>,
    stop: CancellationToken,
}

impl Traffic {
    /// Lets callers begin. Each goes on until it is told to stop, or a request of its own has no answer.
    pub fn begin(
        callers: usize,
        target: &Target,
        accounts: &[String],
        books: &Arc<Books>,
        dice: &mut Dice,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut set = JoinSet::new();
        for _ in 0..callers {
            let caller = Caller {
                target: target.clone(),
                accounts: accounts.to_vec(),
                books: Arc::clone(books),
                dice: dice.split(),
                holds: Vec::new(),
                deductions: Vec::new(),
            };
            set.spawn(caller.work(stop.clone()));
        }
        Self { callers: set, stop }
    }

    /// Waits until every caller has stopped by itself.
    pub async fn broken(self) {
        self.callers.join_all().await;
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.callers.join_all().await;
    }
}

struct Caller {
    target: Target,
    accounts: Vec<String>,
    books: Arc<Books>,
    dice: Dice,
    /// Open holds of its own: the account, the hold and how much it is.
    holds: Vec<(String, String, i64)>,
    /// Deductions that it has not refunded yet.
    deductions: Vec<(String, String)>,
}

impl Caller {
    async fn work(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if !self.act().await {
                if !self.target.goes_on {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Does one thing. Returns whether it was answered.
    async fn act(&mut self) -> bool {
        let address = self.target.at(&mut self.dice).to_owned();
        if self.dice.below(5) > 0 {
            let command = Arc::new(self.choose());
            let address = self.target.writers.get(&command.account).unwrap_or(&address);
            let answer = self.target.send(address, &command).await;
            return self.note(&command, answer);
        }
        let count = self.dice.amount(BATCH_MAX);
        let commands: Vec<_> = (0..count).map(|_| Arc::new(self.choose())).collect();
        let answers = self.target.send_all(&address, &commands).await;
        // Every answer is noted, whatever the others are.
        commands
            .iter()
            .zip(answers)
            .map(|(command, answer)| self.note(command, answer))
            .fold(true, |a, b| a & b)
    }

    fn note(&mut self, command: &Arc<Command>, answer: Option<Answer>) -> bool {
        if let Some(answer) = answer.as_ref().filter(|answer| answer.is_done()) {
            let text = |name: &str| answer.body[name].as_str().expect(name).to_owned();
            match &command.kind {
                Kind::Hold => {
                    let amount = answer.body["amount"].as_i64().expect("an amount");
                    self.holds.push((command.account.clone(), text("hold_id"), amount));
                }
                Kind::Deduct | Kind::Generate | Kind::Commit { .. } => {
                    self.deductions.push((command.account.clone(), text("deduction_id")));
                }
                // The rest is still held.
                Kind::Spend { hold } | Kind::TopUp { hold } | Kind::Release { hold } => {
                    let left = answer.body["left"].as_i64().expect("what is left");
                    if answer.body["status"] != "released" {
                        self.holds.push((command.account.clone(), hold.clone(), left));
                    }
                    if matches!(command.kind, Kind::Spend { .. }) {
                        self.deductions.push((command.account.clone(), text("deduction_id")));
                    }
                }
                Kind::Refund | Kind::Grant => {}
            }
        }
        let answered = answer.is_some();
        self.books.enter(command, answer);
        answered
    }

    fn choose(&mut self) -> Command {
        let account = self.accounts[self.dice.below(self.accounts.len())].clone();
        let (account, kind, fields) = match self.dice.below(15) {
            0..=3 => (account, Kind::Deduct, json!({ "amount": self.dice.amount(8) })),
            4 | 5 => (account, Kind::Generate, self.generation()),
            6 | 7 => (account, Kind::Hold, json!({ "amount": self.dice.amount(12), "expires_in_s": 86_400 })),
            8 => self.end_of_hold().unwrap_or((account, Kind::Deduct, json!({ "amount": 1 }))),
            9..=11 => self.part_of_hold().unwrap_or((account, Kind::Hold, json!({ "amount": 9 }))),
            12 => self.refund().unwrap_or((account, Kind::Deduct, json!({ "amount": 2 }))),
            _ => {
                let amount = self.dice.amount(12);
                (account, Kind::Grant, json!({ "source": "bonus", "amount": amount, "reason": "test" }))
            }
        };
        Command { account, kind, key: uuid::Uuid::new_v4().to_string(), fields }
    }

    fn generation(&mut self) -> Value {
        let quality = ["standard", "high", "premium"][self.dice.below(3)];
        json!({ "type": "standard_generation", "options": { "quality": quality } })
    }

    fn part_of_hold(&mut self) -> Option<(String, Kind, Value)> {
        let (account, hold, held) = self.dice.draw(&mut self.holds)?;
        let part = json!({ "amount": self.dice.amount((held as usize).max(1)) });
        let kind = match self.dice.below(4) {
            0 | 1 => Kind::Spend { hold },
            2 => Kind::TopUp { hold },
            _ => Kind::Release { hold },
        };
        Some((account, kind, part))
    }

    fn end_of_hold(&mut self) -> Option<(String, Kind, Value)> {
        let (account, hold, held) = self.dice.draw(&mut self.holds)?;
        if self.dice.below(3) == 0 {
            return Some((account, Kind::Release { hold }, json!({})));
        }
        let amount = self.dice.amount((held as usize).max(1));
        Some((account, Kind::Commit { hold }, json!({ "amount": amount })))
    }

    fn refund(&mut self) -> Option<(String, Kind, Value)> {
        let (account, deduction) = self.dice.draw(&mut self.deductions)?;
        Some((account, Kind::Refund, json!({ "deduction_id": deduction, "reason": "failed" })))
    }
}
