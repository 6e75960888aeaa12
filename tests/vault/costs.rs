//! What the store costs a mouth, as figures: one window, a burst of them, an acknowledgement, the look for what is due.

use std::path::Path;
use std::time::{Duration, Instant};

use kehai::config::Keeping;
use kehai::vault::{Delivery, Vault};

use crate::support::folder::Folder;
use crate::support::records::{door, map};

fn median_us(mut times: Vec<Duration>) -> [u128; 3] {
    times.sort();
    [times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]].map(|time| time.as_micros())
}

fn timed(count: i64, mut deed: impl FnMut(i64)) -> Vec<Duration> {
    let one = |index| {
        let begun = Instant::now();
        deed(index);
        begun.elapsed()
    };
    (0..count).map(one).collect()
}

#[test]
#[ignore = "figures, not laws: run it alone"]
#[expect(clippy::print_stdout, reason = "figures are read by people")]
fn what_a_release_costs() {
    let folder = Folder::new();
    let vault = Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("room");
    let doors = timed(200, |index| vault.release(|seq| door(index, seq)).expect("room"));
    println!(
        "release of a door, us, median p99 most: {:?}, 200 in {:?}",
        median_us(doors.clone()),
        doors.iter().sum::<Duration>()
    );
    let maps = timed(200, |index| vault.release(|seq| map(index, seq, 18_000)).expect("room"));
    println!("release of an 18 KB map, us: {:?}, 200 in {:?}", median_us(maps.clone()), maps.iter().sum::<Duration>());
    let mut row = 0;
    let looks = timed(300, |_| row = vault.due(row).expect("many wait").0 + 1);
    println!("look for the next due, us: {:?}", median_us(looks));
    let settled = timed(300, |index| vault.settle(index as u64 + 1, Delivery::Done));
    println!("settle, us: {:?}, 300 in {:?}", median_us(settled.clone()), settled.iter().sum::<Duration>());
    let heads = timed(20, |index| {
        vault.release(|seq| door(300 + index, seq)).expect("room");
        vault.publish_head("t").expect("room");
    });
    println!("release and signed head, us: {:?}", median_us(heads));
    let (bytes, _) = vault.size().expect("readable");
    println!("store of 420 windows: {bytes} bytes");
    assert!(doors.iter().sum::<Duration>() < Duration::from_secs(60), "a disk that slow serves no shop");
}
