//! What a browser sends of a form, and of a question: names and values, percent-decoded.
//!
//! In: any bytes. Out: [`Form`]. Invariants: whatever the bytes are, it is a form, perhaps an empty one; no more than
//! [`FIELDS_MAX`] fields are read, none is repeated unescaped.

/// Fields of a form; of two with one name the first counts.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads application/x-www-form-urlencoded.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX);
        let field = |pair: &[u8]| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (decoded(&pair[..at]), decoded(pair.get(at + 1..).unwrap_or_default()))
        };
        Self(pairs.map(field).collect())
    }

    /// A field; empty where it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A field that is not empty.
    pub(super) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }
}

fn decoded(bytes: &[u8]) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hidden = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2))).filter(|_| *byte == b'%');
        match hidden {
            Some((high, low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            None => {
                plain.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Fields that are read.
const FIELDS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form = Form::read(b"name=hana&password=a+b%2Bc%20%E6%B0%97&empty=&name=other&odd=%zz%4");
        assert_eq!((form.get("name"), form.get("password")), ("hana", "a b+c 気"));
        assert_eq!((form.some("empty"), form.some("none"), form.get("odd")), (None, None, "%zz%4"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_form(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let form = Form::read(&bytes);
            assert!(form.0.len() <= FIELDS_MAX);
        }
    }
}
