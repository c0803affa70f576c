//! What does the program print when it is ready? All addresses, and a call to begin with.

use std::net::SocketAddr;

use serde::Serialize;

use crate::app::{App, FirstKey, mode::LedgerMode};

/// What the program prints when it is ready.
#[derive(Serialize)]
pub(super) struct ServeBanner {
    pub(super) version: &'static str,
    pub(super) address: String,
    /// Where metrics are answered without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_directory: Option<String>,
    pub(super) catalog: String,
    pub(super) mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) admin_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) admin_key_file: Option<String>,
    /// Where the sandbox Stripe is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sandbox: Option<String>,
    /// A call that can be pasted into a shell.
    pub(super) try_it: String,
}

/// Opens an account with the key that was made, or asks what is sold if no key is known.
fn try_it(address: SocketAddr, key: Option<&FirstKey>) -> String {
    let address = super::stripe::reachable(address);
    let key = match key {
        Some(FirstKey::ToShow(key)) => format!("'Authorization: Bearer {}'", key.reveal()),
        Some(FirstKey::In(file)) => {
            // In single quotes, a shell changes nothing except single quotes.
            let file = file.display().to_string().replace('\'', "'\\''");
            format!("\"Authorization: Bearer $(cat '{file}')\"")
        }
        None => return format!("curl -sS http://{address}/v1/catalog"),
    };
    format!("curl -sS -X PUT -H {key} http://{address}/v1/accounts/acme")
}

impl ServeBanner {
    /// The addresses of a running server, and of its sandbox if there is one.
    pub(super) fn of(app: &App, catalog: String, mode: LedgerMode, sandbox: Option<String>) -> Self {
        let (admin_key, admin_key_file) = match app.first_key() {
            Some(FirstKey::ToShow(key)) => (Some(key.reveal().to_owned()), None),
            Some(FirstKey::In(file)) => (None, Some(file.display().to_string())),
            None => (None, None),
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            address: app.address().to_string(),
            metrics: app.metrics_address().map(|address| address.to_string()),
            data_directory: app.data_directory().map(|path| path.display().to_string()),
            catalog,
            mode: mode.to_string(),
            admin_key,
            admin_key_file,
            sandbox,
            try_it: try_it(app.address(), app.first_key()),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { version, address, catalog, mode, try_it, .. } = self;
        let data = self.data_directory.as_deref().unwrap_or("the database of DATABASE_URL");
        let key = self.admin_key.as_ref().map(|key| {
            format!("\n  admin key  {key}\n             It is shown only this once. Keep it, or make others with `counterfoil keys create`.")
        });
        let key_file = self.admin_key_file.as_ref().map(|file| {
            format!("\n  admin key  in {file}, for this user alone. Take it from there, and remove the file.")
        });
        let metrics = self.metrics.as_ref().map(|address| format!("\n  metrics    http://{address}/metrics"));
        let sandbox = self.sandbox.as_ref().map(|url| {
            format!("\n  sandbox    {url}\n             A stand-in for Stripe: pay with 4242 4242 4242 4242, and move its clock. Nothing is kept when it ends.")
        });
        format!(
            "Counterfoil {version} serves at http://{address}\n  \
             data       {data}\n  \
             catalog    {catalog}\n  \
             mode       {mode}\n  \
             API        http://{address}/docs{}{}{}\n  \
             try it     {try_it}",
            metrics.unwrap_or_default(),
            sandbox.unwrap_or_default(),
            key.or(key_file).unwrap_or_default()
        )
    }
}
