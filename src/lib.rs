//! # Kehai: anonymous paths over a shop floor, proved to be nothing more
//!
//! A camera frame comes in as pixels and leaves as a count that no longer points at a person. This crate is read from
//! left to right:
//!
//! ```text
//!                   eye process (kehai-eye): sees pictures, talks to nobody
//!  camera ─▶ capture ─▶ detect ─▶ track ─▶ floor ─▶ measure ─▶ gate ─┐
//!            Frame      Detections Tracks  FloorSteps Window          │ 256-byte records of integers on one pipe:
//!                                                                     ▼ ReleasedWindow, counters, a first and a last word
//!                   mouth process (kehai): sees no pixel and no path, talks to the world
//!                   wire (the exact bytes) ─▶ vault (encrypted store) ─▶ publish: MQTT · page · picture
//! ```
//!
//! | module | one line |
//! |---|---|
//! | [`capture`] | pixels enter: cameras and recordings become frames from a fixed, wiped pool, no larger than the network looks at them |
//! | [`detect`] | pixels end: a frame goes in, boxes come out, the frame is destroyed |
//! | [`track`] | detections become tracks, in seconds, without looking at anybody |
//! | [`floor`] | tracks become metres, by marks measured on the floor |
//! | [`measure`] | metres become windows: crossings, stays, queues, heat, flow, transitions |
//! | [`gate`] | windows become releasable: figures of fewer than `k` people are withheld |
//! | [`wire`] | the only serialisation of figures: pipe records, payloads, schema |
//! | [`vault`] | released bytes, signed and encrypted: until they are acknowledged, and for as long as they may be kept; the switch, the people, the audit chain |
//! | [`publish`] | MQTT 5 and 3.1.1 with TLS, commands and answers, sums over any period, a page of them on loopback or, encrypted and behind a login, at a network, pictures of released figures |
//! | [`notice`] | sign at the door, policy behind its code, short texts: made from what runs, and of claims only those that are proved |
//! | [`sandbox`] | what the eye gives up before it sees a picture, and the self-test of it |
//! | [`pipeline`] | processes, threads, channels: who starts, feeds, watches and ends whom |
//! | [`cli`] | what people and scripts ask, and the exit code they get |
//! | [`forensics`] | whether anything of a picture is left in a process, and where; of the mouth's side, no part of the eye |
//! | [`config`] [`units`] [`clock`] [`health`] | beneath all: settings, planes, time, counters; they import no stage |
//!
//! A stage consumes what the one before it made (`self`, by value) and imports nothing further upstream.
//!
//! ## Invariants and who enforces them
//!
//! | | invariant | enforcer |
//! |---|---|---|
//! | I1 | pixels live only in the decoder, [`capture::Frame`] (drawn in planes that are wiped at once) and the input tensor; of a camera's last pictures the motion gate keeps one grey for every 16 x 16 pixels of the input ([`detect::motion::Grid`], wiped too) | tests/tidy/monopolies.rs (who may name OpenCV and the runtime; `capture/ffmpeg.rs` keeps its bindings to itself), compile-fail cases in tests/disclosure |
//! | I2 | both are wiped when dropped, also while unwinding; a second after the last look nothing of a picture is left in any process, in whatever form | `capture/frame.rs`, `detect/letterbox.rs` and their tests; tests/forensics search all memory, and on a shop's own box `kehai report --memory` that of a twin ([`cli::report`]) |
//! | I3 | nothing but released windows, counters, a first and a last word crosses the pipe, in a number that the configuration foresees | the mouth ends an eye that says anything else ([`wire::record::Inbox`]) or says it too often, too early or twice ([`wire::record::ration::Ration`]), counts that in health and starts another; what is told when: `pipeline/teller.rs`; bytes as foreseen: [`wire::record::budget`], tests/laws/budget.rs, tests/story/pipe.rs, tests/live/rogue.rs; [`gate::ReleasedWindow`] has private fields |
//! | I4 | imports go one step upstream | tests/tidy/imports.rs |
//! | I5 | only the mailbox drops frames, and counts them | `pipeline/latest.rs`; the ledger is balanced (tests/story) |
//! | I6 | motion uses capture time | `track/kalman.rs` tests at three frame rates; tests/tidy/monopolies.rs (who may read a clock) |
//! | I7 | counts are conserved: entries − exits = Δ stays, heat inside a zone = its dwell, transitions to a place and from it = its visits, who joins a queue is served, gives up or waits on; wherever the calendar cuts, the sums are the same | tests/laws |
//! | I8 | a window is released once, with the same bytes for ever, and none that ends before its object's last | [`wire::record::Inbox`] (each window once), [`vault`] (on the disk, signed and in the audit chain in one commit), tests/vault: killed at any moment, full disks, clocks that step, six attacks on the chain; tests/live/clock.rs: the clock of a running shop is set |
//! | I9 | every queue, map and history is bounded | constants beside each; a million people passing leave no more behind than two thousand (`measure/camera.rs`); memory slope in the acceptance tier |
//! | I10 | no track id and no activity finer than a window on any wire, page or panic | `track::TrackId` cannot be printed or serialised; the eye's panic hook is silent; health counts frames, not people, and what follows people within seconds (still and overwritten frames, ages, boxes in ignored places) only by whole quarters of an hour; that a box is overloaded is told at once, and over with the quarter (`pipeline/discretion.rs`); a clock that is set again and again makes no more windows than time has room for (`pipeline/mouth/rhythm.rs`) |
//! | I11 | the eye cannot write, execute or talk to anyone but its cameras, and proves it at start | five walls ([`sandbox`]), thirteen ways out tried by a twin before every `run`, `replay` and `bench` ([`sandbox::twin`]), exit 8 where one is open; tests/cage turns the walls off one by one; no encoder, no network client in its dependency graph and none of the system's encoders asked for (tests/tidy/{dependencies,symbols}.rs); an hour of calls into the kernel, of bytes to cameras and of the disk is judged by tests/evidence |
//! | I12 | privacy only tightens, and nothing is watched that is not armed | lower bounds in `config/check.rs` and those of the region (`config/check/gate.rs`); what was armed once in [`switch`] (`switch/bounds.rs`), also in a restored box (tests/openly/backup.rs); the mouth's guard ends the eye (`pipeline/mouth/guard.rs`); a stop needs no store (`vault/stop.rs`); tests/switch: a property of the machine, every field, every way to stop |
//! | I13 | what the sign claims is what runs | a claim needs a green proof of the last 24 hours, of these programs and this declaration (`notice/claims.rs`), on the sign with its day, on the page at the moment it is asked for; the id of the sign and the hash on it follow from the site file, and every message carries both; tests/notice |
//!
//! ## Threat model, in short
//!
//! *Protected*: who was in the shop, what they look like, where a single person went and when. *Attackers*: whoever
//! reads the broker, the page, the log, the disk or a core dump; whoever sends the eye a malicious stream and owns it;
//! a curious operator with every right the product gives. *What stands today*: the pipe out of the eye carries a number
//! of bytes an hour that follows from the configuration and that `kehai doctor --site` prints line by line: windows of the
//! hours it has lived through, a record a camera every five seconds, and some records for each start of an eye, of which
//! there are so many an hour. That is what an owned eye can leak on the pipe, in words that must pass for figures and
//! counters that never run backwards; when within five seconds it speaks is one more thing it can choose, and to its own
//! cameras it can say what fits into the bytes of requests, which the relay counts. Five walls stand round the eye ([`sandbox`]) and are proved at every start: it has no file to write to, nothing to start, nobody to call.
//! Frames are wiped after one inference, freed heap and stacks are overwritten, the network's memory once it rests; no core
//! is left, and what can be written is locked against swap where that is allowed. A running eye holds its newest pictures:
//! one packed and one or two decoded in the decoder (its last picture, and what later ones refer to), two drawn, one in the
//! network; a camera that falls silent leaves the last there until it is given up after three seconds; its relay holds what
//! it is carrying, 64 KiB of packed film at the most in each direction. Figures rest on at least `k`
//! different people, each followed without a break. What is released lies encrypted on the disk, each window signed, each deed a line of a chain whose signed heads leave the
//! box; whoever has the box *and* its secret can seal a chain anew, and only heads published before give that away.
//! *Whoever owns the state folder* can read its keys; the two words of arming, roles and passwords bind honest hands there, and leave
//! lines in a chain whose published heads tell of another (`docs/roles.md`).
//! *Out of scope*: a camera that records by itself, somebody with root who attaches a debugger to a running eye.
//!
//! ## Decisions worth knowing
//!
//! - **Two processes of one crate.** Without the feature `mouth` the crate is the eye alone; `make build` builds it so.
//! - **A program loads what it needs.** `kehai` links nothing that reads pictures, `kehai-eye` none of OpenCV's readers;
//!   `kehai-eye-opencv` has them, for USB cameras and folders of pictures (tests/tidy/programs.rs).
//! - **The mouth supervises.** A failure ends the eye; a new one is there within two seconds and the open window is lost
//!   and shows as missing coverage (`cov_ms`), never guessed.
//! - **The eye holds no connection.** Whoever holds one can dissolve it and connect it to anybody (`connect` with
//!   `AF_UNSPEC`; tried), so the mouth's connections to the cameras go to a relay, a process without any other right, and the
//!   eye only reaches the relay, in a network where nobody else is.
//! - **Newest wins.** A late frame is worthless and a queue of frames is a recording. Recordings wait instead, so that a
//!   replay loses nothing and repeats byte for byte.
//! - **Who is nobody is decided before tracking**, in this order: detect, ignored places, motionless things, tracker; each
//!   is counted in health. A frame in which nothing moved and nobody was found for 3 s goes unseen, and every 6 s one is
//!   looked at all the same; it counts as seen time, for the last look knows what is there.
//! - **Person-time is whole milliseconds** given at once to cells and zones, which is why their sums agree exactly.
//! - **Evaluation is another program.** Boxes, tracks and exact events of a recording are seen by `kehai-detect` alone
//!   (`kehai detect`, `kehai replay --truth`), which opens files only and runs the eye's own stages in its own process
//!   ([`pipeline::eyewitness`]); the eye itself never sends them. The same program searches memory (`kehai report`): it must
//!   make of pictures what an eye makes of them, and the only camera it knows is its own.
//! - **The store delivers, not the client.** A client of MQTT forgets what is in flight when its broker does; a row is done at
//!   its receipt alone, a lost connection begins anew with whatever is not done, oldest first ([`publish::mqtt`],
//!   tests/delivery, docs/brokers.md).
//! - **A clock that is set is told and not trusted at once.** The eye is replaced, for it names windows by the clock as it was; the
//!   open window is lost rather than closed early, since whoever sets clocks would cut windows to the length he likes. Names
//!   follow the clock as it is, and nothing is named before what was released; the event says until when. What is kept
//!   grows old by a clock whose jumps ahead count once they have stood for a day (`pipeline/mouth/ages.rs`).
//! - **Nothing to leak with.** The eyes ask the system for no symbol that encodes, packs or films (tests/tidy/symbols.rs);
//!   libraries that could are named by `kehai doctor`. What a run leaves on disk, in the kernel's record of calls and at the
//!   cameras is searched (tests/evidence), and what a crash leaves (tests/live/crashes.rs).
//! - **Stopping is not the opposite of starting.** A stop asks for nobody's leave, goes through a file that needs neither room nor
//!   keys, and holds over kill -9; a start needs a configuration that says everything, its sign, two people, and somebody on site.
//! - **Zero is withheld too.** In a cell or zone, nobody and fewer than `k` look the same; telling them apart would tell
//!   that somebody was there. Doors are exact.

pub mod capture;
#[cfg(feature = "mouth")]
pub mod cli;
pub mod clock;
pub mod config;
pub mod detect;
pub mod floor;
#[cfg(feature = "mouth")]
pub mod forensics;
pub mod gate;
pub mod health;
pub mod measure;
#[cfg(feature = "mouth")]
pub mod notice;
pub mod pipeline;
#[cfg(feature = "mouth")]
pub mod publish;
pub mod sandbox;
#[cfg(feature = "mouth")]
pub mod switch;
pub mod track;
pub mod units;
#[cfg(feature = "mouth")]
pub mod vault;
pub mod wire;
