//! How is a page put together? By text, with everything that came from outside escaped.

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886}\
*{box-sizing:border-box}\
body{margin:0;font:16px/1.5 system-ui,sans-serif}\
.mark{background:#ffd54f;color:#221;padding:.5rem 1rem;font-weight:600;text-align:center}\
main{max-width:60rem;margin:0 auto;padding:1rem}\
main.narrow{max-width:28rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}\
label{display:block;margin:.75rem 0 .25rem;font-weight:600}\
input,select,button{font:inherit;padding:.6rem;border:1px solid var(--line);border-radius:.4rem;width:100%}\
button{cursor:pointer;background:#335cff;color:#fff;border:0;margin-top:1rem}\
button.quiet{background:#5556;color:inherit}\
.row{display:flex;gap:.5rem;flex-wrap:wrap}.row>*{flex:1 1 7rem}.row button{margin-top:0}\
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);white-space:nowrap}\
td button{width:auto;margin:0;padding:.2rem .6rem}\
[role=alert]{border-left:4px solid #c62828;padding:.5rem .75rem;background:#c6282822}\
[role=status]{border-left:4px solid #2e7d32;padding:.5rem .75rem;background:#2e7d3222}\
:focus-visible{outline:3px solid #ffb300;outline-offset:2px}\
details{margin-top:1rem}code{font-size:.9em}";

/// A whole page.
pub fn page(title: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} – sandbox Stripe</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <style>{STYLE}</style></head><body><div class=\"mark\">Sandbox – this is not Stripe, and no money moves</div>\
         <main><h1>{title}</h1>{main}</main></body></html>"
    )
}

pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// An id, or another word for programs.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

pub fn money(amount: i64, currency: &str) -> String {
    escape(&crate::money::shown(amount, currency))
}

/// A table, or a word that there is nothing.
pub fn table(headings: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("<p>{nothing}</p>");
    }
    let headings: String =
        headings.iter().map(|heading| format!("<th scope=\"col\">{heading}</th>")).collect();
    let cells = |row: &Vec<String>| row.iter().map(|cell| format!("<td>{cell}</td>")).collect::<String>();
    let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>", cells(row))).collect();
    format!(
        "<div class=\"scroll\"><table><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

pub fn alert(text: &str) -> String {
    format!("<p role=\"alert\">{}</p>", escape(text))
}

pub fn status(text: &str) -> String {
    format!("<p role=\"status\">{}</p>", escape(text))
}
