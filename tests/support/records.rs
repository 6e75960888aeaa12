//! Windows as the gate releases them, made up: for tests of what happens to them afterwards.

use kehai::clock::WindowSpan;
use kehai::wire::Message;
use kehai::wire::compose::Record;

/// First moment of the made-up windows, s since 1970: 2026-01-05T10:00:00Z.
pub const BEGIN_S: i64 = 1_767_607_200;

/// A made-up window of a door, the `index`-th quarter of an hour from [`BEGIN_S`], under the number `seq`.
pub fn door(index: i64, seq: u64) -> Record {
    let span = WindowSpan { start_s: BEGIN_S + index * 900, dur_s: 900 };
    let body = format!(
        "{{\"v\":1,\"k\":\"line\",\"id\":\"door\",\"ws\":{},\"seq\":{seq},\"d\":{{\"in\":{index}}}}}",
        span.start_s
    );
    let topic = "kehai/v1/acme/s1/n1/win/line/door".to_owned();
    let message = Message { topic, body: body.into_bytes(), retain: true, at_least_once: true };
    Record { message, kind: "line", id: "door".to_owned(), span }
}
