//! Tiers.

use super::context::Decoder;
use crate::definition::keys::{root, tier};
use crate::definition::model::Tier;
use crate::definition::tree::Node;
use crate::units::format_duration;
use floodgate_records::engine::Engine;
use floodgate_records::word::Words as _;

impl Decoder<'_> {
    /// `tier`, with the bounds of `tiers`.
    pub(super) fn tier(&mut self, root: &Node) -> Option<Tier> {
        let tiers = root::TIERS.place(root);
        for tier in Tier::ALL {
            let own = tiers.and_then(|tiers| tiers.get(tier.as_str()));
            if let Some(place) = own.and_then(|own| tier::DURATION.place(own)) {
                self.length(*tier, place);
            }
        }
        let place = root::TIER.place(root)?;
        if self.engine.is_some_and(Engine::runs_scripts) {
            let issue = place.issue("a tier scales scenarios, and this engine runs its script");
            self.sink
                .push(issue.hint("give the script's own options, such as --vus and --duration"));
            return None;
        }
        root::TIER.of(root)
    }

    fn length(&mut self, tier: Tier, place: &Node) {
        use crate::definition::field::Value as _;
        let (least, most) = tier.bounds();
        let given = std::time::Duration::read(place);
        if given.is_none_or(|given| given >= least && most.is_none_or(|most| given <= most)) {
            return;
        }
        let allowed = match most {
            Some(most) => format!("{} to {}", format_duration(least), format_duration(most)),
            None => format!("{} and more", format_duration(least)),
        };
        let problem = format!(
            "{} is not a length of the tier {}",
            place.shown(),
            tier.as_str()
        );
        self.sink.push(place.issue(problem).allowed(allowed));
    }
}
