//! Opening hours: when a shop is open, by the clock on its wall.
//!
//! In: "10:00-21:00". Out: [`Hours`]. Invariant: they begin and end with a quarter of an hour, as windows do: other times would cut
//! them.

use jiff::civil::Time;

/// Hours of the day in which a shop is open, by the clock on its wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// When it opens.
    pub open: Time,
    /// When it closes, on the next day where that is before it opens; `None`: midnight at the end of the day.
    pub close: Option<Time>,
}

/// What is no opening hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} are no hours; {HOURS_REMEDY}")]
pub struct NoHours(pub String);

impl Hours {
    /// From "10:00-21:00"; "24:00" is the end of the day, and an end before the beginning lies on the next day.
    ///
    /// # Errors
    /// [`NoHours`].
    pub fn read(text: &str) -> Result<Self, NoHours> {
        let refused = || NoHours(text.to_owned());
        let (open, close) = text.split_once('-').ok_or_else(refused)?;
        let time = |text: &str| {
            let time = Time::strptime("%H:%M", text.trim()).map_err(|_| refused())?;
            if time.minute() % 15 == 0 { Ok(time) } else { Err(refused()) }
        };
        let open = time(open)?;
        let close = if close.trim() == "24:00" { None } else { Some(time(close)?) };
        if close == Some(open) { Err(refused()) } else { Ok(Self { open, close }) }
    }
}

/// How hours are written.
pub const HOURS_REMEDY: &str = "write them in quarters of an hour, for example 10:00-21:00, 09:30-24:00, 18:00-02:00";
