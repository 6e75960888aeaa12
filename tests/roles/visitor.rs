//! The page as it is served to a network, and visitors of it: a small client over TLS that keeps cookies and can come from
//! any address of loopback.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use kehai::clock::{WindowSpan, utc_now};
use kehai::config::PageDoor;
use kehai::publish::web::{Page, Sheets, Shelf, Transparency};
use kehai::switch::{Bounds, Mode, Person, Role, Site, Turn};
use kehai::vault::{Vault, step_at};
use kehai::wire::Message;
use kehai::wire::compose::Record;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::staff::{Staff, password};
use crate::support::broker::{await_port, free_port};
use crate::support::folder::Folder;
use crate::support::papers::Authority;
use crate::support::records::BEGIN_S;
use crate::support::served::serve_page;

/// A page that is served, over a store with six windows, armed.
pub struct Served {
    pub vault: Arc<Vault>,
    pub port: u16,
    pub staff: Staff,
    /// Step of the owner's code when it was made; this one and the next are good for a while.
    pub step: u64,
    tls: Option<Arc<ClientConfig>>,
    pub folder: Folder,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Somebody with a browser.
pub struct Visitor<'a> {
    pub served: &'a Served,
    pub cookies: BTreeMap<String, String>,
    address: Ipv4Addr,
}

impl Served {
    /// To a network.
    pub fn to_network() -> Self {
        Self::at(|folder, port| {
            let authority = Authority::new("a town");
            let [cert, key] = authority.sign(folder, "page", "shop", &["localhost"]);
            let roots = authority.file(folder, "ca.pem");
            let address = Ipv4Addr::LOCALHOST.into();
            (PageDoor::Network { address, port, cert_file: cert.into(), key_file: key.into() }, Some(roots))
        })
    }

    /// To this machine alone.
    pub fn to_loopback() -> Self {
        Self::at(|_, port| (PageDoor::Loopback { port }, None))
    }

    fn at(door: impl FnOnce(&Folder, u16) -> (PageDoor, Option<String>)) -> Self {
        let (folder, (port, held)) = (Folder::new(), free_port());
        let vault = Arc::new(Vault::throw_away().expect("memory"));
        let staff = Staff::join(&vault);
        (0..5).for_each(|index| vault.release(|seq| crate::support::records::door(index, seq)).expect("room"));
        vault.release(withheld).expect("room");
        arm(&vault);
        let (door, roots) = door(&folder, port);
        let selftest = folder.write("selftest.json", "{\"proofs\":[]}");
        let served = Arc::clone(&vault);
        drop(held);
        serve_page(move || page(&served, selftest.clone().into()), door);
        let step = step_at(utc_now().0.div_euclid(1000));
        Self { vault, port, staff, step, tls: roots.map(|roots| believing(&roots)), folder }
    }

    /// The page of a shop that runs, once it is there: one of each role is added beside it.
    pub fn of_shop(vault: Vault, port: u16, roots: &str) -> Self {
        let staff = Staff::join(&vault);
        await_port(port, true);
        let step = step_at(utc_now().0.div_euclid(1000));
        Self { vault: Arc::new(vault), port, staff, step, tls: Some(believing(roots)), folder: Folder::new() }
    }

    pub fn mode(&self) -> Mode {
        self.vault.switch().expect("it can be read").mode()
    }

    /// What nobody but an owner may have changed: where the switch stands, and what is kept.
    pub fn state(&self) -> (Mode, u64, usize) {
        let windows = self.vault.status().expect("it can be read").windows;
        (self.mode(), windows, self.vault.people().expect("they can be read").len())
    }

    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    pub fn visitor(&self) -> Visitor<'_> {
        self.visitor_from(Ipv4Addr::LOCALHOST)
    }

    pub fn visitor_from(&self, address: Ipv4Addr) -> Visitor<'_> {
        Visitor { served: self, cookies: BTreeMap::new(), address }
    }

    /// Somebody of this role who has come in; the owner with their first code.
    pub fn logged_in(&self, role: Role) -> Visitor<'_> {
        let mut visitor = self.visitor();
        let answer = visitor.log_in(role, self.step);
        assert_eq!(answer.status, 303, "{answer:?}");
        visitor
    }

    /// A connection through TLS, for whoever writes on it themselves.
    pub fn stream(&self, from: Ipv4Addr) -> StreamOwned<ClientConnection, TcpStream> {
        let config = self.tls.as_ref().expect("it is at a network");
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::clone(config), name).expect("a client");
        StreamOwned::new(connection, connect(from, self.port))
    }

    /// Sends bytes as they are and reads what comes, through TLS where there is some.
    pub fn raw(&self, from: Ipv4Addr, request: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        // A server that has refused may close before everything was sent: what it said is what counts.
        match &self.tls {
            None => {
                let mut tcp = connect(from, self.port);
                let _ = tcp.write_all(request);
                let _ = tcp.read_to_end(&mut answer);
            }
            Some(_) => {
                let mut stream = self.stream(from);
                let _ = stream.write_all(request);
                let _ = stream.read_to_end(&mut answer);
            }
        }
        answer
    }
}

fn believing(roots: &str) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_file_iter(roots).expect("a file").flatten());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    Arc::new(config.with_root_certificates(store).with_no_client_auth())
}

/// A connection from an address of loopback.
pub fn connect(from: Ipv4Addr, port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &SocketAddrV4::new(from, 0)).expect("loopback has many addresses");
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).expect("the page is served");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    stream
}

fn arm(vault: &Vault) {
    let bounds = Bounds {
        k: 5,
        crowd_min: 5,
        cell_mm: BTreeMap::new(),
        keep_days: 30,
        masks: BTreeMap::new(),
        dangers: Vec::new(),
    };
    let site = Site { declaration: "d".into(), sign: "SIGN".into(), bounds, is_sole_operator: true };
    let by = Person::new("owner", Role::Owner);
    vault.turn(&Turn::Arm { by, site }, "owner", None).expect("an owner may");
}

/// A window of a zone in which fewer than k people were.
fn withheld(seq: u64) -> Record {
    let body = format!(
        r#"{{"v":1,"k":"zone","id":"cellar","ws":"2026-01-05T11:15:00Z","dur":900,"rev":0,"boot":"b","seq":{seq},"cfg":"c","clk":"sync","cov_ms":900000,"privacy":{{"profile":"threshold","k":5}},"d":{{}}}}"#
    );
    let topic = "kehai/v1/acme/s1/n1/win/zone/cellar".to_owned();
    let message = Message { topic, body: body.into_bytes(), retain: true, at_least_once: true };
    Record {
        message,
        kind: "zone",
        id: "cellar".to_owned(),
        span: WindowSpan { start_s: BEGIN_S + 5 * 900, dur_s: 900 },
    }
}

fn page(vault: &Arc<Vault>, selftest: PathBuf) -> Page {
    let (_, health) = tokio::sync::watch::channel(None);
    Page {
        name: "Shop <b> & sons".into(),
        k: 5,
        timezone: "Asia/Tokyo".into(),
        names: BTreeMap::from([("zone/cellar".to_owned(), "Cellar".to_owned())]),
        seen: BTreeMap::from([("hall".to_owned(), vec![true])]),
        vault: Arc::clone(vault),
        dangers: Vec::new(),
        health,
        connected: Arc::new(AtomicBool::new(true)),
        shelf: Shelf::default(),
        transparency: Transparency::new(Some(selftest), |_| Sheets {
            notice: Some("<h1>Policy</h1>".into()),
            self_test: Some("<h1>proofs</h1>".into()),
        }),
    }
}

impl Visitor<'_> {
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// Posts a form as a page of ours does.
    pub fn post(&mut self, path: &str, form: &str) -> Answer {
        let origin = format!("{}://localhost:{}", self.served.scheme(), self.served.port);
        self.ask("POST", path, &[("Origin", &origin)], form)
    }

    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", self.served.port);
        if !cookies.is_empty() {
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let answer = Answer::read(&self.served.raw(self.address, request.as_bytes()));
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.cookies.remove(&name);
            } else {
                self.cookies.insert(name, value);
            }
        }
        answer
    }

    /// Logs in as whoever has this role; owners with the code of this step.
    pub fn log_in(&mut self, role: Role, step: u64) -> Answer {
        let code = if role == Role::Owner { self.served.staff.codes.code_of(step) } else { String::new() };
        self.try_in(role.name(), password(role), &code)
    }

    pub fn try_in(&mut self, name: &str, password: &str, code: &str) -> Answer {
        let token = self.get("/login").token();
        self.post("/login", &format!("token={token}&name={name}&password={}&code={code}", password.replace(' ', "+")))
    }

    /// The word of this session's forms.
    pub fn token(&mut self) -> String {
        self.get("/switch").token()
    }
}

impl Answer {
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status,
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn cookies(&self) -> Vec<(String, String)> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        let pair = |(_, value): &(String, String)| {
            let (name, value) = value.split(';').next()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        set.filter_map(pair).collect()
    }

    /// The token of the first form.
    pub fn token(&self) -> String {
        let rest = self.body.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("a form: {self:?}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}
