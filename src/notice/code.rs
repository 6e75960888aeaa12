//! The QR code on a sign: the address of the policy, and of which sign it is asked.
//!
//! In: `notice.policy_url` and the sign's id. Out: the address, and dark modules. Invariant: error correction M or better, a
//! light border of four modules; the id is added only while the code stays coarse enough to be read from a metre.
//! Source: ISO/IEC 18004 (quiet zone: four modules).

use fast_qr::{ECL, QRBuilder};

use super::layout::{Area, WHITE};

/// A code and where it leads.
pub struct Code {
    /// The address in it.
    pub address: String,
    dark: Vec<Vec<bool>>,
}

impl Code {
    /// The code of a sign; `None` for an address longer than any code.
    #[must_use]
    pub fn of(policy_url: &str, sign_id: &str) -> Option<Self> {
        let with_id = (!policy_url.contains('#')).then(|| {
            let mark = if policy_url.contains('?') { '&' } else { '?' };
            format!("{policy_url}{mark}sign={sign_id}")
        });
        let coarse = with_id.and_then(Self::made).filter(|code| code.dark.len() <= MODULES_WITH_ID_MAX);
        coarse.or_else(|| Self::made(policy_url.to_owned()))
    }

    fn made(address: String) -> Option<Self> {
        let code = QRBuilder::new(address.clone()).ecl(ECL::M).build().ok()?;
        let dark = (0..code.size).map(|row| code[row].iter().map(|module| module.value()).collect()).collect();
        Some(Self { address, dark })
    }

    /// Modules on a side, the light border included.
    #[must_use]
    pub fn modules(&self) -> usize {
        self.dark.len() + 2 * QUIET
    }

    /// The code as SVG, its light border included, in a square.
    #[must_use]
    pub fn svg(&self, area: Area) -> String {
        let Area { x, y, width: side, .. } = area;
        let module = side / self.modules() as f64;
        let mut path = String::new();
        for (row, modules) in self.dark.iter().enumerate() {
            // Dark modules in a row are one stroke: a seam between them would be a light hair in print.
            let mut column = 0;
            while column < modules.len() {
                let run = modules[column..].iter().take_while(|dark| **dark).count();
                if run > 0 {
                    let [left, top] = [column, row].map(|at| (at + QUIET) as f64 * module);
                    path.push_str(&format!(
                        "M{:.3} {:.3}h{:.3}v{module:.3}h-{:.3}z",
                        x + left,
                        y + top,
                        run as f64 * module,
                        run as f64 * module
                    ));
                }
                column += run.max(1);
            }
        }
        format!(
            r##"<rect x="{x:.2}" y="{y:.2}" width="{side:.2}" height="{side:.2}" fill="{WHITE}"/><path d="{path}" fill="#000000" shape-rendering="crispEdges"/>"##
        )
    }
}

const QUIET: usize = 4;
/// 49 modules (version 8): on the side of 4.5 cm that an A4 sign has room for, a module is 0.8 mm wide.
const MODULES_WITH_ID_MAX: usize = 49;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_asked_for_where_the_address_has_room_for_it() {
        let address = |url: &str| Code::of(url, "AAAA-BBBB").map(|code| code.address);
        assert_eq!(address("https://shop.example/p").as_deref(), Some("https://shop.example/p?sign=AAAA-BBBB"));
        assert_eq!(address("https://shop.example/p?x=1").as_deref(), Some("https://shop.example/p?x=1&sign=AAAA-BBBB"));
        assert_eq!(address("https://shop.example/p#top").as_deref(), Some("https://shop.example/p#top"));
        let long = format!("https://shop.example/{}", "a".repeat(179));
        assert_eq!(address(&long), Some(long));
    }
}
