//! What becomes of a series past the bound on series: most of its tags give way to `name=__other__`.
//!
//! What the definition asks for is never folded away. A series past the bound keeps `scenario` and `expected_response`, and the
//! tags of every filter of the thresholds and the baseline that it matches. So a filter finds the same samples with the bound as
//! without it, and what folding can add is bounded by the definition: by its filters, its scenarios, and two outcomes.

use crate::definition::model::{Definition, Side};
use floodgate_records::key::Key;
use floodgate_records::metric::Tags;

/// The value of `name` that takes the samples of series past the bound.
pub const OTHER: &str = "__other__";

/// Tags that a folded series keeps in any case: both have few values.
const ALWAYS_KEPT: [&str; 2] = ["scenario", "expected_response"];

/// The value of `error_code` of requests that were cut off. It is kept too: thresholds have to tell them from complete ones.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Decides what folded series keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folding {
    named: Vec<Tags>,
}

impl Folding {
    /// Keeps the tags of these filters. Empty ones need nothing.
    pub fn new(filters: impl IntoIterator<Item = Tags>) -> Self {
        let mut named: Vec<Tags> = filters.into_iter().filter(|f| !f.0.is_empty()).collect();
        named.sort();
        named.dedup();
        Self { named }
    }

    /// Keeps what the thresholds and the baseline of a definition filter by. A key that does not parse has no filter; it is refused
    /// elsewhere.
    pub fn of(definition: &Definition) -> Self {
        let thresholds = definition.thresholds.iter().map(|t| t.key.as_str());
        let baseline = definition.baseline.iter().flat_map(|b| &b.metrics);
        // `metric{tags} aggregate`: the key ends at the last white space.
        let compared = baseline.filter_map(|m| Some(m.trim().rsplit_once(char::is_whitespace)?.0));
        let keys = thresholds.chain(compared);
        let filters = keys.filter_map(|key| Some(key.trim().parse::<Key>().ok()?.tags));
        // What two targets measured is told apart by this tag.
        let sides = definition
            .scenarios
            .iter()
            .filter_map(|scenario| scenario.side);
        let sides = sides.map(|side| Tags::new().with(Side::TAG, side.as_str()));
        Self::new(filters.chain(sides))
    }

    /// The filters whose tags are kept, sorted: what a task states in its manifest.
    pub fn named(&self) -> &[Tags] {
        &self.named
    }

    /// Whether a filter asks for this value of a tag, so that no reader may replace it by [`OTHER`].
    pub fn names(&self, tag: &str, value: &str) -> bool {
        self.named
            .iter()
            .any(|filter| filter.get(tag) == Some(value))
    }

    /// What is left of the tags of a series past the bound.
    pub fn fold(&self, tags: &Tags) -> Tags {
        let matched = self.named.iter().filter(|filter| tags.matches(filter));
        let named = matched.flat_map(|filter| filter.0.keys().map(String::as_str));
        let cut_off = (tags.get("error_code") == Some(INTERRUPTED)).then_some("error_code");
        let kept: Tags = ALWAYS_KEPT
            .into_iter()
            .chain(cut_off)
            .chain(named)
            .filter_map(|name| Some((name, tags.get(name)?)))
            .collect();
        if kept.get("name").is_some() {
            kept
        } else {
            kept.with("name", OTHER)
        }
    }
}

/// Whether a series with these tags, folded without regard to `filter`, may hold samples that match it: everything that it still
/// has fits, and what it lacks was folded away.
pub fn may_hide(tags: &Tags, filter: &Tags) -> bool {
    let fits = |(tag, value): (&String, &String)| match tags.get(tag) {
        None => true,
        Some(found) => found == value || (tag == "name" && found == OTHER),
    };
    tags.get("name") == Some(OTHER) && !tags.matches(filter) && filter.0.iter().all(fits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(list: &[(&str, &str)]) -> Tags {
        list.iter().copied().collect()
    }

    #[test]
    fn what_no_filter_names_gives_way() {
        let all = tags(&[
            ("scenario", "s"),
            ("name", "item 7"),
            ("status", "500"),
            ("expected_response", "false"),
        ]);
        let other = tags(&[
            ("scenario", "s"),
            ("expected_response", "false"),
            ("name", OTHER),
        ]);
        assert_eq!(Folding::default().fold(&all), other);
        let named = Folding::new([tags(&[("name", "item 7")])]);
        let kept = tags(&[
            ("scenario", "s"),
            ("expected_response", "false"),
            ("name", "item 7"),
        ]);
        assert_eq!(named.fold(&all), kept);
        assert!(named.names("name", "item 7") && !named.names("name", "item 8"));
    }

    #[test]
    fn a_folded_series_may_hide_what_it_does_not_contradict() {
        let filter = tags(&[("name", "pay"), ("scenario", "s")]);
        assert!(may_hide(
            &tags(&[("name", OTHER), ("scenario", "s")]),
            &filter
        ));
        assert!(may_hide(&tags(&[("name", OTHER)]), &filter));
        assert!(!may_hide(
            &tags(&[("name", OTHER), ("scenario", "t")]),
            &filter
        ));
        assert!(!may_hide(&tags(&[("name", "home")]), &filter));
    }

    fn some_tags() -> impl Strategy<Value = Tags> {
        let tag = prop_oneof![
            Just("name"),
            Just("status"),
            Just("check"),
            Just("scenario")
        ];
        proptest::collection::btree_map(tag.prop_map(str::to_owned), "[ab]", 0..4).prop_map(Tags)
    }

    proptest! {
        /// The law of the module: a filter that the definition has finds the same series, folded or not.
        #[test]
        fn a_named_filter_finds_the_same_samples(
            filters in proptest::collection::vec(some_tags(), 0..4), tags in some_tags(),
        ) {
            let folding = Folding::new(filters.clone());
            let folded = folding.fold(&tags);
            for filter in filters {
                prop_assert_eq!(folded.matches(&filter), tags.matches(&filter), "{:?}", filter);
            }
        }
    }
}
