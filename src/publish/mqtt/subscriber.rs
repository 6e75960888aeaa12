//! What a broker passes on, for somebody who watches: any filter, nothing is published.
//!
//! In: a broker and filters. Out: [`News`] on a bounded channel. Invariants: who reads slowly slows the connection and fills
//! no memory; a lost connection is made again with pauses that grow; a refusal ends it with the reason.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::client::{CONNECT_S, Client, Dial, Heard, Version};
use super::loss::Loss;
use super::papers::{self, Validity};
use super::speech::{Backoff, Speech};
use super::trouble::Denial;
use crate::clock::monotonic_ns;
use crate::config::broker::Remote;

/// Hears what is published under some filters.
pub struct Subscriber {
    /// The broker and how it is spoken to.
    pub broker: Remote,
    /// MQTT client id; no other client may have it.
    pub client_id: String,
    /// What is asked for.
    pub filters: Vec<String>,
}

/// What a subscriber has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The broker lets us in.
    Connected(Version),
    /// Somebody published something.
    Came {
        /// Where.
        topic: String,
        /// What.
        body: Vec<u8>,
        /// Whether the broker had kept it.
        is_retained: bool,
    },
    /// The connection is lost; it is made again.
    Lost,
}

impl Subscriber {
    /// Listens until nobody takes the news any more, or the broker refuses.
    ///
    /// # Errors
    /// [`Denial`], with the remedy.
    pub async fn run(self, news: mpsc::Sender<News>) -> Result<(), Denial> {
        let (mut speech, mut backoff) = (Speech::new(self.broker.protocol), Backoff::of(&self.client_id));
        while !news.is_closed() {
            let (loss, has_stood) = self.connection(speech.version(monotonic_ns()), &news).await?;
            if has_stood {
                backoff.reset();
            } else {
                speech.refused(&loss, monotonic_ns());
            }
            match loss {
                Loss::Denied(denial) => return Err(denial),
                Loss::OtherVersion if speech.is_fixed() => return Err(Denial::Protocol),
                _ => {}
            }
            if news.send(News::Lost).await.is_err() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause(PAUSE_MAX)) => {}
                () = news.closed() => {}
            }
        }
        Ok(())
    }

    /// One connection from CONNECT to its loss; whether the broker let us in.
    async fn connection(&self, version: Version, news: &mpsc::Sender<News>) -> Result<(Loss, bool), Denial> {
        let validity = Arc::new(Validity::default());
        let dial = Dial {
            host: &self.broker.host,
            port: self.broker.port,
            client_id: &self.client_id,
            will: None,
            login: self.broker.login.as_ref().map(papers::password).transpose()?,
            tls: self.broker.tls.as_ref().map(|tls| papers::client_config(tls, &validity)).transpose()?,
            patience_s: CONNECT_S,
        };
        let (client, mut events) = Client::dial(dial, version);
        let mut has_stood = false;
        loop {
            let heard = tokio::select! {
                heard = events.heard() => heard,
                () = news.closed() => return Ok((Loss::Gone, has_stood)),
            };
            let told = match heard {
                Heard::Connected { .. } => {
                    has_stood = true;
                    // A new connection has room for as many requests as a person has filters.
                    self.filters.iter().for_each(|filter| {
                        client.subscribe(filter);
                    });
                    News::Connected(version)
                }
                Heard::Came { topic, body, is_retained } => News::Came { topic, body, is_retained },
                Heard::Subscribed { refusal: Some(reason) } => return Err(Denial::NotAllowed(reason)),
                Heard::Lost(loss) => return Ok((loss, has_stood)),
                _ => continue,
            };
            if news.send(told).await.is_err() {
                client.disconnect();
                return Ok((Loss::Gone, has_stood));
            }
        }
    }
}

/// Filters that can be asked for at once.
pub const FILTERS_MAX: usize = 32;
/// Longest pause between two connections.
const PAUSE_MAX: std::time::Duration = std::time::Duration::from_secs(10);
