//! A real browser: headless Chromium, driven by its own driver.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

const DRIVER: &str = "chromedriver";
/// What the driver says once it takes connections, before the port.
const READY: &str = "successfully on port ";
/// It runs as whoever runs the tests, reaches nothing but loopback, and asks nobody for news of itself.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How often the driver is started. While other tests open many connections, it has ended without saying where it is.
const DRIVER_STARTS: u32 = 5;

/// The driver and its port; `Some(None)` where there is none, `None` when it ended before it said where it is.
fn start_driver() -> Option<Option<(Child, u16)>> {
    let driver = Command::new(DRIVER).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut driver) = driver else { return Some(None) };
    let said = BufReader::new(driver.stdout.take().expect("it is piped"));
    let port = said.lines().map_while(Result::ok).find_map(|line| {
        let port = line.split_once(READY)?.1.trim_end_matches('.').parse::<u16>();
        Some(port.expect("a port"))
    });
    if port.is_none() {
        driver.wait().expect("it has ended");
    }
    port.map(|port| Some((driver, port)))
}

/// A window, closed when the test is over.
pub struct Browser {
    driver: Child,
    pub page: Client,
}

impl Browser {
    /// `None` where there is no driver. Its profile is a new one, in a folder that ends with the driver.
    pub async fn open() -> Option<Self> {
        let (driver, port) =
            (0..DRIVER_STARTS).find_map(|_| start_driver()).expect("the driver says where it is")?;
        let options = json!({ "goog:chromeOptions": { "args": FLAGS } });
        let capabilities: Capabilities = serde_json::from_value(options).expect("capabilities");
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Some(Self { driver, page })
    }

    pub async fn close(mut self) {
        self.page.clone().close().await.expect("the window closes");
        self.end();
    }

    fn end(&mut self) {
        // An error means that it has ended.
        let _ended = self.driver.kill();
        let _status = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.end();
    }
}
