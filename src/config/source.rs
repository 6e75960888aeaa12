//! Where a camera's pictures come from: an RTSP address or a device of this machine.
//!
//! In: the URL as written in the site file. Out: host and device for those who open it.
//! Invariant: printed without user and password.

use serde::{Deserialize, Serialize};

/// Where a camera's pictures come from. Holds credentials: printed without them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraSource(String);

impl CameraSource {
    /// Takes a URL as written in the site file.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The whole URL, for the one who opens it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The device file of a camera on this machine's USB: `usb:0` is `/dev/video0`, `usb:/dev/…` names it; `None`
    /// for everything else.
    #[must_use]
    pub fn usb_device(&self) -> Option<std::path::PathBuf> {
        let device = self.0.strip_prefix("usb:")?;
        let is_number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(device) {
            return Some(format!("/dev/video{device}").into());
        }
        let is_name = |name: &&str| !name.starts_with('.') && name.bytes().all(is_device_byte);
        let named = ["/dev/v4l/by-id/", "/dev/v4l/by-path/"].iter().find_map(|folder| device.strip_prefix(folder));
        let is_known = named.filter(is_name).is_some_and(|name| !name.is_empty())
            || device.strip_prefix("/dev/video").is_some_and(is_number);
        is_known.then(|| device.into())
    }

    /// The host part of the URL, without credentials and port.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.authority().1;
        match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    /// The port of the URL; where none is written, that of RTSP.
    #[must_use]
    pub fn port(&self) -> u16 {
        let behind = self.authority().1;
        let port = behind.rsplit(']').next().and_then(|rest| rest.rsplit_once(':'));
        port.and_then(|(_, port)| port.parse().ok()).unwrap_or(RTSP_PORT)
    }

    /// The same stream, asked of this address instead of the host.
    #[must_use]
    pub fn at(&self, address: std::net::SocketAddr) -> Self {
        let (before, behind) = self.authority();
        let rest = &self.0[before.len() + behind.len()..];
        Self(format!("{before}{address}{rest}"))
    }

    /// The URL without user and password: what is asked, and of whom.
    #[must_use]
    pub fn without_credentials(&self) -> String {
        let (before, _) = self.authority();
        let scheme = &before[..before.find("://").map_or(0, |at| at + 3)];
        format!("{scheme}{}", &self.0[before.len()..])
    }

    /// The URL up to its host, with credentials, and host and port.
    fn authority(&self) -> (&str, &str) {
        let start = self.0.find("://").map_or(0, |at| at + 3);
        let rest = &self.0[start..];
        let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
        let host = authority.rfind('@').map_or(0, |at| at + 1);
        (&self.0[..start + host], &authority[host..])
    }

    /// Whether the camera is on this very machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        self.usb_device().is_some()
            || host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Debug for CameraSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(device) = self.usb_device() {
            return write!(f, "usb:{}", device.display());
        }
        write!(f, "{}://…@{}", self.0.split("://").next().unwrap_or_default(), self.host())
    }
}

/// Where RTSP lives when no port is written (RFC 2326).
const RTSP_PORT: u16 = 554;

/// Whether a byte may stand in the name of a device: udev makes them of these.
fn is_device_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.:+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_source_is_printed_without_its_password() {
        let source = CameraSource::new("rtsp://admin:geheim@127.0.0.1:554/live".to_owned());
        assert!(!format!("{source:?}").contains("geheim"));
        assert!(source.is_loopback() && source.host() == "127.0.0.1");
    }

    #[test]
    fn without_its_credentials_an_address_still_tells_host_and_stream() {
        for (url, bare) in [
            ("rtsp://u:p@10.0.0.1/a", "rtsp://10.0.0.1/a"),
            ("rtsp://u:p@x@10.0.0.1:554/a?b@c", "rtsp://10.0.0.1:554/a?b@c"),
            ("rtsp://10.0.0.2/staff@10.0.0.1/a", "rtsp://10.0.0.2/staff@10.0.0.1/a"),
            ("rtsp://u:p@[::1]:554/a", "rtsp://[::1]:554/a"),
            ("usb:/dev/video0", "usb:/dev/video0"),
        ] {
            let source = CameraSource::new(url.to_owned());
            let again = CameraSource::new(bare.to_owned());
            assert_eq!(source.without_credentials(), bare);
            assert_eq!((source.host(), source.port()), (again.host(), again.port()), "{url}");
        }
    }

    #[test]
    fn a_usb_camera_is_a_device_file_of_this_machine() {
        for (url, device) in [
            ("usb:0", Some("/dev/video0")),
            ("usb:/dev/video12", Some("/dev/video12")),
            ("usb:/dev/v4l/by-id/usb-046d_HD_Pro-video-index0", Some("/dev/v4l/by-id/usb-046d_HD_Pro-video-index0")),
            ("usb:", None),
            ("usb:1000", None),
            ("usb:/dev/video", None),
            ("usb:/etc/passwd", None),
            ("usb:/dev/v4l/by-id/../../sda", None),
            ("usb:/dev/v4l/by-id/", None),
            ("rtsp://usb:0@192.168.1.20/", None),
        ] {
            let source = CameraSource::new(url.to_owned());
            assert_eq!(source.usb_device(), device.map(std::path::PathBuf::from), "{url}");
            assert_eq!(source.is_loopback(), device.is_some(), "{url}");
        }
    }

    #[test]
    fn the_port_of_a_camera_is_found_behind_its_password_and_its_stream_elsewhere() {
        for (url, port, elsewhere) in [
            ("rtsp://127.0.0.1/a", 554, "rtsp://10.0.0.7:99/a"),
            ("rtsp://u:80@127.0.0.1:8554/a:9?b@c", 8554, "rtsp://u:80@10.0.0.7:99/a:9?b@c"),
            ("rtsp://cam.example:7", 7, "rtsp://10.0.0.7:99"),
            ("rtsp://[::1]:8554/a", 8554, "rtsp://10.0.0.7:99/a"),
            ("rtsp://[::1]/a", 554, "rtsp://10.0.0.7:99/a"),
        ] {
            let source = CameraSource::new(url.to_owned());
            assert_eq!(source.port(), port, "{url}");
            assert_eq!(source.at(([10, 0, 0, 7], 99).into()).reveal(), elsewhere);
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("rtsp://localhost/a", true),
            ("rtsp://[::1]:8554/a", true),
            ("rtsp://127.0.0.1@192.168.1.20/a", false),
            ("rtsp://cam.example/127.0.0.1", false),
            ("rtsp://192.168.1.20#@127.0.0.1/a", false),
            ("rtsp://192.168.1.20\\@127.0.0.1/a", false),
        ] {
            assert_eq!(CameraSource::new(url.to_owned()).is_loopback(), expected, "{url}");
        }
    }
}
