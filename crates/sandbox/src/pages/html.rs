//! How is a page put together? As markup whose type escapes everything that is inserted.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The only text that is inserted without escaping.
const STYLE: PreEscaped<&str> = PreEscaped(include_str!("style.css"));

/// A whole page.
pub fn page(title: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " – sandbox Stripe" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                style { (STYLE) }
            }
            body {
                div.mark { "Sandbox – this is not Stripe, and no money moves" }
                main { h1 { (title) } (main) }
            }
        }
    }
}

/// A table of rows, each a `tr`, or the text `nothing` if there are none.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Markup>, nothing: &str) -> Markup {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return html! { p { (nothing) } };
    }
    html! {
        div.scroll {
            table {
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

pub fn alert(text: &str) -> Markup {
    html! { p role="alert" { (text) } }
}

pub fn status(text: &str) -> Markup {
    html! { p role="status" { (text) } }
}

/// The URL if it is one of HTTP. Others, such as `javascript:`, could run code.
pub fn web_address(url: &str) -> Option<&str> {
    (url.starts_with("http://") || url.starts_with("https://")).then_some(url)
}
