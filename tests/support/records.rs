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

/// A made-up map of a floor over the same time, `bytes` long and like no other.
pub fn map(index: i64, seq: u64, bytes: usize) -> Record {
    let span = WindowSpan { start_s: BEGIN_S + index * 900, dur_s: 900 };
    let mut state = index as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 33) as u8 % 26)
    };
    let data: String = (0..bytes).map(|_| letter()).collect();
    let body = format!(
        "{{\"v\":1,\"k\":\"heat\",\"id\":\"hall\",\"ws\":{},\"seq\":{seq},\"d\":{{\"data\":\"{data}\"}}}}",
        span.start_s
    );
    let topic = "kehai/v1/acme/s1/n1/win/heat/hall".to_owned();
    let message = Message { topic, body: body.into_bytes(), retain: true, at_least_once: true };
    Record { message, kind: "heat", id: "hall".to_owned(), span }
}
