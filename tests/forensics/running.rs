//! At work: what an eye holds while it looks is the newest pictures and no other.
//!
//! A camera's frame is in flight (packed in a socket or a reader, decoded, drawn, in the network) for a few pictures' time;
//! a decoder keeps what later pictures refer to. Older ones must be gone.

use std::collections::BTreeSet;
use std::time::Duration;

use kehai::forensics::Residue;
use kehai::forensics::needles::Form;
use kehai::forensics::search::search;
use kehai::units::PictureSize;

use super::case::{Network, Sought};
use super::watched::Watched;
use crate::live::shop::{Shop, children_of, signal};

/// What an eye at work and its relay hold, stopped in the middle of it; and the number of the newest picture that was sent.
fn held(network: &Network, pictures: &Watched, shop: &Shop) -> ([Residue; 2], u64) {
    pictures.await_more(2 * RECENT);
    let (eye, mouth) = (shop.eye(None), shop.mouth());
    let relay = children_of(eye)[0];
    [mouth, eye, relay].iter().for_each(|pid| signal(*pid, libc::SIGSTOP));
    let recordings = pictures.recordings(RECENT);
    let [needles, _] = network.needles([&recordings[0], &recordings[1]], Sought { whole: WHOLE, deep: 0 });
    let found = [eye, relay].map(|pid| search(pid as u32, &[&needles]).expect("it stands still").remove(0));
    [mouth, eye, relay].iter().for_each(|pid| signal(*pid, libc::SIGCONT));
    (found, recordings[0].count - 1)
}

#[expect(clippy::print_stdout, reason = "what was found where is the result")]
fn must_hold_the_newest_alone(case: &str, network: &Network, rounds: usize) -> BTreeSet<Form> {
    let pictures = Watched::start(SMALL);
    let shop = Shop::open_with(&format!("running-{case}"), &network.site(&format!("url = \"{}\"", pictures.url())));
    shop.hear("camera view seen");
    let (mut forms, mut full) = (BTreeSet::new(), 0);
    for round in 0..2 * rounds {
        let ([eye, relay], newest) = held(network, &pictures, &shop);
        println!("{case}, newest {newest}, eye: {eye}\n relay: {relay}");
        forms.extend(eye.found.iter().map(|finding| finding.form));
        // Frozen for longer than a camera may be silent, an eye gives it up and holds nothing until it has it again.
        full += usize::from(eye.windows() > 0);
        for found in [&eye, &relay] {
            let oldest = found.oldest(|_| true).unwrap_or(newest);
            assert!(
                oldest + IN_FLIGHT > newest,
                "{case}, round {round}: something of picture {oldest} of {newest}: {found}"
            );
        }
        let film = relay.found.iter().filter(|finding| finding.form == Form::Coded);
        let film = film.map(|finding| finding.windows).sum::<u64>();
        assert!(film <= CARRIED, "{case}, round {round}: a relay holds {film} bytes of film: {relay}");
        if full == rounds {
            return forms;
        }
        std::thread::sleep(Duration::from_millis(13 * round as u64));
    }
    panic!("{case}: an eye at work holds something in {full} of {} looks, the test is void", 2 * rounds);
}

#[test]
fn an_eye_at_work_holds_the_newest_pictures_alone() {
    must_hold_the_newest_alone("default", &Network::default_one(), 1);
}

fn must_show_every_form(network: &Network) {
    let forms = must_hold_the_newest_alone(network.name(), network, 20);
    for form in [Form::Plane, Form::SmallPlane, Form::Tensor, Form::FirstLayer] {
        assert!(forms.contains(&form), "{}: no {form} was ever found, it is looked for in vain", network.name());
    }
}

#[test]
#[ignore = "twenty looks at an eye at work"]
fn every_form_is_found_in_an_eye_at_work_and_only_of_the_newest_pictures() {
    must_show_every_form(&Network::default_one());
}

#[test]
#[ignore = "twenty looks at an eye at work with another network"]
fn with_rtmdet_too_every_form_is_found_in_an_eye_at_work_and_only_of_the_newest_pictures() {
    Network::rtmdet().iter().for_each(must_show_every_form);
}

const SMALL: PictureSize = PictureSize { width: 320, height: 240 };
/// Pictures before the newest that are looked for.
const RECENT: u64 = 20;
const WHOLE: u64 = 8;
/// What a relay carries at the most in one direction, bytes.
const CARRIED: u64 = 64 << 10;
/// Pictures that may be in flight: one in the decoder and what it refers to, two drawn, one in the network.
const IN_FLIGHT: u64 = 8;
