//! What streams a camera offers, asked of itself: its profiles, and where each is to be had.
//!
//! In: the [`Address`] of a device and [`Credentials`]. Out: [`Profile`]s. Invariants: only that address is asked,
//! whatever the device names; an RTSP address is kept without credentials; questions are few ([`PROFILES_MAX`]).
//! Source: ONVIF Core 5.9.4 (WS-UsernameToken), Media Service Specification ver10 (GetProfiles, GetStreamUri).

use std::io::Read;

use serde::Serialize;

use super::digest::{authorization, username_token};
use super::http::{Address, Answer, HttpError};
use super::secret::Credentials;
use super::xml;
use crate::clock::{UtcMs, utc_now};
use crate::wire::compose::rfc3339;

/// One stream a camera offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    #[serde(skip)]
    token: String,
    /// Its name, as the camera says.
    pub name: String,
    /// How it is packed, as the camera writes it.
    pub codec: String,
    /// Picture width, px.
    pub width_px: u32,
    /// Picture height, px.
    pub height_px: u32,
    /// Most pictures a second; `None` when it does not say.
    pub fps_max: Option<f64>,
    /// Time between two key frames, s; `None` when it does not say.
    pub keyframe_s: Option<f64>,
    /// Where it is to be had, without credentials; `None` when the camera does not say or its path holds a password.
    pub rtsp: Option<String>,
}

/// Why a device does not tell.
#[derive(Debug, thiserror::Error)]
pub enum OnvifError {
    /// Nothing came, or no HTTP.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// It wants to know who asks.
    #[error("asks for user and password; give --credentials FILE with one line user:password")]
    Locked,
    /// It knows another password.
    #[error("refuses this user and password (as ONVIF user; many cameras keep a list of those of its own)")]
    WrongPassword,
    /// It knows no such question.
    #[error("answers with an error: {0}")]
    Fault(String),
    /// Not the XML of an answer.
    #[error("its answer is not understood (no XML of ONVIF within bounds)")]
    Garbled,
    /// The system gives no random numbers.
    #[error("no random numbers from /dev/urandom")]
    NoChance,
}

/// A conversation with one device.
pub struct Talk<'a> {
    device: Address,
    credentials: Option<&'a Credentials>,
    /// How far the device's clock is ahead, ms: it accepts a digest of its own time alone.
    ahead_ms: i64,
}

impl<'a> Talk<'a> {
    /// Asks a device for its profiles and where they are to be had.
    ///
    /// # Errors
    /// [`OnvifError`] when it does not tell.
    pub fn profiles(device: Address, credentials: Option<&'a Credentials>) -> Result<Vec<Profile>, OnvifError> {
        let mut talk = Self { device, credentials: None, ahead_ms: 0 };
        // The time is told to everybody; a device that does not tell it keeps ours.
        match talk.ask(&talk.device, "<tds:GetSystemDateAndTime/>") {
            Err(OnvifError::Http(error)) => return Err(error.into()),
            told => talk.ahead_ms = told.ok().and_then(|body| time_in(&body)).map_or(0, |at| at.0 - utc_now().0),
        }
        talk.credentials = credentials;
        let capabilities = "<tds:GetCapabilities><tds:Category>Media</tds:Category></tds:GetCapabilities>";
        let media = match talk.ask(&talk.device, capabilities) {
            Ok(body) => media_in(&body, &talk.device),
            // Some answer to every question in one place.
            Err(OnvifError::Fault(_) | OnvifError::Garbled) => talk.device.clone(),
            Err(error) => return Err(error),
        };
        let mut profiles = profiles_in(&talk.ask(&media, "<trt:GetProfiles/>")?).ok_or(OnvifError::Garbled)?;
        for profile in &mut profiles {
            let question = format!(
                "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP\
                 </tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>{}</trt:ProfileToken></trt:GetStreamUri>",
                xml::escape(&profile.token)
            );
            match talk.ask(&media, &question) {
                Ok(body) => profile.rtsp = address_in(&body, &media, credentials),
                Err(OnvifError::Fault(_) | OnvifError::Garbled) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(profiles)
    }

    /// Asks one question; gives the body of the answer.
    fn ask(&self, at: &Address, question: &str) -> Result<Vec<u8>, OnvifError> {
        let token = match self.credentials {
            Some(credentials) => {
                let created = rfc3339(UtcMs((utc_now().0 + self.ahead_ms).div_euclid(1000) * 1000));
                username_token(credentials, &created, random()?)
            }
            None => String::new(),
        };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
             xmlns:tt=\"http://www.onvif.org/ver10/schema\"><s:Header>{token}</s:Header><s:Body>{question}</s:Body></s:Envelope>"
        );
        let mut answer = at.post(&body, None)?;
        if let (401, Some(credentials)) = (answer.status, self.credentials)
            && let Some(shown) = authorization(credentials, &answer.challenges, &at.path, random()?)
        {
            answer = at.post(&body, Some(&shown))?;
        }
        self.judged(answer)
    }

    fn judged(&self, answer: Answer) -> Result<Vec<u8>, OnvifError> {
        let fault = xml::read(&answer.body, |document| {
            let fault = xml::first(document.root(), &["Fault"])?;
            let texts = fault.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
            Some(texts.collect::<Vec<_>>().join(" "))
        });
        let is_locked = answer.status == 401
            || fault.as_ref().is_some_and(|said| LOCKED_WORDS.iter().any(|word| said.contains(word)));
        match (is_locked, fault, answer.status) {
            (true, ..) if self.credentials.is_some() => Err(OnvifError::WrongPassword),
            (true, ..) => Err(OnvifError::Locked),
            (_, Some(said), _) => Err(OnvifError::Fault(xml::plain(&said))),
            (_, None, 200) => Ok(answer.body),
            (_, None, status) => Err(OnvifError::Fault(format!("HTTP status {status}"))),
        }
    }
}

/// The time of a device.
fn time_in(body: &[u8]) -> Option<UtcMs> {
    xml::read(body, |document| {
        let utc = xml::first(document.root(), &["UTCDateTime"])?;
        let part = |path: &[&'static str]| xml::number::<i16>(utc, path);
        let small = |path: &[&'static str]| xml::number::<i8>(utc, path);
        let (year, month, day) = (part(&["Date", "Year"])?, small(&["Date", "Month"])?, small(&["Date", "Day"])?);
        let [hour, minute] = [small(&["Time", "Hour"])?, small(&["Time", "Minute"])?];
        let second = small(&["Time", "Second"])?.min(59);
        let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let at = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(UtcMs(at.as_millisecond()))
    })
}

/// Where the device answers questions about media; never another machine.
fn media_in(body: &[u8], device: &Address) -> Address {
    let told = xml::read(body, |document| Address::parse(xml::text(document.root(), &["Media", "XAddr"])?).ok());
    told.filter(|told| told.socket.ip() == device.socket.ip()).unwrap_or_else(|| device.clone())
}

fn profiles_in(body: &[u8]) -> Option<Vec<Profile>> {
    xml::read(body, |document| {
        let answer = xml::first(document.root(), &["GetProfilesResponse"])?;
        let profiles = xml::all(answer, "Profiles").filter_map(|profile| {
            let video = xml::first(profile, &["VideoEncoderConfiguration"])?;
            let side = |name| xml::number::<u32>(video, &["Resolution", name]).filter(|px| SIDES_PX.contains(px));
            let rate = xml::number::<f64>(video, &["RateControl", "FrameRateLimit"]).filter(|fps| FPS.contains(fps));
            let group = xml::number::<f64>(video, &["GovLength"]).filter(|frames| GROUPS.contains(frames));
            Some(Profile {
                token: profile.attribute("token")?.chars().take(TOKEN_CHARS_MAX).collect(),
                name: xml::plain(xml::text(profile, &["Name"]).unwrap_or("unnamed")),
                codec: xml::plain(xml::text(video, &["Encoding"]).unwrap_or("unknown")),
                width_px: side("Width")?,
                height_px: side("Height")?,
                fps_max: rate,
                keyframe_s: group.zip(rate).map(|(frames, fps)| frames / fps),
                rtsp: None,
            })
        });
        Some(profiles.take(PROFILES_MAX).collect())
    })
}

/// The RTSP address of an answer, credentials taken out; none where a password may stand in its path.
fn address_in(body: &[u8], media: &Address, credentials: Option<&Credentials>) -> Option<String> {
    let uri = xml::read(body, |document| xml::text(document.root(), &["MediaUri", "Uri"]).map(str::to_owned))?;
    let rest = uri.strip_prefix("rtsp://")?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let port = place.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(RTSP_PORT);
    let lower = path.to_ascii_lowercase();
    let tells = |secret: &str| !secret.is_empty() && path.contains(secret);
    let is_telling = ["pass", "pwd", "auth", "token", "@"].iter().any(|word| lower.contains(word))
        || credentials.is_some_and(|credentials| tells(credentials.reveal()));
    let is_plain = path.len() <= PATH_BYTES_MAX && path.bytes().all(|byte| byte.is_ascii_graphic());
    // The device answers here; what it calls itself may be a name, or an address of another network.
    let host = std::net::SocketAddr::new(media.socket.ip(), port);
    (is_plain && !is_telling).then(|| format!("rtsp://{host}{path}"))
}

/// Random bytes of the system.
pub fn random() -> Result<[u8; 16], OnvifError> {
    let mut bytes = [0u8; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map(|()| bytes).map_err(|_| OnvifError::NoChance)
}

/// Words of a fault that mean "not with this password" (ONVIF Core, 5.11.2.2, and what devices write).
const LOCKED_WORDS: [&str; 4] = ["NotAuthorized", "not authorized", "FailedAuthentication", "InvalidSecurity"];
/// Profiles of one camera that are asked for.
const PROFILES_MAX: usize = 16;
const TOKEN_CHARS_MAX: usize = 64;
const PATH_BYTES_MAX: usize = 256;
const RTSP_PORT: u16 = 554;
/// Sides, rates and key frame distances a camera can have; what lies outside is not told.
const SIDES_PX: std::ops::RangeInclusive<u32> = 1..=16_384;
const FPS: std::ops::RangeInclusive<f64> = 0.1..=240.0;
const GROUPS: std::ops::RangeInclusive<f64> = 1.0..=10_000.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn media() -> Address {
        Address::parse("http://192.168.1.20/onvif/media").expect("local")
    }

    fn uri(text: &str) -> Option<String> {
        let body = format!("<a><MediaUri><Uri>{}</Uri></MediaUri></a>", xml::escape(text));
        address_in(body.as_bytes(), &media(), Credentials::of("admin:geheim").as_ref())
    }

    #[test]
    fn an_address_is_kept_without_credentials() {
        assert_eq!(uri("rtsp://192.168.1.20:8554/sub?x=1").as_deref(), Some("rtsp://192.168.1.20:8554/sub?x=1"));
        assert_eq!(uri("rtsp://admin:geheim@192.168.1.20/sub").as_deref(), Some("rtsp://192.168.1.20:554/sub"));
        assert_eq!(uri("rtsp://a:b@cam.local/sub").as_deref(), Some("rtsp://192.168.1.20:554/sub"));
        for telling in [
            "rtsp://192.168.1.20/user=admin&password=x&channel=1",
            "rtsp://192.168.1.20/live/geheim",
            "rtsp://a:b/c@192.168.1.20/live",
            "http://192.168.1.20/live",
        ] {
            assert_eq!(uri(telling), None, "{telling}");
        }
    }

    #[test]
    fn another_machine_is_never_asked_whatever_the_device_says() {
        let told = |url: &str| media_in(format!("<a><Media><XAddr>{url}</XAddr></Media></a>").as_bytes(), &media());
        assert_eq!(told("http://192.168.1.20:81/m").path, "/m");
        for foreign in ["http://192.168.1.21/m", "http://8.8.8.8/m", "https://192.168.1.20/m", "x"] {
            assert_eq!(told(foreign), media(), "{foreign}");
        }
    }

    #[test]
    fn the_time_of_a_device_is_read() {
        let body = "<a><UTCDateTime><Time><Hour>10</Hour><Minute>0</Minute><Second>5</Second></Time>\
                    <Date><Year>2026</Year><Month>1</Month><Day>5</Day></Date></UTCDateTime></a>";
        assert_eq!(time_in(body.as_bytes()), Some(UtcMs(1_767_607_205_000)));
        assert_eq!(time_in(body.replace("2026", "99999").as_bytes()), None);
        assert_eq!(time_in(body.replace(">10<", ">77<").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn answers_of_garbage_are_nothing_and_no_panic(garbage in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
            let _ = (time_in(&garbage), profiles_in(&garbage), media_in(&garbage, &media()));
            let shown = uri(&format!("rtsp://{text}"));
            prop_assert!(shown.is_none_or(|shown| !shown.contains("geheim") && !shown.contains(char::is_control)));
            let profile = format!("<GetProfilesResponse><Profiles token='{0}'><Name>{0}</Name><VideoEncoderConfiguration>\
                <Resolution><Width>{0}</Width></Resolution></VideoEncoderConfiguration></Profiles></GetProfilesResponse>", xml::escape(&text));
            let _ = profiles_in(profile.as_bytes());
        }
    }
}
