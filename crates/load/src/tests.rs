//! Is each target, rate and figure read and written as it is meant?

use super::*;

#[test]
fn a_base_url_is_plain_http_with_or_without_port_and_path() {
    let target = LoadTarget::parse("http://localhost/ledger/", "key").expect("a good URL");
    assert_eq!((target.authority.as_str(), target.path_prefix.as_str()), ("localhost:80", "/ledger"));
    for wrong in ["https://localhost", "localhost:8080", "http://user:secret@localhost", "http://h/?a=b", ""]
    {
        assert!(LoadTarget::parse(wrong, "key").is_err(), "{wrong} was taken");
    }
    assert!(LoadTarget::parse("http://localhost", "key\r\nHost: other").is_err());
}
