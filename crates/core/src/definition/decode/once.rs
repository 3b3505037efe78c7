//! Setup and teardown.

use super::context::Decoder;
use super::template::Scope;
use crate::definition::field::{Field, Parts};
use crate::definition::model::Step;
use crate::definition::tree::{Entry, Node};
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;

impl Decoder<'_> {
    /// Steps that are done once, and what they set and extract.
    pub(super) fn once(&mut self, root: &Node, key: Field<Parts>) -> (Vec<Step>, Vec<String>) {
        let Some(place) = key.place(root) else {
            return (Vec::new(), Vec::new());
        };
        if self.engine != Engine::Http {
            let issue = place.issue("this engine runs its script, not a flow");
            let name = key.key.name;
            self.sink
                .push(issue.hint(format!("remove {name}, or write engine: http")));
            return (Vec::new(), Vec::new());
        }
        // A row belongs to an iteration of a scenario.
        let mut scope = self.scope();
        scope.without_rows();
        let steps = self.steps(place, &mut scope);
        (steps, scope.into_locals())
    }

    /// Before the first step of a flow: what setup gives is known.
    pub(super) fn scope(&self) -> Scope {
        let mut scope = Scope::new(&self.sources);
        self.given.iter().for_each(|name| scope.add(name));
        scope
    }

    /// Makes a variable known that a step sets. One of setup's has one value for all.
    pub(super) fn set_by_step(&mut self, entry: &Entry, scope: &mut Scope) {
        if self.given.contains(&entry.key) {
            let problem = format!("{} is set by setup, for all iterations", quoted(&entry.key));
            self.sink
                .push(entry.key_issue(problem).hint("give it another name"));
        }
        scope.add(&entry.key);
    }
}
