//! No rung below the gate is copied, printed or serialised, as far as its source says so.
//!
//! In: every type of `src/`. This sees what tests/disclosure/assertions.rs cannot: private types, and types that
//! carry a rung or a person's place inside.

use std::collections::BTreeSet;

use syn::visit::Visit;
use syn::{Attribute, Fields, Ident, ItemEnum, ItemImpl, ItemStruct, Path, Type};

use super::sources::{Source, sources};

/// Types that hold pixels, a person, or exact counts.
const RUNGS: [&str; 22] = [
    "Bared",
    "Frame",
    "FramePool",
    "Grid",
    "InputTensor",
    "Detections",
    "Detection",
    "Tracks",
    "Track",
    "TrackId",
    "FloorSteps",
    "FloorStep",
    "Credit",
    "Window",
    "Exact",
    "LineWindow",
    "ZoneWindow",
    "HeatWindow",
    "QueueWindow",
    "FlowWindow",
    "FlowCell",
    "TransitionWindow",
];
/// What no rung may have, by derive or by hand.
const FORBIDDEN: [&str; 6] = ["Clone", "Copy", "Debug", "Display", "Serialize", "Deserialize"];
/// An id is a number that travels; a credit is one of them with a place, handed from counter to counter.
const MAY_BE_COPIED: [&str; 2] = ["TrackId", "Credit"];
/// Where a person is: types of the stages that hold it are neither printed nor serialised.
const PLACES: [&str; 3] = ["BoxPx", "FootPx", "FloorPoint"];
/// Stages that work below the gate.
const BELOW_THE_GATE: [&str; 5] = ["src/capture", "src/detect", "src/track", "src/floor", "src/measure"];

/// What one file says about its types.
#[derive(Default)]
struct Types {
    /// Types of the file.
    named: BTreeSet<String>,
    /// Type and trait, derived or implemented.
    traits: Vec<(String, String)>,
    /// Type and type of a field inside it.
    holds: Vec<(String, String)>,
}

impl Types {
    fn of(source: &Source) -> Self {
        let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
        let mut types = Self::default();
        types.visit_file(&file);
        types
    }

    fn note(&mut self, name: &Ident, attributes: &[Attribute]) {
        self.named.insert(name.to_string());
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let derived = attribute.parse_nested_meta(|meta| {
                self.traits.push((name.to_string(), last(&meta.path)));
                Ok(())
            });
            derived.expect("a derive is a list of paths");
        }
    }

    fn note_fields(&mut self, name: &Ident, fields: &Fields) {
        for field in fields {
            let mut inner = Inner::default();
            inner.visit_type(&field.ty);
            self.holds.extend(inner.0.into_iter().map(|inner| (name.to_string(), inner)));
        }
    }

    fn faults(&self, source: &Source) -> Vec<String> {
        let below = BELOW_THE_GATE.iter().any(|stage| source.lies_in(stage));
        let personal = |inner: &str| RUNGS.contains(&inner) || PLACES.contains(&inner);
        let carries = |name: &str| self.holds.iter().any(|(holder, inner)| holder == name && personal(inner));
        let fault = |(name, what): &(String, String)| {
            let copying = matches!(what.as_str(), "Clone" | "Copy");
            let forbidden = FORBIDDEN.contains(&what.as_str());
            let rung = RUNGS.contains(&name.as_str()) && !(copying && MAY_BE_COPIED.contains(&name.as_str()));
            let carrier = below && carries(name) && !copying;
            let fault = format!("{}: {name} is {what}, and it holds a person or pixels", source.path);
            (forbidden && (rung || carrier)).then_some(fault)
        };
        self.traits.iter().filter_map(fault).collect()
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.note(&item.ident, &item.attrs);
        self.note_fields(&item.ident, &item.fields);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.note(&item.ident, &item.attrs);
        item.variants.iter().for_each(|variant| self.note_fields(&item.ident, &variant.fields));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let Some((path, name)) = item.trait_.as_ref().map(|(path, _)| path).zip(type_name(&item.self_ty)) else {
            return;
        };
        self.traits.push((name, last(path)));
    }
}

/// Names inside the type of a field.
#[derive(Default)]
struct Inner(Vec<String>);

impl<'ast> Visit<'ast> for Inner {
    fn visit_path(&mut self, path: &'ast Path) {
        self.0.push(last(path));
        syn::visit::visit_path(self, path);
    }
}

fn last(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

fn type_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => Some(last(&path.path)),
        Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

#[test]
fn no_rung_below_the_gate_is_copied_printed_or_serialised() {
    let faults: Vec<String> = sources("src").iter().flat_map(|source| Types::of(source).faults(source)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_rung_is_a_type_of_the_source() {
    let named: BTreeSet<String> = sources("src").iter().flat_map(|source| Types::of(source).named).collect();
    let gone: Vec<&str> = RUNGS.into_iter().chain(PLACES).filter(|rung| !named.contains(*rung)).collect();
    assert!(gone.is_empty(), "{gone:?} are gone; the rules about them hold nothing");
}

#[test]
fn the_reader_of_types_sees_derives_impls_and_carriers() {
    let judged = |path: &str, text: &str| {
        let source = Source { path: path.into(), text: text.into() };
        Types::of(&source).faults(&source).len()
    };
    assert_eq!(judged("src/measure.rs", "#[derive(Default, Clone, Debug)] pub struct Window;"), 2);
    assert_eq!(judged("src/pipeline.rs", "impl std::fmt::Debug for &Track {}"), 1);
    assert_eq!(judged("src/track.rs", "#[derive(Clone, Copy)] struct TrackId(u64);"), 0);
    assert_eq!(judged("src/track.rs", "#[derive(Clone, Debug)] struct Person { at: Vec<(u8, BoxPx)> }"), 1);
    assert_eq!(judged("src/track.rs", "#[derive(Debug)] enum Sight { At(crate::units::FootPx), Gone }"), 1);
    assert_eq!(judged("src/config.rs", "#[derive(Debug)] struct Pair { at: FloorPoint }"), 0, "drawn, not seen");
}
