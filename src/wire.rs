//! The exact bytes: records on the pipe between eye and mouth, payloads and topics for everybody else.
//!
//! In: [`crate::gate::ReleasedWindow`]s and counters. Out: 256-byte [`record::Record`]s (eye), [`Message`]s (mouth).
//! Invariant: this is the only serialisation of figures in the product (tests/tidy); a row of a person has no
//! type here, so none can be sent.

pub mod attempts;
#[cfg(feature = "mouth")]
pub mod audit;
pub mod benched;
#[cfg(feature = "mouth")]
pub mod compose;
pub mod counters;
#[cfg(feature = "mouth")]
pub mod payload;
#[cfg(feature = "mouth")]
pub mod read;
pub mod ready;
pub mod record;
#[cfg(feature = "mouth")]
pub mod schema;
#[cfg(feature = "mouth")]
pub mod seal;
pub mod sounding;
#[cfg(feature = "mouth")]
pub mod vz1;

/// One message as it goes to the broker: these bytes and no others, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub topic: String,
    /// The payload, JSON.
    pub body: Vec<u8>,
    /// Whether the broker keeps it for those who come later.
    pub retain: bool,
    /// Whether it is sent until acknowledged.
    pub at_least_once: bool,
}
