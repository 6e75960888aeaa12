//! One binary of stories, properties, faults, golden payloads, compile-fail cases and house rules.

/// Who may hold, print, copy and send what: the ladder of disclosure, as the compiler sees it.
mod disclosure {
    mod assertions;
    mod cases;
}

/// What a node publishes, as a stranger on the other side of the broker sees it.
mod contract {
    mod alerts;
    mod broker;
    mod commands;
    mod dashboard;
    mod golden;
    mod heat;
    mod pages;
    mod schema;
}

/// That every window arrives, at whatever broker and after whatever outage.
mod delivery {
    mod deaths;
    mod doctor;
    pub mod doors;
    mod hearing;
    mod malice;
    mod matrix;
    mod outages;
    mod refusals;
}

/// Nothing is watched that was not armed, and stopping is easy.
mod switch {
    mod held;
    mod machine;
    mod purposes;
    mod recipients;
    mod regions;
    mod rows;
    mod starting;
    mod stopping;
}

/// What is said openly of what runs: self-tests, promises, records, answers, and what is kept for a bad day.
mod openly {
    mod backup;
    pub mod box_of;
    mod notes;
    mod policy;
    mod promises;
    mod records;
    mod report;
    mod rights;
    mod words;
}

/// Who may do what, at the page and at the command line, and what strangers get.
mod roles {
    mod attacks;
    mod codes;
    mod commands;
    mod loopback;
    mod matrix;
    mod openly;
    pub mod page;
    mod shop;
    pub mod staff;
    mod two_people;
    pub mod visitor;
    mod wire;
}

/// What is released stays, whole and unreadable to others, and goes when its time is over.
mod vault {
    mod attacks;
    mod clocks;
    pub mod commands;
    mod costs;
    mod full;
    mod hostile;
    mod killed;
    mod payloads;
    mod purges;
    mod retention;
    mod secrecy;
    mod store;
    mod wounds;
}

/// What holds the eye: its walls, and the doors of its cameras.
mod cage {
    mod escapes;
    mod relay;
}

/// What can go wrong in the world, and what a person is then told.
mod faults {
    mod bench;
    mod cards;
    mod clips;
    mod devices;
    mod models;
    mod networks;
    mod outlets;
    mod scores;
    mod sites;
    mod usage;
}

/// Boxes as the frameworks found them that the networks come from.
mod golden {
    mod boxes;
    mod heads;
}

/// Recorded people through the whole pipe.
mod story {
    mod accuracy;
    mod bench;
    mod calendar;
    mod evaluation;
    pub mod page;
    mod pictures;
    mod pipe;
    mod recounts;
    mod sample;
    mod score;
    mod still;
}

/// House rules: what STYLE.md says about the source, and PRIVACY.md about what is linked.
mod tidy {
    mod dependencies;
    mod imports;
    mod licences;
    mod monopolies;
    mod programs;
    mod rungs;
    mod sizes;
    pub mod sources;
    mod symbols;
}

/// What must hold whoever walks wherever.
mod laws {
    mod budget;
    mod conservation;
    mod crowd;
    mod cuts;
    mod hidden;
    mod merging;
    mod peers;
    mod pipe;
    mod queue;
    mod secrecy;
    mod steady;
    mod tracking;
    mod transitions;
    mod world;
}

/// What is left of a picture in memory.
mod forensics {
    mod case;
    mod disks;
    mod recipe;
    mod report;
    mod rest;
    mod running;
    mod watched;
    mod ways;
}

/// What runs leave behind on disk, in the kernel's log of calls and at the cameras: nothing but what is released.
mod evidence {
    mod deeds;
    mod hour;
    mod requests;
    mod unit;
}

/// Released figures as people use them: tables, pictures, a live screen.
mod figures {
    mod export;
    mod maps;
    mod watch;
    mod year;
}

/// What is said openly: the sign at the door, the policy behind its code, short texts.
mod notice {
    mod claims;
    pub mod commands;
    mod lint;
    mod pages;
    mod shop;
    mod signs;
}

/// Live cameras, drawn and served on loopback.
mod live {
    pub mod cameras;
    mod clock;
    mod crashes;
    mod doctor;
    mod endurance;
    mod faults;
    mod hours;
    mod overload;
    mod returns;
    mod rogue;
    pub mod shop;
}

/// What tests share.
mod support {
    pub mod armed;
    pub mod broker;
    pub mod carver;
    pub mod eye;
    pub mod eye_process;
    pub mod folder;
    pub mod imp;
    pub mod jetstream;
    pub mod keyed;
    pub mod node;
    pub mod onnx;
    pub mod onvif_device;
    pub mod papers;
    pub mod program;
    pub mod recording;
    pub mod records;
    pub mod rtsp_camera;
    pub mod rtsp_faults;
    pub mod served;
    pub mod simulated;
    pub mod site;
    pub mod stand;
    pub mod strace;
    pub mod twin;
    pub mod wall_clock;
    pub mod way;
}
