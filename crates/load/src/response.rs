//! What did the server answer?
//!
//! Only the part of HTTP/1.1 is read that is needed for a known server: status, length and body.
//! Chunked bodies are refused, since no measured route sends them.

use tokio::io::{AsyncRead, AsyncReadExt};

/// How many bytes are read at once. A single command's answer is much smaller.
const READ_BYTES: usize = 16 * 1024;
/// The longest answer, in bytes. A batch of 1,000 commands needs much less.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What shows that an item of a batch succeeded; no other `status` in an answer begins with this digit.
const ITEM_ACCEPTED: &[u8] = b"\"status\":2";

/// Why there is no answer to a request.
#[derive(Debug)]
pub(super) enum ResponseError {
    /// The connection is broken; a new one may work.
    Broken,
    /// The answer cannot be parsed, so nothing that follows could be counted.
    Malformed(&'static str),
}

/// The first line and headers of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ResponseHead {
    status: u16,
    /// The length of the head in bytes, including its empty line.
    bytes: usize,
    body_bytes: usize,
}

/// Reads answers from one connection, one at a time.
#[derive(Debug)]
pub(super) struct ResponseReader {
    buffer: Vec<u8>,
    body_at: usize,
}

impl ResponseReader {
    pub(super) fn new() -> Self {
        Self { buffer: Vec::with_capacity(READ_BYTES), body_at: 0 }
    }

    /// Reads the next answer completely, and returns its status.
    pub(super) async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<u16, ResponseError> {
        self.buffer.clear();
        let head = loop {
            self.read_some(stream).await?;
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
        };
        self.body_at = head.bytes;
        let whole = head.bytes.saturating_add(head.body_bytes);
        if whole > ANSWER_BYTES_MAX {
            return Err(ResponseError::Malformed("it is too long"));
        }
        while self.buffer.len() < whole {
            self.read_some(stream).await?;
        }
        if self.buffer.len() > whole {
            return Err(ResponseError::Malformed("it is longer than its content-length"));
        }
        Ok(head.status)
    }

    /// How many items of the last batch succeeded.
    pub(super) fn items_accepted(&self) -> u64 {
        let body = self.buffer.get(self.body_at..).unwrap_or_default();
        let accepted = body.windows(ITEM_ACCEPTED.len()).filter(|window| *window == ITEM_ACCEPTED).count();
        u64::try_from(accepted).unwrap_or(u64::MAX)
    }

    async fn read_some(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<(), ResponseError> {
        // More space than is ever filled: a read that fills its buffer would have to be followed by another one, only
        // to find that there is nothing more.
        self.buffer.reserve(READ_BYTES);
        match stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(ResponseError::Broken),
            Ok(_) => Ok(()),
        }
    }
}

/// The head. `None`: its end has not arrived.
fn parse_head(buffer: &[u8]) -> Result<Option<ResponseHead>, ResponseError> {
    // An incomplete last line is not a line yet.
    let mut lines = buffer.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.ends_with(b"\r\n"));
    let Some(first) = lines.next() else { return Ok(None) };
    let status = parse_status(first).ok_or(ResponseError::Malformed("it does not begin with HTTP/1.1"))?;
    let mut bytes = first.len();
    let mut length = None;
    for line in lines {
        bytes += line.len();
        if line == b"\r\n" {
            // Only an answer that cannot have a body may have no length.
            let body_bytes = length.or((status == 204).then_some(0));
            let body_bytes = body_bytes.ok_or(ResponseError::Malformed("it has no content-length"))?;
            return Ok(Some(ResponseHead { status, bytes, body_bytes }));
        }
        if let Some(value) = value_of(line, b"content-length:") {
            length = Some(
                value.parse().map_err(|_| ResponseError::Malformed("its content-length is not a number"))?,
            );
        }
    }
    Ok(None)
}

fn parse_status(line: &[u8]) -> Option<u16> {
    let line = str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// The value of a header line with this lower-case name and colon.
fn value_of<'line>(line: &'line [u8], name: &[u8]) -> Option<&'line str> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(())?;
    str::from_utf8(value).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_however_it_is_cut() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        for cut in 1..answer.len() {
            let mut stream = in_two(&answer[..cut], &answer[cut..]);
            let mut reader = ResponseReader::new();
            assert_eq!(reader.read(&mut stream).await.expect("a whole answer"), 201, "cut at {cut}");
            assert!(reader.buffer.ends_with(b"hello"));
        }
    }

    fn in_two<'bytes>(first: &'bytes [u8], second: &'bytes [u8]) -> impl AsyncRead + Unpin + 'bytes {
        first.chain(second)
    }

    #[tokio::test]
    async fn an_answer_without_a_length_is_malformed_and_a_cut_one_is_broken() {
        let mut chunked: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(ResponseReader::new().read(&mut chunked).await, Err(ResponseError::Malformed(_))));
        let mut cut: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
        assert!(matches!(ResponseReader::new().read(&mut cut).await, Err(ResponseError::Broken)));
        let mut empty: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert!(matches!(ResponseReader::new().read(&mut empty).await, Ok(204)));
    }

    #[tokio::test]
    async fn the_items_of_a_batch_are_counted_by_their_status() {
        let body = r#"[{"status":201,"account":{"status":"open"}},{"status":402},{"status":200}]"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut reader = ResponseReader::new();
        reader.read(&mut answer.as_bytes()).await.expect("a whole answer");
        assert_eq!(reader.items_accepted(), 2);
    }
}
