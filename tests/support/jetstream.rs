//! A sink at NATS: a durable consumer of the stream in which a cluster keeps what came by MQTT, in NATS's own tongue.
//!
//! In: a client port of a server. Out: every message under `$MQTT_msgs`, whoever has heard it. The consumer is made before the
//! first node comes, and acknowledges nothing, so that all of it can be read at the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::broker::Got;

/// One connection.
struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Client {
    fn at(port: u16) -> std::io::Result<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_read_timeout(Some(Duration::from_secs(3)))?;
        let mut client = Self { reader: BufReader::new(writer.try_clone()?), writer };
        let options =
            r#"{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"rust","version":"0"}"#;
        client.say(&format!("CONNECT {options}\r\nSUB inbox.> 1\r\n"))?;
        Ok(client)
    }

    fn say(&mut self, words: &str) -> std::io::Result<()> {
        self.writer.write_all(words.as_bytes())
    }

    fn ask(&mut self, subject: &str, body: &str) -> std::io::Result<()> {
        self.say(&format!("PUB {subject} inbox.a {}\r\n{body}\r\n", body.len()))
    }

    /// The next message: subject, head and body.
    fn message(&mut self) -> std::io::Result<(String, String, String)> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| words[at].parse::<usize>().unwrap_or(0);
            let (head, whole) = match words.first().copied() {
                Some("PING") => {
                    self.say("PONG\r\n")?;
                    continue;
                }
                Some("MSG") => (0, number(words.len() - 1)),
                Some("HMSG") => (number(words.len() - 2), number(words.len() - 1)),
                _ => continue,
            };
            let mut bytes = vec![0; whole + 2];
            self.reader.read_exact(&mut bytes)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Ok((words[1].to_owned(), text(&bytes[..head]), text(&bytes[head..whole])));
        }
    }
}

/// Makes the consumer; the stream is there once any MQTT client has come.
pub fn make_sink(port: u16) {
    let config = r#"{"stream_name":"$MQTT_msgs","config":{"durable_name":"sink","ack_policy":"explicit","deliver_policy":"all",
        "ack_wait":3600000000000,"max_ack_pending":100000,"max_waiting":16,"num_replicas":3}}"#;
    let mut client = Client::at(port).expect("a server");
    client.ask("$JS.API.CONSUMER.DURABLE.CREATE.$MQTT_msgs.sink", config).expect("it listens");
    let (_, _, answer) = client.message().expect("JetStream answers");
    assert!(answer.contains("\"name\":\"sink\""), "{answer}");
}

/// All that lies in the stream.
pub fn drain_sink(port: u16) -> Vec<Got> {
    let mut got = Vec::new();
    for _ in 0..100 {
        let before = got.len();
        let mut client = Client::at(port).expect("a server");
        client.ask("$JS.API.CONSUMER.MSG.NEXT.$MQTT_msgs.sink", r#"{"batch":500,"no_wait":true}"#).expect("it listens");
        while let Ok((subject, head, body)) = client.message() {
            if let Some(topic) = subject.strip_prefix("$MQTT.msgs.") {
                got.push(Got { retained: false, qos: 1, topic: topic.replace('.', "/"), body });
            } else if head.contains("404") || head.contains("408") {
                break;
            }
        }
        if got.len() == before {
            break;
        }
    }
    got
}
