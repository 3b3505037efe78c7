//! Setup and teardown.

use super::context::Decoder;
use super::template::Scope;
use crate::definition::field::{Field, Parts};
use crate::definition::keys::DEFINITION;
use crate::definition::model::Step;
use crate::definition::tree::{Entry, Node};
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;

impl Decoder<'_> {
    /// Steps that are done once, and what they make known.
    pub(super) fn once(&mut self, root: &Node, key: Field<Parts>) -> (Vec<Step>, Scope) {
        let mut scope = self.scope();
        let Some(place) = key.place(root).filter(|place| !place.items().is_empty()) else {
            scope.more = DEFINITION.means(root, key.key.name);
            return (Vec::new(), scope);
        };
        if self.engine.is_some_and(Engine::runs_scripts) {
            let issue = place.issue("this engine runs its script, not a flow");
            let name = key.key.name;
            self.sink
                .push(issue.hint(format!("remove {name}, or write engine: http")));
            return (Vec::new(), scope);
        }
        // A row belongs to an iteration of a scenario.
        scope.without_rows();
        let steps = self.steps(place, &mut scope);
        (steps, scope)
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
