//! Which parts of an address may be shown? All except the user and the password, even where they are not expected.

use std::borrow::Cow;

/// The text, with `…` for what is before the `@` of an address.
#[must_use]
pub fn without_password(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        // Without a scheme it is unknown where the address begins.
        return match text.rsplit_once('@') {
            Some((_, host)) => Cow::Owned(format!("…@{host}")),
            None => Cow::Borrowed(text),
        };
    };
    // A password may have any character in it where somebody forgot to write it as %2F, so the last `@` counts.
    match rest.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://…@{host}")),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_at_is_not_shown() {
        for (text, shown) in [
            ("https://api.stripe.com", "https://api.stripe.com"),
            ("https://ada:hunter2@proxy.example/path", "https://…@proxy.example/path"),
            ("https://:hunter2@proxy.example", "https://…@proxy.example"),
            ("https://ada:hun/ter@2@proxy.example", "https://…@proxy.example"),
            ("ada:hunter2@proxy.example:80", "…@proxy.example:80"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(without_password(text), shown);
        }
    }
}
