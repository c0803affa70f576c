//! Which bytes would no client send?

use crate::support::dice::Dice;

/// How bytes come to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Line,
    Headers,
    Length,
    Chunks,
    Pipeline,
    Nulls,
    Target,
    Other,
    Mutated,
    Noise,
}

pub(super) const KINDS: [Kind; 10] = [
    Kind::Line,
    Kind::Headers,
    Kind::Length,
    Kind::Chunks,
    Kind::Pipeline,
    Kind::Nulls,
    Kind::Target,
    Kind::Other,
    Kind::Mutated,
    Kind::Noise,
];

/// Makes requests. The key may do much, for an account that nobody has opened and that it cannot open.
pub(super) struct Maker {
    pub(super) dice: Dice,
    pub(super) key: String,
}

const TARGETS: [&str; 10] = [
    "/healthz",
    "/v1/catalog",
    "/v1/accounts/ghost/balance",
    "/v1/accounts/ghost/statement?limit=1",
    "/v1/accounts?limit=1",
    "/v1/accounts/ghost/grants",
    "/v1/accounts/ghost/adjustments",
    "/v1/commands",
    "/v1/webhooks/stripe",
    "/v1/accounts/ghost/close",
];
const BODIES: [&str; 5] = [
    "{}",
    r#"{"source":"bonus","amount":5,"reason":"raw"}"#,
    r#"{"amount":-5,"reason":"raw"}"#,
    r#"[{"account":"ghost","command":"grant","source":"bonus","amount":5,"reason":"raw","idempotency_key":"k"}]"#,
    r#"{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{}}}"#,
];

impl Maker {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.dice.below(of.len())]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.dice.below(256) as u8).collect()
    }

    /// The lines of a head that are well formed, with `more`.
    fn head(&mut self, line: &str, more: &str) -> String {
        let key = self.key.clone();
        let authorization =
            ["", "authorization: Bearer cf_test_nobody\r\n", &format!("authorization: Bearer {key}\r\n")]
                [self.dice.below(3)]
            .to_owned();
        format!(
            "{line}\r\nhost: here\r\n{authorization}content-type: application/json\r\nidempotency-key: raw\r\n{more}\r\n"
        )
    }

    /// A request in order.
    fn valid(&mut self) -> Vec<u8> {
        let target = self.one(&TARGETS);
        let method = self.one(&["GET", "POST", "HEAD", "OPTIONS", "DELETE", "PATCH"]);
        let body = if method == "GET" || method == "HEAD" { "" } else { self.one(&BODIES) };
        let length = format!("content-length: {}\r\n", body.len());
        let head = self.head(&format!("{method} {target} HTTP/1.1"), &length);
        [head.as_bytes(), body.as_bytes()].concat()
    }

    pub(super) fn make(&mut self, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Line => {
                let lines = [
                    "GET",
                    "GET /",
                    "GET / HTTP/9.9",
                    "GET / HTTP/1.1 HTTP/1.1",
                    " GET / HTTP/1.1",
                    "GET  /healthz  HTTP/1.1",
                    "G\tET / HTTP/1.1",
                    "get /healthz http/1.1",
                    "GET healthz HTTP/1.1",
                    "\r\n\r\n\r\nGET /healthz HTTP/1.1",
                    "GET http://elsewhere:99999/healthz HTTP/1.1",
                    "CONNECT here:443 HTTP/1.1",
                    "OPTIONS * HTTP/1.1",
                    "GET /healthz HTTP/1.0",
                    "GET /healthz HTTP/0.9",
                    "PRI * HTTP/2.0",
                    "🦀 /healthz HTTP/1.1",
                    "GET /%ff%00%zz HTTP/1.1",
                    "GET //../..//v1/accounts HTTP/1.1",
                    "GET /v1/accounts/ghost#x HTTP/1.1",
                ];
                let line = self.one(&lines);
                self.head(line, "").into_bytes()
            }
            Kind::Headers => {
                let more = match self.dice.below(6) {
                    0 => format!("x-long: {}\r\n", "a".repeat(1 << self.dice.below(18))),
                    1 => "x-many: a\r\n".repeat(1 << self.dice.below(11)),
                    2 => format!("{}: a\r\n", "x".repeat(1 << self.dice.below(18))),
                    3 => " folded: a\r\n\tb\r\n".to_owned(),
                    4 => "no colon\r\n: no name\r\nx y: z\r\n".to_owned(),
                    _ => "host: there\r\nauthorization: Bearer a\r\nauthorization: Basic b\r\nx-request-id: \u{7f}é\r\n".to_owned(),
                };
                let target = self.one(&TARGETS);
                self.head(&format!("GET {target} HTTP/1.1"), &more).into_bytes()
            }
            Kind::Length => {
                let lengths = [
                    "content-length: 5\r\n",
                    "content-length: 70000\r\n",
                    "content-length: -1\r\n",
                    "content-length: +2\r\n",
                    "content-length: 18446744073709551616\r\n",
                    "content-length: 0x10\r\n",
                    "content-length: \r\n",
                    "content-length: 2\r\ncontent-length: 3\r\n",
                    "content-length: 2, 2\r\n",
                    "content-length: 2\r\ntransfer-encoding: chunked\r\n",
                    "content-length: 1\r\nexpect: 100-continue\r\n",
                    "expect: 999-nonsense\r\n",
                    "content-length: 9999999999\r\n",
                ];
                let (length, target, body) = (self.one(&lengths), self.one(&TARGETS), self.one(&BODIES));
                let head = self.head(&format!("POST {target} HTTP/1.1"), length);
                [head.as_bytes(), body.as_bytes()].concat()
            }
            Kind::Chunks => {
                let chunks = [
                    "0\r\n\r\n",
                    "2\r\n{}\r\n0\r\n\r\n",
                    "zz\r\n{}\r\n",
                    "ffffffffffffffffff\r\n{}",
                    "-1\r\n{}\r\n",
                    "2;a=\"b\r\n{}\r\n0\r\n\r\n",
                    "2\n{}\n0\n\n",
                    "1\r\n{}\r\n0\r\n\r\n",
                    "2\r\n{}0\r\n\r\n",
                    "0\r\nx-trailer: a\r\ncontent-length: 5\r\n\r\n",
                    "7fffffff\r\n{}",
                    "\r\n\r\n",
                    "2\r\n{}\r\n",
                ];
                let codings = [
                    "chunked",
                    "gzip, chunked",
                    "chunked, gzip",
                    "chunked, chunked",
                    "identity",
                    "\u{b}chunked",
                    "",
                ];
                let (chunk, coding, target) = (self.one(&chunks), self.one(&codings), self.one(&TARGETS));
                let times = 1 << self.dice.below(8);
                let head = self
                    .head(&format!("POST {target} HTTP/1.1"), &format!("transfer-encoding: {coding}\r\n"));
                [head.as_bytes(), chunk.repeat(times).as_bytes()].concat()
            }
            Kind::Pipeline => {
                let mut all = Vec::new();
                for _ in 0..=self.dice.below(20) {
                    all.extend(self.valid());
                }
                let garbage = self.dice.below(64);
                all.extend(self.bytes(garbage));
                all
            }
            Kind::Nulls => {
                let mut request = self.valid();
                for _ in 0..=self.dice.below(8) {
                    let at = self.dice.below(request.len());
                    request[at] = [0, 0, b'\r', b'\n', 0xff][self.dice.below(5)];
                }
                request
            }
            Kind::Target => {
                let (length, part) =
                    (1 << self.dice.below(18), self.one(&["a", "/", "%41", "../", "?", "&a=", "%00", "é"]));
                let target = self.one(&TARGETS);
                let joint = self.one(&["", "/", "?", "?cursor=", "?min_position="]);
                let long = part.repeat(length / part.len() + 1);
                self.head(&format!("GET {target}{joint}{long} HTTP/1.1"), "").into_bytes()
            }
            Kind::Other => {
                let others: [&[u8]; 5] = [
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
                    b"GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
                    b"GET /healthz HTTP/1.1\r\nhost: here\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
                    b"*1\r\n$4\r\nPING\r\n",
                ];
                others[self.dice.below(others.len())].to_vec()
            }
            Kind::Mutated => {
                let mut request = self.valid();
                for _ in 0..=self.dice.below(6) {
                    let at = self.dice.below(request.len());
                    match self.dice.below(4) {
                        0 => request[at] ^= 1 << self.dice.below(8),
                        1 => request.truncate(at.max(1)),
                        2 => {
                            let end = (at + self.dice.below(40)).min(request.len());
                            let again = request[at..end].to_vec();
                            request.splice(at..at, again);
                        }
                        _ => {
                            let count = self.dice.below(16);
                            let noise = self.bytes(count);
                            request.splice(at..at, noise);
                        }
                    }
                }
                request
            }
            Kind::Noise => {
                let count = 1 << self.dice.below(16);
                self.bytes(count)
            }
        }
    }
}
